//! The same stack in Terraform's words: the settings as variables of its module, the resources as addresses in it.
//!
//! In flow settings and resources, out flows text that Terraform reads. Pure.

mod address;
mod variables;

pub use address::{Address, address};
pub use variables::variables;

/// A text as HCL quotes it: nothing in it is an expression.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for (place, one) in text.char_indices() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            '\n' => quoted.push_str("\\n"),
            '$' | '%' if text.get(place + 1..).is_some_and(|rest| rest.starts_with('{')) => quoted.extend([one, one]),
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_an_expression() {
        assert_eq!(quoted(r#"a"b\c ${d} %{e} $f"#), r#""a\"b\\c $${d} %%{e} $f""#);
    }
}
