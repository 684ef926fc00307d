//! Sentences of AWS that are shown, and words that are recognized in all others.
//!
//! Of a message only what is written down here comes out of this module: the fixed part of a known sentence, and what
//! stands in its places if it is one of a closed list or a small number. Everything else in the sentence becomes `…`.

/// What of a text may be shown in a place of a form; `None` for a text that may not stand there.
type Place = fn(&str) -> Option<String>;

/// The places of forms.
const PLACES: [(&str, Place); 5] = [
    ("{parameter}", |text| PARAMETERS.iter().find(|known| **known == text).map(|known| (*known).to_owned())),
    ("{quota}", |text| is_quota(text).then(|| text.to_owned())),
    ("{n}", |text| is_small_number(text).then(|| text.to_owned())),
    ("{name}", |text| super::label::is_plain_name(text).then(|| text.to_owned())),
    ("{any}", |_| Some("…".to_owned())),
];

/// Sentences of the services that say more than their code.
const FORMS: [&str; 15] = [
    "Invalid parameter: {parameter} Reason: {any} is not valid to publish to",
    "Invalid parameter: {parameter} Reason: input incorrectly formatted",
    "Invalid parameter: {parameter} Reason: {any}",
    "Invalid parameter: {parameter} exceeds {n}",
    "Invalid parameter: {parameter}",
    "Invalid parameter: Message too long",
    "Invalid parameter: Empty message",
    "Cannot exceed quota for {quota}: {n}",
    "Rate exceeded",
    "You are not authorized to perform actions for the provided bucket",
    "Policy {any} does not exist or is not attachable",
    "Dead letter target does not exist",
    "You must wait {n} seconds after deleting a queue before you can create another with the same name",
    "You must wait {n} seconds between GetQueueAttributes calls",
    "STS is not activated in this region for account:{any}. {any}",
];

/// Names of parameters and attributes that our calls have.
const PARAMETERS: [&str; 27] = [
    "AWS.MM.SMS.EntityId",
    "AWS.MM.SMS.OriginationNumber",
    "AWS.MM.SMS.TemplateId",
    "AWS.SNS.SMS.MaxPrice",
    "AWS.SNS.SMS.SMSType",
    "AWS.SNS.SMS.SenderID",
    "DefaultSMSType",
    "DefaultSenderID",
    "DeliveryStatusIAMRole",
    "DeliveryStatusSuccessSamplingRate",
    "Endpoint",
    "KmsMasterKeyId",
    "LanguageCode",
    "Message",
    "MessageAttributes",
    "MonthlySpendLimit",
    "NextToken",
    "OneTimePassword",
    "PhoneNumber",
    "Policy",
    "Protocol",
    "QueueUrl",
    "RedrivePolicy",
    "TargetArn",
    "TopicArn",
    "UsageReportS3Bucket",
    "phoneNumber",
];

/// Words that callers look for in a message. They are compared and never shown.
const PHRASES: [&str; 9] = [
    "bucket",
    "Dead letter target does not exist",
    "does not exist or is not attachable",
    "iam:PassRole",
    "is not activated in this region",
    "is not authorized to perform: ",
    "MultiFactorAuthentication",
    "Role ", // of emulators, where AWS says the next one
    "The role with name ",
];

/// The message as one of [`FORMS`].
pub(super) fn known_sentence(message: &str) -> Option<String> {
    FORMS.iter().find_map(|form| filled(form, message))
}

/// The parameter that a message names first, as a word of its own.
pub(super) fn named_parameter(message: &str) -> Option<&'static str> {
    let names = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'_';
    let stands_alone = |at: usize, known: &str| {
        let (before, after) = (message.as_bytes().split_at(at).0, message.as_bytes().split_at(at + known.len()).1);
        let ends = after.first().is_none_or(|byte| !names(byte) || *byte == b'.');
        ends && !before.last().is_some_and(names)
    };
    let found = PARAMETERS.iter().filter_map(|known| {
        let at = message.find(known).filter(|at| stands_alone(*at, known))?;
        Some((at, *known))
    });
    found.min_by_key(|(at, known)| (*at, usize::MAX - known.len())).map(|(_, known)| known)
}

