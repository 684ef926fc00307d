//! `keys list`, `keys rotate` and `keys revoke`.

use std::cell::Cell;
use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::change::heading;
use super::target::{Aim, each};
use super::{CommandError, Console, Said, Target, Verdict, finish};
use crate::cli::{KeysCommand, Revoke, Rotate};
use crate::keys::{Key, KeysError, LastUse, Progress, SenderKeys, State};

/// `is_unsaid`: there are targets, and the arguments choose none.
pub(super) async fn run(
    targets: &[Target],
    at_once: usize,
    several: bool,
    is_unsaid: bool,
    asked: &KeysCommand,
    console: &Console,
) -> Result<Verdict, CommandError> {
    match asked {
        KeysCommand::List(asked) => {
            let results = each(targets, at_once, |target| list(target, console)).await;
            finish(results, several, asked.json, console)
        }
        // The sender of [account] may be that of a target too, whose section would be left with a dead key.
        KeysCommand::Rotate(_) | KeysCommand::Revoke(_) if is_unsaid => {
            let what = "the settings have [[targets]]: say whose key is meant by --target NAME, or --all";
            Err(CommandError::Usage(format!("keys: nothing was changed: {what}")))
        }
        KeysCommand::Rotate(asked) => {
            // All begin, and so many work at a time: one that waits for the end of its grace keeps nobody waiting.
            let places = Semaphore::new(at_once);
            let results = each(targets, targets.len(), |target| rotate(target, asked, &places, console)).await;
            finish(results, several, false, console)
        }
        KeysCommand::Revoke(asked) => {
            let [target] = targets else {
                let what = "keys revoke: a key is that of one target; name it with --target";
                return Err(CommandError::Usage(what.to_owned()));
            };
            let said = revoke(target, asked, console).await;
            finish(vec![(target.name.clone(), said)], several, false, console)
        }
    }
}

async fn list(target: &Target, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let keys = SenderKeys::of(&opened.ground.session, &opened.ground.stack);
    let state = keys.state().await?;
    let uses = try_join_all(state.all.iter().map(|key| keys.last_use(&key.id))).await?;
    let profile = &opened.ground.stack.profile;
    let file = keys.file().ok().map(|file| file.path().display().to_string());
    let place = file.as_deref().map(|file| format!("  in {file} [{profile}]")).unwrap_or_default();
    let mut text = format!("{}\n", heading(&opened));
    let mut all = Vec::new();
    for (key, last) in state.all.iter().zip(&uses) {
        let place = if state.in_file(key) { place.as_str() } else { "" };
        let status = if key.active { "active  " } else { "inactive" };
        text.push_str(&format!(
            "{}  {status}  made {}  {}{place}\n",
            key.id,
            moment(&key.created),
            used(last.as_ref())
        ));
        all.push(shown(key, last.as_ref(), &state));
    }
    let summary = match all.len() {
        0 => format!("The IAM user {} has no access key.", keys.user()),
        1 => format!("The IAM user {} has 1 access key.", keys.user()),
        n => format!("The IAM user {} has {n} access keys.", keys.user()),
    };
    text.push_str(&format!("{summary}\n"));
    if let Some(why) = &state.unreadable {
        text.push_str(&format!("Note: whether one of them is in the credentials file is not known: {why}\n"));
    }
    let session_place = &opened.ground.session.place;
    let json = json!({
        "account": session_place.account,
        "region": session_place.region,
        "name": opened.ground.stack.names.stack,
        "user": keys.user(),
        "credentials_file": file,
        "profile": profile,
        "keys": all,
    });
    Ok(Said { verdict: Verdict::Good, summary, text, json })
}

fn shown(key: &Key, last: Option<&LastUse>, state: &State) -> Value {
    json!({
        "id": key.id,
        "status": if key.active { "active" } else { "inactive" },
        "created_at": moment(&key.created),
        "last_used_at": last.map(|last| moment(&last.at)),
        "last_used_service": last.map(|last| &last.service),
        "last_used_region": last.map(|last| &last.region),
        "in_credentials_file": state.is_in_file(key),
    })
}

