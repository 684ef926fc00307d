//! Text without anything that steers a terminal: the last filter, also for values that people gave to resources.

/// One line of at most so many characters. For words of ours in which something foreign stands that was checked, and for
/// values of an account.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut shown: String =
        text.chars().map(|one| if one.is_control() { ' ' } else { plain(one) }).take(longest).collect();
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

/// The same text, lines and all, with colours of our own left in it.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        let colour = if one == '\u{1b}' { colour(rest.as_str()) } else { None };
        match colour {
            Some(length) => {
                shown.push(one);
                shown.extend(rest.by_ref().take(length));
            }
            None if matches!(one, '\n' | '\t') => shown.push(one),
            None if one.is_control() => shown.push(' '),
            None => shown.push(plain(one)),
        }
    }
    shown
}

/// How long a colour sequence is without its ESC: `[0m`, `[1;31m`.
fn colour(rest: &str) -> Option<usize> {
    let parameters = rest.strip_prefix('[')?.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    (parameters <= 8 && rest.as_bytes().get(1 + parameters) == Some(&b'm')).then_some(parameters + 2)
}

/// Marks what is invisible, ends a line elsewhere than here, or turns the direction of text.
fn plain(one: char) -> char {
    match one {
        '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '�',
        one => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_stays_one_line_of_a_bounded_length() {
        for evil in ["\r\n", "\u{1b}[31m", "\u{2028}", "\u{85}", "\u{202e}", "\u{7}", "\u{9b}31m"] {
            let shown = one_line(&format!("a{evil}b"), 100);
            assert!(!shown.chars().any(|one| one.is_control() || matches!(one, '\u{2028}' | '\u{202e}')), "{shown:?}");
        }
        assert_eq!(one_line("abc", 3), "abc");
        assert_eq!(one_line("abcd", 3), "abc…");
    }

    #[test]
    fn lines_and_colours_are_kept_and_other_sequences_are_not() {
        assert_eq!(printable("a\n\tb \u{1b}[1;31m-\u{1b}[0m"), "a\n\tb \u{1b}[1;31m-\u{1b}[0m");
        assert_eq!(printable("\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[1A"), " ]0;title  [2J [1A");
        assert_eq!(printable("a\u{202e}b\u{85}c"), "a�b c");
    }
}
