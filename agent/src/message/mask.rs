//! What of a number may be shown in a log, a span or an error of ours.

/// Digits that stand together this often or oftener are taken for a phone number: the shortest ones have seven.
const SHORTEST_RUN: usize = 7;

/// Replaces every run of seven and more digits by as many dots, but for its last two.
///
/// For text that somebody else wrote (AWS quotes the number in its messages): there is no knowing where a calling
/// code ends, so none of it is kept.
pub fn mask_digits(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars() {
        if character.is_ascii_digit() {
            run.push(character);
        } else {
            flush(&mut masked, &mut run);
            masked.push(character);
        }
    }
    flush(&mut masked, &mut run);
    masked
}

fn flush(masked: &mut String, run: &mut String) {
    let hidden = if run.len() >= SHORTEST_RUN { run.len() - 2 } else { 0 };
    for (index, digit) in run.chars().enumerate() {
        masked.push(if index < hidden { '•' } else { digit });
    }
    run.clear();
}

/// Writes a number as calling code, dots, last two digits: `+1••••••••00`.
pub(super) fn write_masked(f: &mut impl std::fmt::Write, calling_code: &str, digits: &str) -> std::fmt::Result {
    let hidden = digits.len().saturating_sub(calling_code.len() + 2);
    f.write_char('+')?;
    f.write_str(calling_code)?;
    for _ in 0..hidden {
        f.write_char('•')?;
    }
    let tail: String = digits.chars().skip(calling_code.len() + hidden).collect();
    write!(f, "{tail}")
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
    fn a_number_shows_its_calling_code_and_its_last_two_digits() {
        let mut shown = String::new();
        write_masked(&mut shown, "1", "12065550100").unwrap();
        assert_eq!(shown, "+1••••••••00");
    }
}
