//! The members of a send, checked.
//!
//! In flow parsed members; out flows a draft, or every reason why there is none: a preview lists them all, a send
//! answers the first, which is `to` before `body` before the others in the order of the contract.

use super::json::{Members, Value};
use super::problem::{shown_name, unknown_parameter};
use crate::message::{
    Code, DltId, Draft, MaxPrice, OriginationNumber, PhoneNumber, Problem, Sender, SenderId, Sms, SmsType, Text,
    ValueError,
};

/// All members, in the order in which their problems are told.
pub(super) const MEMBERS: [&str; 10] = [
    "to",
    "body",
    "type",
    "sender_id",
    "origination_number",
    "max_price_usd",
    "entity_id",
    "template_id",
    "expires_in",
    "reference",
];

/// The longest `expires_in`: a week, in seconds.
pub(super) const LONGEST_EXPIRY: i64 = 604_800;

/// The longest `reference` in characters.
pub(super) const LONGEST_REFERENCE: usize = 128;

/// What the members come to.
pub(super) struct Reading {
    /// `to`, if it can be a phone number.
    pub(super) to: Option<PhoneNumber>,
    /// `body`, if it can be sent.
    pub(super) text: Option<Text>,
    /// Everything that is wrong.
    pub(super) problems: Vec<Problem>,
    rest: Rest,
}

struct Rest {
    kind: SmsType,
    sender: Sender,
    max_price_usd: Option<MaxPrice>,
    entity_id: Option<DltId>,
    template_id: Option<DltId>,
    expires_in: Option<u32>,
    reference: Option<String>,
}

impl Reading {
    /// The draft.
    ///
    /// # Errors
    /// The first problem.
    pub(super) fn into_draft(self) -> Result<Draft, Problem> {
        match (self.problems.into_iter().next(), self.to, self.text) {
            (None, Some(to), Some(text)) => {
                let Rest { kind, sender, max_price_usd, entity_id, template_id, expires_in, reference } = self.rest;
                let sms = Sms { to, text, kind, sender, max_price_usd, entity_id, template_id };
                Ok(Draft { sms, expires_in, reference })
            }
            (Some(problem), ..) => Err(problem),
            (None, ..) => Err(Problem::new(Code::Internal, "A member is missing and nobody said so.")),
        }
    }
}

/// Checks the members of a send. A message that names no type is of `default_type`.
pub(super) fn read(members: &Members<'_>, default_type: SmsType) -> Reading {
    let mut reader = Reader { members, problems: Vec::new() };
    let to = reader.to();
    let text = reader.text();
    let rest = Rest {
        kind: reader.kind().unwrap_or(default_type),
        sender: reader.sender(),
        max_price_usd: reader.parsed("max_price_usd", MaxPrice::parse),
        entity_id: reader.parsed("entity_id", DltId::parse),
        template_id: reader.parsed("template_id", DltId::parse),
        expires_in: reader.expires_in(),
        reference: reader.reference(),
    };
    reader.unknown();
    Reading { to, text, problems: reader.problems, rest }
}

struct Reader<'m, 'b> {
    members: &'m Members<'b>,
    problems: Vec<Problem>,
}

