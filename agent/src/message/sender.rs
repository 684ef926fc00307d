//! Who an SMS says it is from, and the other values that SNS has rules for.
#![allow(missing_docs)]
#[derive(Clone, Debug, Eq, PartialEq, Default)]
pub enum Sender {
    #[default]
    Account,
    Id(SenderId),
    Number(OriginationNumber),
}
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{allowed}")]
pub struct ValueError {
    pub allowed: &'static str,
}
macro_rules! v {
    ($n:ident) => {
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $n(String);
        impl $n {
            pub fn parse(text: &str) -> Result<Self, ValueError> {
                Ok(Self(text.to_owned()))
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}
v!(SenderId);
v!(OriginationNumber);
v!(MaxPrice);
v!(DltId);
