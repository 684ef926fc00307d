//! `verify`: what the sender may and may not do, and on request one real SMS.

use serde_json::json;

use super::change::heading;
use super::target::{Aim, Opened, each};
use super::{CommandError, Console, Said, Target, Verdict, finish};
use crate::cli::Verify;
use crate::keys::{KeysError, SenderKeys};
use crate::number::Number;
use crate::render::Paint;
use crate::verify::{Answered, Sent, send, verify};

pub(super) async fn run(
    targets: &[Target],
    at_once: usize,
    several: bool,
    asked: &Verify,
    console: &Console,
) -> Result<Verdict, CommandError> {
    let to =
        asked.to.as_deref().map(|to| Number::parse(to).map_err(|error| CommandError::Usage(format!("--to: {error}"))));
    let to = to.transpose()?;
    if to.is_some() && several {
        let what = "verify: --live sends one SMS from one target; name it with --target";
        return Err(CommandError::Usage(what.to_owned()));
    }
    let results = each(targets, at_once, |target| one(target, to.as_ref(), asked.yes, console)).await;
    finish(results, several, asked.json, console)
}

async fn one(target: &Target, to: Option<&Number>, yes: bool, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let (session, stack) = (&opened.ground.session, &opened.ground.stack);
    let answers = verify(session, stack).await?;
    let good = answers.iter().filter(|answer| answer.ok).count();
    let mut text = format!("{}\n", heading(&opened));
    for answer in &answers {
        text.push_str(&line(answer, console.paint()));
    }
    let mut summary = format!("{good} of {} as it should be.", answers.len());
    let mut json = json!({
        "account": session.place.account,
        "region": session.place.region,
        "name": stack.names.stack,
        "checks": answers,
        "ok": good == answers.len(),
    });
    if let Some(to) = to {
        if good == answers.len() {
            let sent = live(&opened, to, yes, console).await?;
            summary.push_str(&format!(" SNS took the SMS to {to} as {}; that is no delivery yet.", sent.message_id));
            json["live"] = json!({ "to": to.to_string(), "message_id": sent.message_id });
        } else {
            summary.push_str(" No SMS was sent.");
        }
    }
    text.push_str(&format!("{summary}\n"));
    let verdict = if good == answers.len() { Verdict::Good } else { Verdict::Bad };
    Ok(Said { verdict, summary, text, json })
}

async fn live(opened: &Opened, to: &Number, yes: bool, console: &Console) -> Result<Sent, CommandError> {
    let (session, stack) = (&opened.ground.session, &opened.ground.stack);
    let keys = SenderKeys::of(session, stack);
    let state = keys.ours().await?;
    keys.readable(&state)?;
    let Some(key) = &state.stored else {
        let (user, file) = (keys.user().to_owned(), keys.file()?.path().display().to_string());
        return Err(KeysError::NoKeyInFile { user, file, profile: stack.profile.clone() }.into());
    };
    if !yes {
        let place = &session.place;
        let from = format!("account {}, region {}", place.account, place.region);
        let question = format!("This sends one real SMS to {to}, from {from}. It costs money. Send it?");
        match console.ask(&question) {
            Some(true) => {}
            Some(false) => return Err(CommandError::Usage("no SMS was sent: the answer was not yes".to_owned())),
            None => {
                let how = "no SMS was sent: there is no terminal to ask on; run verify --live with --yes";
                return Err(CommandError::Usage(how.to_owned()));
            }
        }
    }
    Ok(send(session, key, to.as_str()).await?)
}

fn line(answer: &Answered, paint: Paint) -> String {
    let sign = if answer.ok { paint.green("ok ") } else { paint.red("BAD") };
    let may = if answer.expected == "allowed" { "may" } else { "may not" };
    let Answered { principal, what, action, decision, .. } = answer;
    format!("  {sign}  {principal} {may} {what} ({action}: {decision})\n")
}
