//! `sandbox`: the SMS sandbox and the numbers that SMS go to from inside it.

use serde_json::{Value, json};

use super::target::{Aim, each};
use super::{CommandError, Console, Said, Target, Verdict, finish, number};
use crate::aws::CallError;
use crate::cli::AboutSandbox;
use crate::inquiry::{self, VerifiedNumber};
use crate::number::Number;

/// What AWS's codes mean for a number that is added, verified, removed.
const OF_ADDING: &[(&str, &str)] = &[
    ("OptedOut", "the number has opted out: sms-provision opt-outs opt-in NUMBER first"),
    (
        "UserError",
        "SNS cannot send the code: the sandbox has ten numbers at most (sms-provision sandbox status), and to a number of \
         the United States a code goes from an origination number only",
    ),
];
const OF_VERIFYING: &[(&str, &str)] = &[
    (
        "VerificationException",
        "the code is not the one that was sent, or too old; sms-provision sandbox add NUMBER sends another, five in 24 hours",
    ),
    ("ResourceNotFound", "the number was never added: sms-provision sandbox add NUMBER first"),
];
const OF_REMOVING: &[(&str, &str)] = &[
    ("UserError", "a number can be removed 24 hours after it was verified at the earliest"),
    ("ResourceNotFound", "the number was never added: sms-provision sandbox status shows those that were"),
];

pub(super) async fn sandbox(
    targets: &[Target],
    at_once: usize,
    several: bool,
    asked: &AboutSandbox,
    console: &Console,
) -> Result<Verdict, CommandError> {
    let (results, as_json) = match asked {
        AboutSandbox::Status(asked) => (each(targets, at_once, |target| status(target, console)).await, asked.json),
        AboutSandbox::Add(asked) => {
            let (number, language) = (&number(&asked.number)?, asked.language.as_deref());
            (each(targets, at_once, |target| add(target, number, language, console)).await, asked.json)
        }
        AboutSandbox::Verify(asked) => {
            let (number, code) = (&number(&asked.number)?, code(&asked.code)?);
            (each(targets, at_once, |target| verify(target, number, code, console)).await, asked.json)
        }
        AboutSandbox::Remove(asked) => {
            let number = &number(&asked.number)?;
            (each(targets, at_once, |target| remove(target, number, console)).await, asked.json)
        }
    };
    finish(results, several, as_json, console)
}

/// A code is a secret for as long as it is good.
fn code(text: &str) -> Result<&str, CommandError> {
    let well = (5..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    well.then_some(text)
        .ok_or_else(|| CommandError::Usage("CODE: a code has 5 to 8 digits, and nothing else".to_owned()))
}

async fn status(target: &Target, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let session = &opened.ground.session;
    let (inside, numbers) = futures_util::try_join!(inquiry::is_in_sandbox(session), inquiry::numbers(session))?;
    let summary = match inside {
        true => "In the SMS sandbox: SMS go to verified numbers only. AWS Support takes the account out of it.",
        false => "Not in the SMS sandbox.",
    };
    let state = |one: &VerifiedNumber| if one.verified { "verified" } else { "waits for its code" };
    let lines = numbers.iter().map(|one| format!("{}  {}\n", one.number, state(one)));
    let json: Vec<Value> =
        numbers.iter().map(|one| json!({ "number": one.number, "verified": one.verified })).collect();
    Ok(Said {
        verdict: Verdict::Good,
        text: format!("{summary}\n{}", lines.collect::<String>()),
        summary: summary.to_owned(),
        json: json!({ "in_sandbox": inside, "numbers": json }),
    })
}

async fn add(
    target: &Target,
    number: &Number,
    language: Option<&str>,
    console: &Console,
) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    inquiry::add_number(&opened.ground.session, number, language).await.map_err(|error| advised(error, OF_ADDING))?;
    Ok(done(number, "gets a code: sms-provision sandbox verify NUMBER CODE", "added"))
}

async fn verify(target: &Target, number: &Number, code: &str, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let verified = inquiry::verify_number(&opened.ground.session, number, code).await;
    verified.map_err(|error| advised(error, OF_VERIFYING))?;
    Ok(done(number, "is verified: SMS go to it from inside the sandbox", "verified"))
}

async fn remove(target: &Target, number: &Number, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let removed = inquiry::remove_number(&opened.ground.session, number).await;
    removed.map_err(|error| advised(error, OF_REMOVING))?;
    Ok(done(number, "is removed", "removed"))
}

fn done(number: &Number, words: &str, key: &str) -> Said {
    let summary = format!("{number} {words}.");
    let json = json!({ "number": number.to_string(), "done": key });
    Said { verdict: Verdict::Good, text: format!("{summary}\n"), summary, json }
}

fn advised(error: CallError, known: &[(&str, &'static str)]) -> CommandError {
    match known.iter().find(|(code, _)| error.is(&[code])) {
        Some((_, advice)) => error.advised(*advice).into(),
        None => error.into(),
    }
}
