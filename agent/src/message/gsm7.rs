//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1).
//!
//! In flows a character; out flows how many septets it takes, or that the alphabet does not have it. Shift tables of
//! single languages are left out: no carrier is known to use them unasked.

/// What follows the letters, digits and signs that the alphabet shares with ASCII.
const BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// Characters that are sent as two septets, the first of them an escape. The form feed is one of them.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How many septets a character takes, or `None` where the alphabet does not have it.
pub(super) fn septets(character: char) -> Option<u32> {
    match character {
        '\n' | '\r' | ' '..='?' | '@'..='Z' | '_' | 'a'..='z' => Some(1),
        _ if EXTENSION.contains(character) => Some(2),
        _ if BEYOND_ASCII.contains(character) => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_127_characters_and_the_extension_ten() {
        // 128 places, one of which is the escape to the extension table.
        let of = |count| (0..=0xffff).filter_map(char::from_u32).filter(|&c| septets(c) == Some(count)).count();
        assert_eq!((of(1), of(2)), (127, 10));
    }

    #[test]
    fn what_looks_like_a_letter_of_the_alphabet_is_not_one() {
        for character in ['`', '\t', '\0', '\u{1b}', '’', 'ç', 'á', 'Α', '\u{2126}', '\u{a0}', '😀'] {
            assert_eq!(septets(character), None, "{character:?}");
        }
    }
}
