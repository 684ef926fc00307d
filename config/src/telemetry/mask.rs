//! What of a line of text may be shown: digits that stand together seven times or oftener are taken for a phone number.
//!
//! In flows what somebody is about to write to the log or into a span; out flows the same with such runs dotted, but
//! for their last two digits. Nothing is copied when there is nothing to hide.

use std::borrow::Cow;

/// The shortest phone numbers have seven digits.
const SHORTEST_RUN: usize = 7;
const DOT: &[u8] = "•".as_bytes();

/// Which runs of digits are hidden.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rigour {
    /// All of them: for words that somebody else wrote.
    Foreign,
    /// Those that stand alone: a run that touches a letter, a hyphen or an underscore belongs to a name (a ULID, a
    /// trace id, a UUID), and our own words hold no phone number to begin with.
    Own,
}

/// Hides the runs of digits in `text`.
pub(super) fn mask(text: &[u8], rigour: Rigour) -> Cow<'_, [u8]> {
    let mut masked = Vec::new();
    let mut kept = 0;
    let mut at = 0;
    for run in text.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        let start = at;
        at += run.len();
        let hides = run.len() >= SHORTEST_RUN
            && run.first().is_some_and(u8::is_ascii_digit)
            && (rigour == Rigour::Foreign || stands_alone(text.split_at(start).0, text.split_at(at).1));
        if hides {
            let hidden = run.len() - 2;
            masked.extend_from_slice(&text[kept..start]);
            masked.extend(DOT.iter().cycle().take(hidden * DOT.len()));
            kept = start + hidden;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    masked.extend_from_slice(&text[kept..]);
    Cow::Owned(masked)
}

/// The same for text; what is text stays text.
pub(super) fn mask_text(text: &str, rigour: Rigour) -> Option<String> {
    match mask(text.as_bytes(), rigour) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(String::from_utf8_lossy(&masked).into_owned()),
    }
}

/// The same for an answer of AWS that is shown to the person who asked: resource names, which hold account numbers, stay.
pub fn mask_numbers(text: &str) -> String {
    let shown = |word| match word {
        arn if str::contains(arn, "arn:") => arn.to_owned(),
        word => mask_text(word, Rigour::Foreign).unwrap_or_else(|| word.to_owned()),
    };
    text.split_inclusive(' ').map(shown).collect()
}

fn stands_alone(before: &[u8], after: &[u8]) -> bool {
    let names = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-' || *byte == b'_';
    let plus = before.ends_with(b"%2B") || before.ends_with(b"%2b");
    let named_before = before.last().is_some_and(names) && !plus && !ends_in_colour(before);
    !named_before && !after.first().is_some_and(names)
}

/// Whether the last letter is the end of a terminal's colour sequence (`ESC [ 0 m`), so none of the text.
fn ends_in_colour(before: &[u8]) -> bool {
    let Some(sequence) = before.strip_suffix(b"m") else { return false };
    let parameters = sequence.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    sequence.split_at(sequence.len() - parameters).0.ends_with(b"\x1b[")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str, rigour: Rigour) -> String {
        String::from_utf8(mask(text.as_bytes(), rigour).into_owned()).unwrap()
    }

    #[test]
    fn a_number_in_foreign_words_is_hidden_but_for_two_digits_and_a_code_is_kept() {
        let text = "Invalid parameter: PhoneNumber Reason: +12065550100 is not valid, code 123456";
        let hidden = "Invalid parameter: PhoneNumber Reason: +•••••••••00 is not valid, code 123456";
        assert_eq!(masked(text, Rigour::Foreign), hidden);
        assert_eq!(masked(text, Rigour::Own), hidden);
    }

    #[test]
    fn a_number_glued_to_letters_is_hidden_in_foreign_words() {
        assert_eq!(masked("PhoneNumber=%2B12065550100&x", Rigour::Foreign), "PhoneNumber=%2B•••••••••00&x");
        assert_eq!(masked("\\n2065550100", Rigour::Foreign), "\\n••••••••00");
    }

    #[test]
    fn a_plus_as_addresses_have_it_does_not_make_a_number_a_name() {
        assert_eq!(masked("/v1/opt-outs/%2B12065550100", Rigour::Own), "/v1/opt-outs/%2B•••••••••00");
    }

    #[test]
    fn several_numbers_and_one_at_either_end_are_hidden() {
        assert_eq!(masked("1234567 and 12345678", Rigour::Own), "•••••67 and ••••••78");
    }

    #[test]
    fn names_and_times_in_our_own_words_stay_whole() {
        for name in [
            "01JDC8Z1234567ABCDEF012345",
            "0af7651916cd43dd8448eb211c80319c",
            "94f20ce6-1234-5678-9abc-123456789012",
            "2026-11-24T21:39:27.123456Z",
            "sms_1234567",
        ] {
            assert_eq!(masked(name, Rigour::Own), name);
            assert!(matches!(mask(name.as_bytes(), Rigour::Own), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn a_colour_before_a_number_does_not_make_it_a_name() {
        assert_eq!(masked("to\x1b[2m=\x1b[0m12065550100", Rigour::Own), "to\x1b[2m=\x1b[0m•••••••••00");
        assert_eq!(masked("to\x1b[1;31m12065550100", Rigour::Own), "to\x1b[1;31m•••••••••00");
        assert_eq!(masked("[0m1234567", Rigour::Own), "[0m1234567");
    }

    #[test]
    fn bytes_that_are_no_text_are_left_as_they_are() {
        assert_eq!(
            &*mask(b"\xff12345678\xfe", Rigour::Foreign),
            b"\xff\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa278\xfe"
        );
    }
}
