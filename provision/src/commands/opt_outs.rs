//! `opt-outs`: who has opted out, and how somebody opts in again.

use serde_json::json;

use super::target::{Aim, each};
use super::{CommandError, Console, Said, Target, Verdict, finish, number};
use crate::aws::CallError;
use crate::cli::AboutOptOuts;
use crate::inquiry;
use crate::number::Number;

pub(super) async fn opt_outs(
    targets: &[Target],
    at_once: usize,
    several: bool,
    asked: &AboutOptOuts,
    console: &Console,
) -> Result<Verdict, CommandError> {
    match asked {
        AboutOptOuts::List(asked) => {
            let results = each(targets, at_once, |target| list(target, console)).await;
            finish(results, several, asked.json, console)
        }
        AboutOptOuts::Check(asked) => {
            let number = &number(&asked.number)?;
            let results = each(targets, at_once, |target| check(target, number, console)).await;
            finish(results, several, asked.json, console)
        }
        AboutOptOuts::OptIn(asked) => {
            let number = &number(&asked.number)?;
            if !asked.yes {
                agree(number, console)?;
            }
            let results = each(targets, at_once, |target| opt_in(target, number, console)).await;
            finish(results, several, asked.json, console)
        }
    }
}

fn agree(number: &Number, console: &Console) -> Result<(), CommandError> {
    let question = format!("Has the owner of {number} asked to get SMS again? SNS takes it once in 30 days.");
    let unchanged = |why: &str| Err(CommandError::Usage(format!("nothing was changed: {why}")));
    match console.ask(&question) {
        Some(true) => Ok(()),
        Some(false) => unchanged("the answer was not yes"),
        None => unchanged("there is no terminal to ask on; run opt-in with --yes once the owner has asked for it"),
    }
}

async fn list(target: &Target, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let numbers = inquiry::all_opt_outs(&opened.ground.session).await?;
    let text = numbers.iter().map(|number| format!("{number}\n")).collect();
    let summary = format!("{} opted out.", numbers.len());
    Ok(Said { verdict: Verdict::Good, summary, text, json: json!({ "numbers": numbers }) })
}

async fn check(target: &Target, number: &Number, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let opted_out = inquiry::is_opted_out(&opened.ground.session, number).await?;
    let (verdict, words) = match opted_out {
        true => (Verdict::Bad, "has opted out"),
        false => (Verdict::Good, "has not opted out"),
    };
    let summary = format!("{number} {words}.");
    let json = json!({ "number": number.to_string(), "opted_out": opted_out });
    Ok(Said { verdict, text: format!("{summary}\n"), summary, json })
}

async fn opt_in(target: &Target, number: &Number, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    inquiry::opt_in(&opened.ground.session, number).await.map_err(refused)?;
    let summary = format!("{number} is opted in.");
    let json = json!({ "number": number.to_string(), "opted_in": true });
    Ok(Said { verdict: Verdict::Good, text: format!("{summary}\n"), summary, json })
}

fn refused(error: CallError) -> CommandError {
    match error.is(&["InvalidParameter"]) {
        true => error.advised("a number can be opted in once in 30 days; until then it stays out").into(),
        false => error.into(),
    }
}