fn used(last: Option<&LastUse>) -> String {
    match last {
        Some(last) => format!("last used {} ({} in {})", moment(&last.at), last.service, last.region),
        None => "never used".to_owned(),
    }
}

/// RFC 3339, in UTC, to the second.
fn moment(at: &DateTime) -> String {
    DateTime::from_secs(at.secs()).fmt(Format::DateTime).unwrap_or_default()
}

async fn rotate(target: &Target, asked: &Rotate, places: &Semaphore, console: &Console) -> Result<Said, CommandError> {
    let place = Cell::new(places.acquire().await.ok());
    let opened = target.open(Aim::Settings, console).await?;
    let keys = SenderKeys::of(&opened.ground.session, &opened.ground.stack);
    let tell = |progress| {
        let words = match progress {
            Progress::Warns(warning) => format!("warning: {warning}"),
            Progress::Waits(left) => format!(
                "the new key is in the credentials file; the old one goes in {}. Whoever uses it must have read the file by \
                 then. Stopped meanwhile, run it again: it goes on from here",
                humantime::format_duration(Duration::from_secs(left.as_secs()))
            ),
        };
        console.remark(&format!("sms-provision: {}: {words}", target.name));
    };
    let wait = async |left| {
        drop(place.take());
        sleep(left).await;
        place.set(places.acquire().await.ok());
    };
    let rotated = keys.rotate(asked.grace, tell, wait).await?;
    let file = keys.file()?.path().display();
    let made = if rotated.made { "made" } else { "made by an earlier run" };
    let summary = match &rotated.retired {
        Some(old) => format!("{} is {made}, accepted and in {file}; {old} is deleted.", rotated.key),
        None => format!("{} is {made}, accepted and in {file}; there was no other.", rotated.key),
    };
    let text = format!("{}\n{summary}\n", heading(&opened));
    Ok(Said { verdict: Verdict::Good, summary, text, json: Value::Null })
}

async fn revoke(target: &Target, asked: &Revoke, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let keys = SenderKeys::of(&opened.ground.session, &opened.ground.stack);
    let state = keys.ours().await?;
    let Some(key) = state.all.iter().find(|key| key.id == asked.key) else {
        return Err(KeysError::NoSuchKey(keys.user().to_owned()).into());
    };
    // Else what is left of it in the file would be found out too late.
    keys.readable(&state)?;
    if !asked.yes {
        let last = keys.last_use(&key.id).await?;
        let place = match state.in_file(key) {
            true => format!("It is the one in {}: whatever sends with it stops.", keys.file()?.path().display()),
            false => "It is not in the credentials file.".to_owned(),
        };
        console.remark(&format!(
            "{}\n{} of the IAM user {}: {}. {place}",
            heading(&opened),
            key.id,
            keys.user(),
            used(last.as_ref())
        ));
        match console.ask("Do you want to delete this key?") {
            Some(true) => {}
            Some(false) => return Err(CommandError::Usage("nothing was changed: the answer was not yes".to_owned())),
            None => {
                let how = "nothing was changed: there is no terminal to ask on; run keys revoke with --yes";
                return Err(CommandError::Usage(how.to_owned()));
            }
        }
    }
    // First where it counts: what is left in the file is worth nothing then.
    keys.delete(&key.id).await?;
    keys.forget(std::slice::from_ref(&key.id))?;
    let summary = match state.in_file(key) {
        true => format!("{} is deleted, here and in AWS; sms-provision apply makes a new one.", key.id),
        false => format!("{} is deleted.", key.id),
    };
    let text = format!("{}\n{summary}\n", heading(&opened));
    Ok(Said { verdict: Verdict::Good, summary, text, json: Value::Null })
}
