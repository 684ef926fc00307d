//! A JSON reader that takes less than JSON allows: no member twice, at any depth.
//!
//! In flow the bytes of a body; out flow its members, borrowed from them where no escape stands in the way. Two
//! readers that disagree on which of two equal members counts can be played off against each other; so neither does.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::message::{Code, Problem};

/// Values in one body, at most. Two bytes of it can become thirty times that here, and no request has nearly so many.
const MOST_VALUES: usize = 10_000;

/// The members of an object, by name.
pub(super) type Members<'a> = BTreeMap<Cow<'a, str>, Value<'a>>;

/// Any JSON value.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    /// A number without a fraction, however it is written: `60`, `60.0`, `6e1`.
    Integer(i64),
    Fraction(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Members<'a>),
}

/// Reads one object and nothing after it. Depth is bounded by serde_json: 127 levels; numbers by what a 64-bit float
/// holds. RFC 8259, section 9, leaves both to the reader.
///
/// # Errors
/// `invalid_json`: no JSON, no UTF-8, a lone surrogate, a member twice, far too many values, or no object. Never quotes
/// the body.
pub(super) fn object(bytes: &[u8]) -> Result<Members<'_>, Problem> {
    let refuse = |detail: String| Problem::new(Code::InvalidJson, detail);
    let left = Cell::new(MOST_VALUES);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    match (AnyValue { left: &left }).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(refuse("The body is JSON, but not an object.".to_owned())),
        Err(_) if bytes.trim_ascii().is_empty() => Err(refuse("The body is empty.".to_owned())),
        Err(_) if bytes.starts_with(BYTE_ORDER_MARK) => Err(refuse(
            "The body begins with a byte order mark, which JSON does not have; send it as UTF-8 without one."
                .to_owned(),
        )),
        Err(_) if let Err(error) = std::str::from_utf8(bytes) => {
            Err(refuse(format!("The body is not UTF-8: the byte at offset {} is wrong.", error.valid_up_to())))
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let place = format!("at line {line}, column {column}");
            Err(refuse(match error.classify() {
                Category::Data if left.get() == 0 => "The body has more values than any request needs.".to_owned(),
                Category::Data => format!("A member appears twice: line {line}, column {column}."),
                Category::Eof => "The body ends before its JSON does.".to_owned(),
                Category::Syntax | Category::Io => match reason(&error) {
                    Some(reason) => format!("{reason}, {place}."),
                    None => format!("The body is not valid JSON {place}."),
                },
            }))
        }
    }
}

/// What is wrong, in words of our own: serde_json tells it by its text alone.
fn reason(error: &serde_json::Error) -> Option<&'static str> {
    let told = error.to_string();
    REASONS.iter().find(|(beginning, _)| told.starts_with(beginning)).map(|(_, reason)| *reason)
}

/// How serde_json's texts begin, and ours for them.
const REASONS: [(&str, &str); 15] = [
    ("recursion limit", "The body is nested deeper than 127 levels"),
    ("number out of range", "The body has a number that no 64-bit float holds"),
    ("invalid number", "The body has a number that is not written as JSON has it"),
    ("lone leading surrogate", "The body has half a surrogate pair, which stands for no character"),
    ("unexpected end of hex escape", "The body has half a surrogate pair, which stands for no character"),
    ("invalid unicode code point", "The body has an escape that stands for no character"),
    ("invalid escape", "The body has a backslash that begins no escape of JSON"),
    ("control character", "The body has a line break or another control character inside a string; escape it"),
    ("trailing comma", "The body has a comma with nothing after it"),
    ("trailing characters", "The body goes on after its JSON ends"),
    ("key must be a string", "The body has a member whose name is not in double quotes"),
    ("expected `:`", "The body lacks a colon after the name of a member"),
    ("expected `,` or `}`", "The body lacks a comma or a closing brace"),
    ("expected `,` or `]`", "The body lacks a comma or a closing bracket"),
    ("expected", "The body lacks a JSON value"),
];

