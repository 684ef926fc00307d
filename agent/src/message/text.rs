//! The words of a message, the alphabet that they need and the number of parts that they go in.
//!
//! In flows what a caller wrote; out flows the same, never changed, with its encoding and segments counted once. The
//! words are shown by [`Text::as_str`] alone: no log and no error ever has them.

use std::fmt;

use super::gsm7;

/// SNS takes no more than this in one publish, in Unicode code points.
const MOST_CHARACTERS: usize = 1600;

/// The alphabet that a text needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    /// Seven bits a character, or twice that for the characters of its extension table.
    Gsm7,
    /// Sixteen bits a character, or twice that beyond the Basic Multilingual Plane.
    Ucs2,
}

impl Encoding {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }

    /// The encoding of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Gsm7, Self::Ucs2].into_iter().find(|encoding| encoding.as_str() == word)
    }

    /// How many units one segment holds where it is the only one, and where it is one of several and carries the
    /// header that joins them (3GPP TS 23.040, section 9.2.3.24.1).
    fn capacity(self) -> (u32, u32) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }
}

/// Why something is no text of a message. Never says what it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextError {
    /// There are no words.
    #[error("the text is empty: between 1 and {MOST_CHARACTERS} characters are allowed")]
    Empty,
    /// There are too many.
    #[error("the text is too long: between 1 and {MOST_CHARACTERS} characters are allowed")]
    TooLong,
}

/// The words of a message, 1 to 1600 Unicode code points.
#[derive(Clone, Eq, PartialEq)]
pub struct Text {
    words: String,
    encoding: Encoding,
    segments: u32,
}

impl Text {
    /// Takes the words as they are.
    ///
    /// # Errors
    /// There are none, or more than one publish takes.
    pub fn parse(words: String) -> Result<Self, TextError> {
        match words.chars().take(MOST_CHARACTERS + 1).count() {
            0 => Err(TextError::Empty),
            count if count > MOST_CHARACTERS => Err(TextError::TooLong),
            _ => Ok(Self::from_stored(words)),
        }
    }

    /// The words again that were parsed before they were stored: what was accepted stays accepted.
    pub fn from_stored(words: String) -> Self {
        let (encoding, segments) = measure(&words);
        Self { words, encoding, segments }
    }

    /// The words: for the carrier and the store, not for a log.
    pub fn as_str(&self) -> &str {
        &self.words
    }

    /// The alphabet that they need: GSM-7 if it has all of them.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How many parts they go in by the alphabet's arithmetic. SNS bills each, and splits between words where it can,
    /// so that it may come to one more.
    pub fn segments(&self) -> u32 {
        self.segments
    }
}

/// Shows what may be known of the words, and none of them.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("encoding", &self.encoding)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

fn measure(words: &str) -> (Encoding, u32) {
    let in_gsm7 = words.chars().map(gsm7::septets);
    match count_segments(in_gsm7, Encoding::Gsm7) {
        Some(segments) => (Encoding::Gsm7, segments),
        None => {
            let in_ucs2 = words.chars().map(|character| u32::try_from(character.len_utf16()).ok());
            (Encoding::Ucs2, count_segments(in_ucs2, Encoding::Ucs2).unwrap_or(1))
        }
    }
}

/// Fills one segment after the other with characters of so many units each; `None` where a character has no size. A
/// character goes whole into the next segment where the room left is too small for it: half of a surrogate pair, or
/// an escape without what it escapes, would be shown as two wrong characters.
fn count_segments(sizes: impl Iterator<Item = Option<u32>>, encoding: Encoding) -> Option<u32> {
    let (alone, joined) = encoding.capacity();
    let (mut total, mut segments, mut filled) = (0, 1, 0);
    for size in sizes {
        let size = size?;
        total += size;
        if filled + size > joined {
            segments += 1;
            filled = 0;
        }
        filled += size;
    }
    Some(if total <= alone { 1 } else { segments })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(words: &str) -> (Encoding, u32) {
        let text = Text::parse(words.to_owned()).unwrap();
        (text.encoding(), text.segments())
    }

    #[test]
    fn a_text_has_between_1_and_1600_code_points() {
        assert_eq!(Text::parse(String::new()), Err(TextError::Empty));
        assert_eq!(Text::parse("x".repeat(1601)), Err(TextError::TooLong));
        assert_eq!(Text::parse("😀".repeat(1601)), Err(TextError::TooLong));
        assert_eq!(measured(&"x".repeat(1600)), (Encoding::Gsm7, 11));
        assert_eq!(measured(&"😀".repeat(1600)), (Encoding::Ucs2, 49));
    }

    #[test]
    fn one_character_outside_the_alphabet_turns_the_whole_text() {
        assert_eq!(measured(&"e".repeat(160)), (Encoding::Gsm7, 1));
        assert_eq!(measured(&format!("{}ê", "e".repeat(159))), (Encoding::Ucs2, 3));
    }

    #[test]
    fn an_extension_character_goes_whole_into_the_next_segment() {
        // 306 septets would fill two segments to the last; split at 152 and 154 they need a third.
        assert_eq!(measured(&format!("{}€{}", "x".repeat(151), "x".repeat(153))), (Encoding::Gsm7, 2));
        assert_eq!(measured(&format!("{}€{}", "x".repeat(152), "x".repeat(152))), (Encoding::Gsm7, 3));
    }

    #[test]
    fn a_surrogate_pair_goes_whole_into_the_next_segment() {
        assert_eq!(measured(&format!("{}😀{}", "ж".repeat(65), "ж".repeat(67))), (Encoding::Ucs2, 2));
        assert_eq!(measured(&format!("{}😀{}", "ж".repeat(66), "ж".repeat(66))), (Encoding::Ucs2, 3));
    }

    #[test]
    fn in_ucs2_an_extension_character_is_one_unit() {
        assert_eq!(measured(&format!("ж{}", "€".repeat(69))), (Encoding::Ucs2, 1));
    }

    #[test]
    fn the_words_are_never_shown() {
        let shown = format!("{:?}", Text::parse("Your code is 123456".to_owned()).unwrap());
        assert_eq!(shown, "Text { encoding: Gsm7, segments: 1, .. }");
    }
}
