//! The values after the question mark, read once and used up by name.
//!
//! In flows the query as it was sent; out flow decoded values. The rule: what no handler took is refused, so that a
//! misspelt filter is not silently no filter.

use percent_encoding::percent_decode_str;

use super::problem::unknown_parameter;
use crate::message::{Code, PhoneNumber, Problem};

/// The most that a page holds.
pub(super) const LARGEST_PAGE: usize = 100;

/// How many a page holds if nobody says.
pub(super) const USUAL_PAGE: usize = 50;

/// Query values that nobody has asked for yet.
pub(super) struct Query(Vec<(String, Value)>);

/// A decoded value.
struct Value {
    /// With a replacement character for what is no UTF-8.
    text: String,
    is_utf8: bool,
}

impl Query {
    /// Decodes `name=value&…`, where `+` is a space as in a form.
    pub(super) fn parse(query: Option<&str>) -> Self {
        let parts = query.unwrap_or_default().split('&').filter(|part| !part.is_empty());
        let named = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        Self(named.map(|(name, value)| (decode(name).text, decode(value))).collect())
    }

    /// Takes the value of that name.
    ///
    /// # Errors
    /// `invalid_parameter`: there are several, or it is no UTF-8.
    pub(super) fn take(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take_any(name)? {
            Some(value) if !value.is_utf8 => {
                Err(Problem::new(Code::InvalidParameter, format!("`{name}` must be UTF-8.")).of(name))
            }
            value => Ok(value.map(|value| value.text)),
        }
    }

    fn take_any(&mut self, name: &'static str) -> Result<Option<Value>, Problem> {
        let Some(index) = self.0.iter().position(|(given, _)| given == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(index);
        if self.0.iter().any(|(given, _)| given == name) {
            return Err(Problem::new(Code::InvalidParameter, format!("`{name}` may come once.")).of(name));
        }
        Ok(Some(value))
    }

    /// Takes `to`. A leading space is what a form makes of a plus sign that nobody encoded, so it reads as one.
    ///
    /// # Errors
    /// `invalid_phone_number`, or there are several.
    pub(super) fn take_to(&mut self) -> Result<Option<PhoneNumber>, Problem> {
        let Some(Value { text, .. }) = self.take_any("to")? else { return Ok(None) };
        let text = text.strip_prefix(' ').map_or(text.clone(), |digits| format!("+{digits}"));
        let refuse = |error| Problem::new(Code::InvalidPhoneNumber, format!("`to` is refused: {error}.")).of("to");
        PhoneNumber::parse(&text).map(Some).map_err(refuse)
    }

    /// Takes `limit`.
    ///
    /// # Errors
    /// `invalid_parameter`: it is no whole number from 1 to [`LARGEST_PAGE`], or there are several.
    pub(super) fn take_limit(&mut self) -> Result<usize, Problem> {
        let Some(text) = self.take("limit")? else { return Ok(USUAL_PAGE) };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| digits && (1..=LARGEST_PAGE).contains(limit));
        let allowed = "`limit` must be a whole number from 1 to 100.";
        limit.ok_or_else(|| Problem::new(Code::InvalidParameter, allowed).of("limit"))
    }

    /// Whatever nobody took.
    pub(super) fn strangers(&self) -> impl Iterator<Item = Problem> {
        self.0.iter().map(|(name, _)| unknown_parameter("query value", name))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `invalid_parameter`: something was not taken.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        self.strangers().next().map_or(Ok(()), Err)
    }
}

fn decode(part: &str) -> Value {
    let part = part.replace('+', " ");
    let text = percent_decode_str(&part).decode_utf8_lossy().into_owned();
    Value { text, is_utf8: percent_decode_str(&part).decode_utf8().is_ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_a_leading_space_of_a_number_reads_as_plus() {
        for query in ["to=%2B12065550100", "to=+12065550100", "to=%2012065550100"] {
            let mut values = Query::parse(Some(query));
            assert_eq!(values.take_to().unwrap().unwrap().as_str(), "+12065550100", "{query}");
            assert!(values.finish().is_ok());
        }
    }

    #[test]
    fn what_nobody_took_is_named() {
        let mut values = Query::parse(Some("limit=3&Limit=4&&"));
        assert_eq!(values.take_limit(), Ok(3));
        assert_eq!(values.finish().unwrap_err().parameter.as_deref(), Some("Limit"));
        assert!(Query::parse(None).finish().is_ok());
        assert!(Query::parse(Some("")).finish().is_ok());
    }

    #[test]
    fn a_value_that_comes_twice_is_refused() {
        assert_eq!(Query::parse(Some("to=a&to=a")).take_to().unwrap_err().parameter.as_deref(), Some("to"));
    }

    #[test]
    fn what_is_no_utf_8_is_refused_and_named() {
        for (query, name) in [("reference=%ff", "reference"), ("status=sent%c3", "status"), ("cursor=%80", "cursor")] {
            let problem = Query::parse(Some(query)).take(name).unwrap_err();
            assert_eq!((problem.code, problem.parameter.as_deref()), (Code::InvalidParameter, Some(name)), "{query}");
        }
        assert_eq!(Query::parse(Some("to=%ff")).take_to().unwrap_err().code, Code::InvalidPhoneNumber);
        assert_eq!(Query::parse(Some("reference=%c3%a9")).take("reference"), Ok(Some("é".to_owned())));
        assert!(Query::parse(Some("%ff=1")).finish().is_err());
    }

    #[test]
    fn a_page_has_1_to_100_entries() {
        for (query, limit) in [
            ("limit=1", Some(1)),
            ("limit=100", Some(100)),
            ("", Some(USUAL_PAGE)),
            ("limit=0", None),
            ("limit=101", None),
            ("limit=", None),
            ("limit=-1", None),
            ("limit=%2B5", None),
            ("limit=5.0", None),
        ] {
            assert_eq!(Query::parse(Some(query)).take_limit().ok(), limit, "{query}");
        }
    }
}