/// Which of the words that callers look for stand in a message.
pub(super) fn mentioned(message: &str) -> Vec<&'static str> {
    PHRASES.iter().chain(&PARAMETERS).copied().filter(|phrase| message.contains(phrase)).collect()
}

/// `form` with its places filled from `text`, or with `…`; `None` if the text has another form.
pub(super) fn filled(form: &str, text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    let mut shown = String::new();
    fill(form.trim_end_matches('.'), text, &mut shown).then_some(shown)
}

fn fill(form: &str, text: &str, shown: &mut String) -> bool {
    let Some(open) = form.find('{') else {
        shown.push_str(form);
        return form == text;
    };
    let (literal, rest) = form.split_at(open);
    let Some(text) = text.strip_prefix(literal) else { return false };
    let Some((place, valid)) = PLACES.iter().find(|(place, _)| rest.starts_with(place)) else { return false };
    let rest = rest.strip_prefix(place).unwrap_or_default();
    let next = rest.find('{').map_or(rest, |open| rest.split_at(open).0);
    shown.push_str(literal);
    let (kept, candidates): (usize, Vec<usize>) = (
        shown.len(),
        if next.is_empty() { vec![text.len()] } else { text.match_indices(next).map(|(at, _)| at).collect() },
    );
    candidates.into_iter().take(8).any(|end| {
        let (value, text) = text.split_at(end);
        shown.truncate(kept);
        match valid(value) {
            Some(value) if !value.is_empty() => {
                shown.push_str(&value);
                fill(rest, text, shown)
            }
            _ => false,
        }
    })
}

fn is_small_number(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// IAM's quotas: `RolesPerAccount`, `PoliciesPerAccount`.
fn is_quota(text: &str) -> bool {
    let per = ["PerAccount", "PerGroup", "PerPolicy", "PerRole", "PerUser"];
    text.len() <= 48 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) && per.iter().any(|per| text.ends_with(per))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_sentence_is_shown_without_what_was_put_into_it() {
        for (message, shown) in [
            (
                "Invalid parameter: PhoneNumber Reason: +12065550100 is not valid to publish to",
                "Invalid parameter: PhoneNumber Reason: … is not valid to publish to",
            ),
            ("Invalid parameter: MonthlySpendLimit exceeds 1", "Invalid parameter: MonthlySpendLimit exceeds 1"),
            ("Invalid parameter: Message Reason: Your code is 424242", "Invalid parameter: Message Reason: …"),
            ("Cannot exceed quota for RolesPerAccount: 1000", "Cannot exceed quota for RolesPerAccount: 1000"),
            ("Rate exceeded.", "Rate exceeded"),
        ] {
            assert_eq!(known_sentence(message).as_deref(), Some(shown));
        }
        for unknown in [
            "Invalid parameter: Your code is 424242",
            "Cannot exceed quota for RolesPerAccount: 12065550100",
            "Cannot exceed quota for sesame: 1",
            "Rate exceeded for +12065550100",
            "Rate exceeded\nINFO forged",
            "",
        ] {
            assert_eq!(known_sentence(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_parameter_is_found_as_a_word_of_its_own() {
        assert_eq!(
            named_parameter("1 validation error: Value of MonthlySpendLimit is sesame"),
            Some("MonthlySpendLimit")
        );
        assert_eq!(named_parameter("AWS.SNS.SMS.SenderID: sesame"), Some("AWS.SNS.SMS.SenderID"));
        assert_eq!(named_parameter("the PhoneNumbers of sesame"), None);
        assert_eq!(named_parameter("TheMessage"), None);
    }
}
