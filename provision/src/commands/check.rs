//! `check`: would an SMS to a number arrive? Everything that could stop it is asked, and all of it is told.

use serde_json::{Value, json};
use sms_config::sends_sms;

use super::change::heading;
use super::target::Aim;
use super::{CommandError, Console, Said, Target, Verdict};
use crate::aws::{CallError, Fault, Session};
use crate::inquiry;
use crate::number::{Country, Number};

/// What one question came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Answer {
    Good,
    Against,
    /// It has to be known.
    Unknown,
    /// AWS does not answer, which speaks neither for nor against.
    Unanswered,
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Against => "against",
            Self::Unknown | Self::Unanswered => "unknown",
        }
    }
}

/// One question, its answer, and the words for it.
type Finding = (&'static str, Answer, String);

/// Good is a number that nothing speaks against. That AWS does not answer one of the questions is told, and is no more than
/// that; but whether the number has opted out has to be known, and no question may be refused.
pub(super) async fn check(target: &Target, number: &Number, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let session = &opened.ground.session;
    let (sandbox, opted_out, spend, sender) = futures_util::join!(
        sandbox(session, number),
        inquiry::is_opted_out(session, number),
        inquiry::spend(session),
        sender(session, number),
    );
    let findings = [
        region(&session.place.region),
        finding("sandbox", sandbox),
        finding("opt_out", opted_out.map(opt_out)),
        finding("spend", spend.map(|spend| of_spend(&spend))),
        finding("sender", sender),
    ];
    let any = |answer| findings.iter().any(|(_, own, _)| *own == answer);
    let (verdict, word, summary) = if any(Answer::Against) {
        (Verdict::Bad, "against", "an SMS would not arrive")
    } else if any(Answer::Unknown) {
        (Verdict::Bad, "unknown", "it is not known whether an SMS would arrive")
    } else if any(Answer::Unanswered) {
        (Verdict::Good, "unknown", "nothing is known that speaks against it, but not everything is known")
    } else {
        (Verdict::Good, "good", "nothing speaks against it")
    };
    let mut text = format!("{}\nNumber    {number}\n", heading(&opened));
    for (about, _, words) in &findings {
        text.push_str(&format!("{:9} {words}\n", title(about)));
    }
    text.push_str(&format!("{number}: {summary}.\n"));
    let told = |(about, answer, words): &Finding| json!({ "about": about, "answer": answer.word(), "detail": words });
    let json = json!({
        "account": session.place.account,
        "region": session.place.region,
        "number": number.to_string(),
        "answer": word,
        "findings": findings.iter().map(told).collect::<Vec<Value>>(),
    });
    Ok(Said { verdict, summary: format!("{summary}."), text, json })
}

fn title(about: &str) -> &'static str {
    match about {
        "region" => "Region",
        "sandbox" => "Sandbox",
        "opt_out" => "Opt-out",
        "spend" => "Spend",
        _ => "Sender",
    }
}

fn finding(about: &'static str, asked: Result<(Answer, String), CallError>) -> Finding {
    let (answer, words) = asked.unwrap_or_else(|error| {
        let must = error.fault == Fault::Refused || about == "opt_out";
        (if must { Answer::Unknown } else { Answer::Unanswered }, format!("not known: {error}"))
    });
    (about, answer, words)
}

/// The list of regions ages: one that is not on it may send.
fn region(region: &str) -> Finding {
    match sends_sms(region) {
        true => ("region", Answer::Good, format!("{region} sends SMS")),
        false => ("region", Answer::Unknown, format!("not known: {region} is no region that is known to send SMS")),
    }
}

async fn sandbox(session: &Session, number: &Number) -> Result<(Answer, String), CallError> {
    if !inquiry::is_in_sandbox(session).await? {
        return Ok((Answer::Good, "the account is not in it".to_owned()));
    }
    let numbers = inquiry::numbers(session).await?;
    let own = numbers.iter().find(|one| one.number == number.as_str());
    let words = match own {
        Some(own) if own.verified => return Ok((Answer::Good, "the account is in it, the number is verified".into())),
        Some(_) => "the account is in it, and the number waits for its code: sms-provision sandbox verify NUMBER CODE",
        None => "the account is in it, and the number is not verified: sms-provision sandbox add NUMBER",
    };
    Ok((Answer::Against, words.to_owned()))
}

fn opt_out(opted_out: bool) -> (Answer, String) {
    match opted_out {
        true => (Answer::Against, "the number has opted out: SNS takes SMS to it and drops them".to_owned()),
        false => (Answer::Good, "the number has not opted out".to_owned()),
    }
}

fn of_spend(spend: &inquiry::Spend) -> (Answer, String) {
    let words = format!("{:.2} of {} USD this month", spend.spent, spend.limit);
    match spend.leaves_room() {
        true => (Answer::Good, words),
        false => (Answer::Against, format!("{words}: SNS takes SMS and drops them")),
    }
}

/// Whom the phone shows. Carriers of the United States take SMS from registered numbers only.
async fn sender(session: &Session, number: &Number) -> Result<(Answer, String), CallError> {
    let attributes = inquiry::sms_attributes(session).await?;
    let named = attributes.get("DefaultSenderID").is_some_and(|sender| !sender.is_empty());
    let not_shown = if named { "; DefaultSenderID is not shown there" } else { "" };
    let shown = match (number.country(), named) {
        (None, true) => "DefaultSenderID, where the country allows it",
        (None, false) => "a number that SNS chooses",
        (Some(Country::Canada), _) => return Ok((Answer::Good, format!("a number that SNS chooses{not_shown}"))),
        (Some(Country::UnitedStates), _) if inquiry::has_origination_number(session).await? => {
            return Ok((Answer::Good, format!("an origination number of the account{not_shown}")));
        }
        (Some(Country::UnitedStates), _) => {
            let words = "the United States take SMS from registered origination numbers only, and the account has none \
                         in this region: request one in AWS End User Messaging";
            return Ok((Answer::Against, format!("{words}{not_shown}")));
        }
    };
    Ok((Answer::Good, shown.to_owned()))
}