/// What some editors and shells of Windows write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one value; `left` counts how many more there may be.
#[derive(Clone, Copy)]
struct AnyValue<'c> {
    left: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for AnyValue<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom("too many values"))?;
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Value::Fraction(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        /// From 2^53 on, a float has neighbours that it stands for as well.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = value.fract() == 0.0 && value.abs() < EXACT;
        Ok(if whole { Value::Integer(value as i64) } else { Value::Fraction(value) })
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if members.insert(name, map.next_value_seed(self)?).is_some() {
                return Err(A::Error::custom("a member appears twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

/// A member's name: serde's own `Cow` never borrows.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_borrowed_where_no_escape_stands_in_the_way() {
        let members = object(br#"{"plain":"words","escaped":"\u20ac"}"#).unwrap();
        assert!(matches!(members["plain"], Value::Text(Cow::Borrowed("words"))));
        assert_eq!(members["escaped"], Value::Text("€".into()));
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        let members = object(br#"{"a":60,"b":60.0,"c":6e1,"d":60.5,"e":18446744073709551615,"f":-1}"#).unwrap();
        assert_eq!([&members["a"], &members["b"], &members["c"]], [&Value::Integer(60); 3]);
        assert_eq!(members["d"], Value::Fraction(60.5));
        assert!(matches!(members["e"], Value::Fraction(_)));
        assert_eq!(members["f"], Value::Integer(-1));
    }

    #[test]
    fn what_is_not_one_object_in_utf_8_is_refused() {
        let deep = format!(r#"{{"a":{}"#, "[".repeat(200));
        let bad: [&[u8]; 14] = [
            b"",
            b"null",
            b"[]",
            b"\"to\"",
            b"{",
            b"{} {}",
            b"{'a':1}",
            b"{\"a\":1,}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\xed\xa0\x80\"}",
            br#"{"a":"\ud83d"}"#,
            br#"{"a":"\udc00"}"#,
            deep.as_bytes(),
        ];
        for bytes in bad {
            assert_eq!(object(bytes).unwrap_err().code, Code::InvalidJson, "{bytes:?}");
        }
        assert!(object(br#"{"a":"\ud83d\ude00"}"#).is_ok());
    }

    #[test]
    fn it_is_told_what_is_wrong_and_where_but_nothing_of_the_body() {
        let deep = format!(r#"{{"a":{}"#, "[".repeat(200));
        let bad: [(&[u8], &str); 17] = [
            (b" \n", "is empty"),
            (b"{\"a\":", "ends before"),
            (b"\xef\xbb\xbf{\"to\":\"+12065550100\"}", "byte order mark"),
            (b"\xff\xfe{\0", "not UTF-8: the byte at offset 0"),
            (b"{\"a\":\"\xff\"}", "not UTF-8: the byte at offset 6"),
            (deep.as_bytes(), "127 levels"),
            (b"{\"a\":1e999}", "64-bit float holds, at line 1"),
            (b"{\"a\":01}", "not written as JSON has it"),
            (br#"{"a":"\ud83d"}"#, "surrogate"),
            (br#"{"a":"\x"}"#, "backslash"),
            (b"{\"a\":\"one\ntwo\"}", "control character inside a string; escape it, at line"),
            (b"{\"a\":1,}", "comma with nothing after it"),
            (b"{} {}", "goes on after"),
            (b"{'a':1}", "double quotes"),
            (b"{\"a\" 1}", "colon"),
            (b"{\"a\":1 \"b\":2}", "a comma or a closing brace, at line 1, column 8"),
            (b"{\"a\":hello}", "lacks a JSON value, at line 1, column 6"),
        ];
        for (bytes, told) in bad {
            let detail = object(bytes).unwrap_err().detail;
            assert!(detail.contains(told) && detail.ends_with('.'), "{told}: {detail}");
            assert!(!detail.contains("12065550100"), "{detail}");
        }
    }

    #[test]
    fn a_body_of_far_too_many_values_is_refused_before_they_take_up_memory() {
        let many = |count: usize| format!(r#"{{"a":[{}]}}"#, vec!["0"; count].join(","));
        assert!(object(many(MOST_VALUES - 2).as_bytes()).is_ok());
        for bytes in [many(MOST_VALUES), format!(r#"{{"a":{}}}"#, "[".repeat(100) + &many(MOST_VALUES))] {
            assert!(object(bytes.as_bytes()).unwrap_err().detail.contains("more values"));
        }
    }

    #[test]
    fn a_member_that_appears_twice_is_refused_at_any_depth_and_in_any_notation() {
        for bytes in [&br#"{"a":1,"a":1}"#[..], br#"{"a":1,"\u0061":2}"#, br#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#] {
            let problem = object(bytes).unwrap_err();
            assert!(problem.detail.contains("twice"), "{problem:?}");
        }
        assert!(object(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#).is_ok());
    }
}
