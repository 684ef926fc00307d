//! What holds for every number, every text and every foreign sentence, and not only for those that somebody thought of.

use proptest::prelude::*;
use sms_agent::message::{Encoding, PhoneNumber, Text, mask_digits};

fn longest_run(text: &str) -> usize {
    text.split(|character: char| !character.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}

/// Sentences that have numbers in them, written in all sorts of ways.
fn sentence() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof!["\\PC{0,6}", "\\+?[0-9]{1,16}", "[ .()/+-]{1,2}", "\\+[0-9]{1,3}"], 0..12)
        .prop_map(|pieces| pieces.concat())
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z€\\[~]{1,700}", "[жщ😀€]{1,400}", "\\PC{1,300}"]
}

proptest! {
    #[test]
    fn no_seven_digits_in_a_row_survive_masking(text in sentence()) {
        prop_assert!(longest_run(&mask_digits(&text)) < 7);
    }

    #[test]
    fn masking_changes_digits_only_and_does_it_once(text in sentence()) {
        let masked = mask_digits(&text);
        prop_assert_eq!(text.chars().count(), masked.chars().count());
        prop_assert!(text.chars().zip(masked.chars()).all(|(was, is)| was == is || (was.is_ascii_digit() && is == '•')));
        prop_assert_eq!(mask_digits(&masked), masked);
    }

    #[test]
    fn no_text_whatever_stops_the_parser(text in "\\PC*") {
        let e164 = text.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        prop_assert!(e164 || PhoneNumber::parse(&text).is_err());
    }

    #[test]
    fn a_number_is_kept_as_written_and_shown_masked(text in "\\+[1-9][0-9]{5,14}") {
        if let Ok(number) = PhoneNumber::parse(&text) {
            prop_assert_eq!(number.as_str(), &text);
            prop_assert!(number.country().is_none() || number.is_assigned());
            let shown = format!("{number:?}");
            let code = number.calling_code().unwrap_or_default().len();
            prop_assert_eq!(shown.chars().filter(char::is_ascii_digit).count(), code + 2);
            prop_assert_eq!(&PhoneNumber::from_stored(text), &number);
        }
    }

    /// At most one unit stays empty at the end of a segment: the room that a character of two was too large for.
    #[test]
    fn segments_are_filled_but_for_one_unit(words in words()) {
        let text = Text::parse(words.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let (units, alone, joined) = match text.encoding() {
            Encoding::Gsm7 => {
                let escaped = words.chars().filter(|character| "\u{c}^{}\\[~]|€".contains(*character)).count();
                (words.chars().count() + escaped, 160, 153)
            }
            Encoding::Ucs2 => (words.encode_utf16().count(), 70, 67),
        };
        let segments = usize::try_from(text.segments())?;
        if units <= alone {
            prop_assert_eq!(segments, 1);
        } else {
            prop_assert!(units.div_ceil(joined) <= segments && segments <= units.div_ceil(joined - 1));
        }
    }
}