impl<'m> Reader<'m, '_> {
    /// The member, unless it is absent; `null` is absent.
    fn value(&self, name: &str) -> Option<&'m Value<'m>> {
        self.members.get(name).filter(|value| !matches!(value, Value::Null))
    }

    /// Names a member that is not known, which may be the missing one under another name.
    fn stranger(&self) -> String {
        let stranger = self.members.keys().find(|name| !MEMBERS.contains(&name.as_ref()));
        stranger.map_or(String::new(), |name| format!(" The member `{}` is unknown.", shown_name(name)))
    }

    fn refuse(&mut self, code: Code, name: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) {
        self.problems.push(Problem::new(code, detail).of(name));
    }

    fn string(&mut self, code: Code, name: &'static str) -> Option<&'m str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => {
                self.refuse(code, name, format!("`{name}` must be a string."));
                None
            }
        }
    }

    /// A string that must be there.
    fn required(&mut self, code: Code, name: &'static str) -> Option<&'m str> {
        if self.value(name).is_none() {
            let stranger = self.stranger();
            self.refuse(code, name, format!("`{name}` is missing.{stranger}"));
        }
        self.string(code, name)
    }

    fn to(&mut self) -> Option<PhoneNumber> {
        let code = Code::InvalidPhoneNumber;
        let text = self.required(code, "to")?;
        PhoneNumber::parse(text).map_err(|error| self.refuse(code, "to", format!("`to` is refused: {error}."))).ok()
    }

    fn text(&mut self) -> Option<Text> {
        let code = Code::InvalidBody;
        let words = self.required(code, "body")?.to_owned();
        Text::parse(words).map_err(|error| self.refuse(code, "body", format!("`body` is refused: {error}."))).ok()
    }

    fn kind(&mut self) -> Option<SmsType> {
        let word = self.string(Code::InvalidParameter, "type")?;
        let kind = SmsType::parse(word);
        if kind.is_none() {
            self.refuse(Code::InvalidParameter, "type", "`type` must be \"transactional\" or \"promotional\".");
        }
        kind
    }

    fn sender(&mut self) -> Sender {
        let id = self.parsed("sender_id", SenderId::parse);
        let number = self.parsed("origination_number", OriginationNumber::parse);
        if self.value("sender_id").is_some() && self.value("origination_number").is_some() {
            let both = "`sender_id` and `origination_number` exclude each other: a message has one sender.";
            self.refuse(Code::InvalidParameter, "sender_id", both);
        }
        id.map(Sender::Id).or(number.map(Sender::Number)).unwrap_or_default()
    }

    fn parsed<T>(&mut self, name: &'static str, parse: fn(&str) -> Result<T, ValueError>) -> Option<T> {
        let text = self.string(Code::InvalidParameter, name)?;
        parse(text)
            .map_err(|error| self.refuse(Code::InvalidParameter, name, format!("`{name}` must be {error}.")))
            .ok()
    }

    fn expires_in(&mut self) -> Option<u32> {
        let seconds = match self.value("expires_in")? {
            Value::Integer(seconds @ 1..=LONGEST_EXPIRY) => u32::try_from(*seconds).ok(),
            _ => None,
        };
        if seconds.is_none() {
            let allowed = "`expires_in` must be a whole number of seconds, from 1 to 604800.";
            self.refuse(Code::InvalidParameter, "expires_in", allowed);
        }
        seconds
    }

    fn reference(&mut self) -> Option<String> {
        let text = self.string(Code::InvalidParameter, "reference")?;
        if text.chars().nth(LONGEST_REFERENCE).is_some() {
            self.refuse(Code::InvalidParameter, "reference", "`reference` must have at most 128 characters.");
            return None;
        }
        Some(text.to_owned())
    }

    fn unknown(&mut self) {
        let strangers = self.members.keys().filter(|name| !MEMBERS.contains(&name.as_ref()));
        self.problems.extend(strangers.map(|name| unknown_parameter("member", name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json;

    fn reading(body: &str) -> Reading {
        read(&json::object(body.as_bytes()).unwrap(), SmsType::Promotional)
    }

    fn problems(body: &str) -> Vec<(Code, String)> {
        let parameter = |problem: Problem| (problem.code, problem.parameter.unwrap().into_owned());
        reading(body).problems.into_iter().map(parameter).collect()
    }

    #[test]
    fn a_number_and_a_text_are_enough_and_null_is_absent() {
        let draft =
            reading(r#"{"to":"+12065550100","body":"hello","type":null,"reference":null}"#).into_draft().unwrap();
        assert_eq!(draft.sms.to.as_str(), "+12065550100");
        assert_eq!(draft.sms.text.as_str(), "hello");
        assert_eq!(draft.sms.kind, SmsType::Promotional);
        assert_eq!((draft.sms.sender, draft.expires_in, draft.reference), (Sender::Account, None, None));
    }

    #[test]
    fn every_member_arrives() {
        let draft = reading(
            r#"{"to":"+12065550100","body":"hello","type":"transactional","sender_id":"ACME","max_price_usd":"0.05",
                "entity_id":"1101","template_id":"1107","expires_in":60,"reference":"order 7"}"#,
        )
        .into_draft()
        .unwrap();
        assert_eq!(draft.sms.kind, SmsType::Transactional);
        assert!(matches!(draft.sms.sender, Sender::Id(id) if id.as_str() == "ACME"));
        assert_eq!(draft.sms.max_price_usd.unwrap().as_str(), "0.05");
        assert_eq!(draft.sms.entity_id.unwrap().as_str(), "1101");
        assert_eq!(draft.sms.template_id.unwrap().as_str(), "1107");
        assert_eq!((draft.expires_in, draft.reference.as_deref()), (Some(60), Some("order 7")));
    }

    #[test]
    fn all_that_is_wrong_is_told_the_number_first_then_the_text_then_the_others() {
        let all = problems(r#"{"zebra":1,"expires_in":0,"type":"urgent","body":7}"#);
        let expected = [
            (Code::InvalidPhoneNumber, "to"),
            (Code::InvalidBody, "body"),
            (Code::InvalidParameter, "type"),
            (Code::InvalidParameter, "expires_in"),
            (Code::InvalidParameter, "zebra"),
        ];
        assert_eq!(all, expected.map(|(code, name)| (code, name.to_owned())));
    }

    #[test]
    fn a_required_member_that_is_null_is_missing() {
        let reading = reading(r#"{"to":null,"body":null}"#);
        assert!(reading.problems.iter().all(|problem| problem.detail.contains("missing")), "{:?}", reading.problems);
        assert_eq!(reading.into_draft().unwrap_err().code, Code::InvalidPhoneNumber);
    }

    #[test]
    fn where_a_member_is_missing_an_unknown_one_is_named_masked_and_cut() {
        let detail = |body: &str| reading(body).problems.swap_remove(0).detail.into_owned();
        let told = detail(r#"{"to":"+12065550100","text":"x"}"#);
        assert_eq!(told, "`body` is missing. The member `text` is unknown.");
        let told = detail(r#"{"to":"+12065550100","+12065550100":"x"}"#);
        assert_eq!(told, "`body` is missing. The member `+•••••••••00` is unknown.");
        assert_eq!(detail(r#"{"to":"+12065550100"}"#), "`body` is missing.");
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_named() {
        for name in MEMBERS {
            let wrong = problems(&format!(r#"{{"{name}":[1]}}"#));
            assert!(wrong.iter().any(|(_, parameter)| parameter == name), "{name}: {wrong:?}");
        }
    }

    #[test]
    fn an_expiry_is_a_whole_number_of_seconds_up_to_a_week() {
        for (value, allowed) in [
            ("1", true),
            ("604800", true),
            ("60.0", true),
            ("604801", false),
            ("0", false),
            ("-1", false),
            ("1.5", false),
            ("\"60\"", false),
            ("true", false),
            ("1e30", false),
        ] {
            let body = format!(r#"{{"to":"+12065550100","body":"hello","expires_in":{value}}}"#);
            assert_eq!(problems(&body).is_empty(), allowed, "{value}");
        }
    }

    #[test]
    fn a_reference_is_counted_in_characters() {
        let body =
            |length: usize| format!(r#"{{"to":"+12065550100","body":"x","reference":"{}"}}"#, "é".repeat(length));
        assert!(problems(&body(128)).is_empty());
        assert_eq!(problems(&body(129)).len(), 1);
    }

    #[test]
    fn a_message_has_one_sender() {
        let both = r#"{"to":"+12065550100","body":"x","sender_id":"ACME","origination_number":"12345"}"#;
        assert_eq!(problems(both), [(Code::InvalidParameter, "sender_id".to_owned())]);
    }

    #[test]
    fn a_name_that_the_caller_made_up_is_told_back_masked_and_cut() {
        let body = format!(r#"{{"to":"+12065550100","body":"x","+12065550100":1,"{}":1}}"#, "z".repeat(500));
        let names: Vec<_> = problems(&body).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["+•••••••••00".to_owned(), "z".repeat(64)]);
    }
}
