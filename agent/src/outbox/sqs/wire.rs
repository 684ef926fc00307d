//! A letter as the text of an SQS message, both ways.
//!
//! Its deadlines travel as they are on the timeline of the agent that sends it, with the time of sending among them: the
//! agent that takes it knows from SQS how long it lay there, and needs no clock that agrees with the sender's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::message::{
    DltId, MaxPrice, OriginationNumber, PhoneNumber, Sender, SenderId, Sms, SmsType, Text, Timestamp, WallTime,
};
use crate::outbox::letter::Letter;

/// The version of the form. Members may be added to it; what an older agent must not overlook needs the next number.
const VERSION: u32 = 1;

/// Characters that a caller may write as its own word.
const LONGEST_REFERENCE: usize = 128;

#[derive(Deserialize, Serialize)]
struct Form {
    v: u32,
    id: String,
    to: String,
    body: String,
    r#type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origination_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_price_usd: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entity_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Milliseconds since 1970 by the wall clock, to be shown.
    created_at: i64,
    /// Milliseconds on the sender's timeline, as are the deadlines: only their differences mean something elsewhere.
    sent_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    give_up_at: i64,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    unknowns: u32,
    #[serde(default)]
    again: bool,
}

/// The text of a letter that is sent at `now`.
pub(super) fn write(letter: &Letter, now: Timestamp) -> String {
    let sms = &letter.sms;
    let (sender_id, origination_number) = match &sms.sender {
        Sender::Account => (None, None),
        Sender::Id(id) => (Some(id.as_str().to_owned()), None),
        Sender::Number(number) => (None, Some(number.as_str().to_owned())),
    };
    let form = Form {
        v: VERSION,
        id: letter.id.to_string(),
        to: sms.to.as_str().to_owned(),
        body: sms.text.as_str().to_owned(),
        r#type: sms.kind.as_str().to_owned(),
        sender_id,
        origination_number,
        max_price_usd: sms.max_price_usd.as_ref().map(|price| price.as_str().to_owned()),
        entity_id: sms.entity_id.as_ref().map(|id| id.as_str().to_owned()),
        template_id: sms.template_id.as_ref().map(|id| id.as_str().to_owned()),
        reference: letter.reference.clone(),
        created_at: letter.created_at.as_millis(),
        sent_at: now.as_millis(),
        expires_at: letter.expires_at.map(Timestamp::as_millis),
        give_up_at: letter.give_up_at.as_millis(),
        attempts: letter.attempts,
        unknowns: letter.unknowns,
        again: letter.again,
    };
    // Strings, numbers and flags: it cannot fail. SQS takes any text but for these two characters.
    serde_json::to_string(&form).unwrap_or_default().replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// The longest `expires_in`.
const LONGEST_EXPIRY: Duration = Duration::from_secs(604_800);

/// More than any agent makes: `dispatch.max_attempts` allows no more, and at a minute each they are two years.
const MOST_ATTEMPTS: u32 = 1_000_000;

/// The letter of that text, which lay in the queue for `waited`, with its deadlines on the
/// timeline that says `now`; `None`: it is none, or none that this program understands.
pub(super) fn read(text: &str, trace: Option<&str>, waited: Duration, now: Timestamp) -> Option<Letter> {
    let form: Form = serde_json::from_str(text).ok()?;
    if form.attempts.max(form.unknowns) > MOST_ATTEMPTS {
        return None;
    }
    if form.v != VERSION || form.reference.as_ref().is_some_and(|word| word.chars().count() > LONGEST_REFERENCE) {
        return None;
    }
    let sender = match (form.sender_id, form.origination_number) {
        (None, None) => Sender::Account,
        (Some(id), None) => Sender::Id(SenderId::parse(&id).ok()?),
        (None, Some(number)) => Sender::Number(OriginationNumber::parse(&number).ok()?),
        (Some(_), Some(_)) => return None,
    };
    let waited = i64::try_from(waited.as_millis()).ok()?;
    // What was left of the time when it was sent, less what it lay there since.
    let here = |time: i64| {
        let left = time.saturating_sub(form.sent_at).saturating_sub(waited);
        Timestamp::from_millis(now.as_millis().saturating_add(left))
    };
    Some(Letter {
        id: form.id.parse().ok()?,
        sms: Sms {
            to: PhoneNumber::parse(&form.to).ok()?,
            text: Text::parse(form.body).ok()?,
            kind: SmsType::parse(&form.r#type)?,
            sender,
            max_price_usd: form.max_price_usd.map(|price| MaxPrice::parse(&price)).transpose().ok()?,
            entity_id: form.entity_id.map(|id| DltId::parse(&id)).transpose().ok()?,
            template_id: form.template_id.map(|id| DltId::parse(&id)).transpose().ok()?,
        },
        reference: form.reference,
        attempts: form.attempts,
        unknowns: form.unknowns,
        created_at: WallTime::from_millis(form.created_at),
        // A sender whose clock was wrong may have meant more than anybody can ask for.
        expires_at: form.expires_at.map(|time| here(time).min(now.plus(LONGEST_EXPIRY))),
        give_up_at: here(form.give_up_at),
        trace: trace.map(str::to_owned),
        again: form.again,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::IdSource;

    const SENT: Timestamp = Timestamp::from_millis(1_795_464_000_000);
    const WAITED: Duration = Duration::from_secs(40);

    fn letter(body: &str) -> Letter {
        Letter {
            id: IdSource::new().next(SENT),
            sms: Sms {
                to: PhoneNumber::parse("+12065550100").unwrap(),
                text: Text::parse(body.to_owned()).unwrap(),
                kind: SmsType::Promotional,
                sender: Sender::Id(SenderId::parse("ACME").unwrap()),
                max_price_usd: Some(MaxPrice::parse("0.50").unwrap()),
                entity_id: Some(DltId::parse("1101").unwrap()),
                template_id: None,
            },
            reference: Some("table 17".to_owned()),
            attempts: 3,
            unknowns: 1,
            created_at: WallTime::from_millis(1_795_463_990_000),
            expires_at: Some(SENT.plus(Duration::from_secs(60))),
            give_up_at: SENT.plus(Duration::from_secs(86_400)),
            trace: None,
            again: true,
        }
    }

    #[test]
    fn a_letter_comes_back_as_it_was_and_its_text_is_one_that_sqs_takes() {
        let written = letter("Grüße \u{fffe}\u{ffff}\u{1}\n👋");
        let text = write(&written, SENT);
        assert!(text.chars().all(|one| one >= ' ' && !matches!(one, '\u{fffe}' | '\u{ffff}')), "{text}");
        let read = read(&text, Some("00-a"), Duration::ZERO, SENT).unwrap();
        let expected = Letter { trace: Some("00-a".to_owned()), ..written };
        assert_eq!(format!("{read:?}"), format!("{expected:?}"));
        assert_eq!(read.sms.text.as_str(), expected.sms.text.as_str());
    }

    #[test]
    fn the_time_that_is_left_does_not_hang_on_clocks_that_agree() {
        let text = write(&letter("Hello"), SENT);
        for taker in [SENT, Timestamp::from_millis(0), SENT.plus(Duration::from_secs(7 * 86_400))] {
            let read = read(&text, None, WAITED, taker).unwrap();
            assert_eq!(read.expires_at, Some(taker.plus(Duration::from_secs(20))));
            assert_eq!(read.give_up_at, taker.plus(Duration::from_secs(86_360)));
        }
    }

    #[test]
    fn what_is_no_letter_is_none() {
        let good = write(&letter("Hello"), SENT);
        assert!(read(&good, None, WAITED, SENT).is_some());
        let bad = [
            ("\"v\":1", "\"v\":2"),
            ("+12065550100", "12065550100"),
            ("\"body\":\"Hello\"", "\"body\":\"\""),
            ("promotional", "spam"),
            ("\"ACME\"", "\"1\""),
            ("\"sender_id\"", "\"origination_number\":\"12345\",\"sender_id\""),
            ("\"0.50\"", "\"free\""),
            ("\"id\":\"0", "\"id\":\"!"),
            ("\"give_up_at\"", "\"give_up\""),
            ("table 17", &"x".repeat(129)),
            // One more would be more than the outbox counts: nobody could claim it, nor what comes with it.
            ("\"attempts\":3", "\"attempts\":4294967295"),
            ("\"unknowns\":1", "\"unknowns\":1000001"),
        ];
        for (from, to) in bad {
            assert!(good.contains(from), "{from}");
            assert!(read(&good.replace(from, to), None, WAITED, SENT).is_none(), "{to}");
        }
        for text in ["", "{}", "null", "[]", "\u{0}"] {
            assert!(read(text, None, WAITED, SENT).is_none(), "{text:?}");
        }
    }
}
