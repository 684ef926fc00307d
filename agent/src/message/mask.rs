//! What of a number may be shown in a log, a span or an error of ours.
//!
//! In flows a number of ours, or a sentence that somebody else wrote; out flows the same with dots for digits.

use std::fmt::{Result, Write};

/// Digits that stand together this often or oftener are taken for a phone number: the shortest ones have seven.
const SHORTEST_RUN: usize = 7;

/// Digits at the end of a number that are shown.
const SHOWN: usize = 2;

/// Replaces every run of seven and more digits by as many dots, but for its last two.
///
/// For text that somebody else wrote (AWS quotes the number in its messages): there is no knowing where a calling
/// code ends, so none of it is kept. After a plus sign, spaces, hyphens, points, slashes and brackets do not end a run
/// (`+1 (206) 555-0100`); without one they do, since dates and request IDs are written like that.
pub fn mask_digits(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut run = String::new();
    let mut after_plus = false;
    for character in text.chars() {
        let goes_on = !run.is_empty() && after_plus && matches!(character, ' ' | '-' | '.' | '/' | '(' | ')');
        if character.is_ascii_digit() || goes_on {
            run.push(character);
        } else {
            flush(&mut masked, &mut run);
            after_plus = character == '+';
            masked.push(character);
        }
    }
    flush(&mut masked, &mut run);
    masked
}

fn flush(masked: &mut String, run: &mut String) {
    if run.chars().filter(char::is_ascii_digit).count() >= SHORTEST_RUN {
        // Writing into a string cannot fail.
        write_hidden(masked, run).unwrap_or_default();
    } else {
        masked.push_str(run);
    }
    run.clear();
}

/// Writes a number as calling code, dots, last two digits: `+1••••••••00`.
pub(super) fn write_masked(out: &mut impl Write, calling_code: &str, digits: &str) -> Result {
    write!(out, "+{calling_code}")?;
    write_hidden(out, digits.strip_prefix(calling_code).unwrap_or(digits))
}

/// Writes dots for all digits but the last two, and the rest as it is.
pub(super) fn write_hidden(out: &mut impl Write, number: &str) -> Result {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let mut hidden = digits.saturating_sub(SHOWN);
    for character in number.chars() {
        let hide = character.is_ascii_digit() && hidden > 0;
        hidden -= usize::from(hide);
        out.write_char(if hide { '•' } else { character })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_seven_digits_and_more_are_masked_and_shorter_ones_kept() {
        assert_eq!(
            mask_digits("Invalid parameter: PhoneNumber Reason: +12065550100 is not valid, code 123456"),
            "Invalid parameter: PhoneNumber Reason: +•••••••••00 is not valid, code 123456"
        );
        assert_eq!(mask_digits("1234567"), "•••••67");
        assert_eq!(mask_digits("1234567 and 12345678"), "•••••67 and ••••••78");
    }

    #[test]
    fn an_international_number_is_masked_however_it_is_grouped() {
        assert_eq!(mask_digits("to +1 206-555-0100."), "to +• •••-•••-••00.");
        assert_eq!(mask_digits("to +1 (206) 555.0100, +44 20/7946 0018"), "to +• (•••) •••.••00, +•• ••/•••• ••18");
    }

    #[test]
    fn dates_and_short_sums_are_kept() {
        for text in ["2026-11-23 20:00:00", "id 1234-5678", "1 + 2 = 3", "+5 - 6", "+"] {
            assert_eq!(mask_digits(text), text);
        }
    }

    #[test]
    fn a_number_shows_its_calling_code_and_its_last_two_digits() {
        let mut shown = String::new();
        write_masked(&mut shown, "1", "12065550100").unwrap();
        assert_eq!(shown, "+1••••••••00");
    }
}
