//! The words of a message.
#![allow(missing_docs)]
use std::fmt;
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encoding {
    Gsm7,
    Ucs2,
}
impl Encoding {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Gsm7, Self::Ucs2].into_iter().find(|e| e.as_str() == word)
    }
}
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TextError {
    #[error("empty")]
    Empty,
    #[error("too long")]
    TooLong,
}
#[derive(Clone, Eq, PartialEq)]
pub struct Text {
    words: String,
    encoding: Encoding,
    segments: u32,
}
impl Text {
    pub fn parse(words: String) -> Result<Self, TextError> {
        Ok(Self { words, encoding: Encoding::Gsm7, segments: 1 })
    }
    pub fn from_stored(words: String, encoding: Encoding, segments: u32) -> Self {
        Self { words, encoding, segments }
    }
    pub fn as_str(&self) -> &str {
        &self.words
    }
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
    pub fn segments(&self) -> u32 {
        self.segments
    }
}
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
}
