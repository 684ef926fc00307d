//! The commands: each turns the settings and AWS's answers into something said and an exit status.

mod change;
mod check;
mod console;
mod export;
mod keys;
mod next;
mod opt_outs;
mod policy;
mod sandbox;
mod status;
mod target;
mod verify;

use serde_json::{Value, json};
use sms_config::{Settings, unexpected_source};
use thiserror::Error;

use crate::aws::{CallError, SessionError};
use crate::cli::{Arguments, Command};
use crate::keys::KeysError;
use crate::number::Number;

pub use console::Console;
pub use target::Target;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// Done, or nothing to do, or the answer is good.
    Good,
    /// Changes are pending, and that was asked.
    Pending,
    /// An error, or the answer is not good.
    Bad,
}

impl Verdict {
    /// The exit status.
    pub fn status(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Bad => 1,
            Self::Pending => 2,
        }
    }
}

/// Why a command did not come to an end.
#[derive(Debug, Error)]
pub enum CommandError {
    /// There is no session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The sender's keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The arguments do not fit the settings.
    #[error("{0}")]
    Usage(String),
    /// Nobody takes the output.
    #[error("standard output takes no more: {0}; what was done is done, and the same command again shows how it is")]
    Output(#[from] std::io::Error),
}

/// What one target came to.
#[derive(Clone, Debug)]
pub struct Said {
    /// How it ended.
    pub verdict: Verdict,
    /// One line, for the table of several targets.
    pub summary: String,
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
}

/// Runs the command.
///
/// # Errors
/// Why it did not come to an end, for all targets together.
#[tracing::instrument(target = "sms_provision::trace", level = "info", name = "sms-provision", skip_all)]
pub async fn run(arguments: &Arguments, settings: &Settings, console: &Console) -> Result<Verdict, CommandError> {
    let given = arguments.given();
    let targets = target::chosen(&given, settings).await?;
    let at_once = given.parallel.map_or(8, usize::from);
    let is_unsaid = !settings.targets.is_empty() && given.target.is_none() && !given.all;
    if is_unsaid {
        console.remark(
            "sms-provision: warning: the settings have [[targets]], and neither --target nor --all is given: this is about \
             the account of [aws] and [account], and about none of them",
        );
    }
    if !matches!(arguments.command, Command::Policy(_)) {
        let warning = targets.iter().find_map(|target| unexpected_source(&target.aws));
        warning.iter().for_each(|why| console.remark(&format!("sms-provision: warning: {why}")));
    }
    if given.target.is_some() || given.all {
        let warning = target::elsewhere(&targets).await.map(|why| format!("sms-provision: warning: {why}"));
        warning.into_iter().for_each(|warning| console.remark(&warning));
    }
    if let Command::Plan(_) | Command::Status(_) | Command::Apply(_) | Command::Keys(_) | Command::Destroy(_) =
        &arguments.command
    {
        target::distinct(&targets, at_once).await?;
    }
    match &arguments.command {
        Command::Plan(plan) => {
            let results = target::each(&targets, at_once, |target| change::plan(target, plan, console)).await;
            finish(results, given.all, plan.json, console)
        }
        Command::Status(asked) => {
            let results = target::each(&targets, at_once, |target| status::status(target, console)).await;
            finish(results, given.all, asked.json, console)
        }
        Command::Check(asked) => {
            let number = &number(&asked.number)?;
            let results = target::each(&targets, at_once, |target| check::check(target, number, console)).await;
            finish(results, given.all, asked.json, console)
        }
        Command::Sandbox(asked) => sandbox::sandbox(&targets, at_once, given.all, &asked.what, console).await,
        Command::OptOuts(asked) => opt_outs::opt_outs(&targets, at_once, given.all, &asked.what, console).await,
        Command::Export(asked) => {
            let results = target::each(&targets, at_once, |target| export::export(target, asked, console)).await;
            finish(results, given.all, given.all, console)
        }
        Command::Policy(asked) => {
            let results = target::each(&targets, at_once, |target| policy::policy(target, asked, console)).await;
            finish(results, given.all, given.all, console)
        }
        Command::Apply(apply) => change::apply(&targets, at_once, given.all, apply, console).await,
        Command::Verify(verify) => verify::run(&targets, at_once, given.all, verify, console).await,
        Command::Keys(keys) => keys::run(&targets, at_once, given.all, is_unsaid, &keys.command, console).await,
        Command::Destroy(destroy) => change::destroy(&targets, at_once, given.all, destroy, console).await,
    }
}

/// A number of the command line; it is not repeated where it is none.
fn number(text: &str) -> Result<Number, CommandError> {
    Number::parse(text).map_err(|error| CommandError::Usage(format!("NUMBER: {error}")))
}

/// Says what all targets came to: one as it is, several with a table at the end.
fn finish(
    results: Vec<(String, Result<Said, CommandError>)>,
    several: bool,
    as_json: bool,
    console: &Console,
) -> Result<Verdict, CommandError> {
    if !several {
        let Some((_, result)) = results.into_iter().next() else { return Ok(Verdict::Good) };
        let said = result?;
        console.say(&if as_json { format!("{:#}\n", said.json) } else { said.text })?;
        return Ok(said.verdict);
    }
    let (mut all, mut text, mut table) = (Vec::new(), String::new(), String::new());
    let mut verdict = Verdict::Good;
    let width = results.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, result) in results {
        let (one, summary) = match result {
            Ok(said) => {
                verdict = verdict.max(said.verdict);
                text.push_str(&format!("== {name}\n{}\n", said.text));
                (said.json, said.summary)
            }
            Err(error) => {
                verdict = Verdict::Bad;
                (json!({ "error": error.to_string() }), format!("error: {error}"))
            }
        };
        table.push_str(&format!("{name:width$}  {summary}\n"));
        let mut entry = serde_json::Map::from_iter([("target".to_owned(), json!(name))]);
        entry.extend(one.as_object().cloned().unwrap_or_default());
        all.push(Value::Object(entry));
    }
    console.say(&if as_json { format!("{:#}\n", json!({ "targets": all })) } else { text + &table })?;
    Ok(verdict)
}
