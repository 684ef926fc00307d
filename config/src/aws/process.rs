//! `credential_process` of a profile: a program that prints credentials.
//!
//! The SDK would wait for it without end, leave it running when nobody waits any longer, and put what it writes to
//! standard error, secrets included, into its own error. This one is ended with the wait, and its standard error is not
//! read. Where the profile of a role takes its credentials from such a program, the SDK runs it.

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use aws_config::profile::{Profile, load};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided, future};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_types::os_shim_internal::{Env, Fs};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::profile;
use crate::foreign::OwnWords;
use crate::{Aws, within};

/// How long the program may take: it may wait for a person with a second factor.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of its answer.
const LONGEST: u64 = 64 * 1024;

/// What the SDKs take before a program.
const AHEAD: [&str; 6] =
    ["role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "sso_account_id", "login_session"];

/// The program that the profile in use names, and nothing that comes before it.
pub(super) async fn in_use(settings: &Aws, env: &Env) -> Option<Program> {
    if settings.profile.is_none() && profile::has_key(env) {
        return None;
    }
    let name = profile::named(settings, env).map_or("default".to_owned(), |(name, _)| name);
    let known = load(&Fs::real(), env, &Default::default(), None).await.ok()?;
    let profile = known.get_profile(&name)?;
    let has = |key: &&str| profile.get(key).is_some();
    if AHEAD.iter().any(has) {
        return None;
    }
    command(profile).map(Program)
}

fn command(profile: &Profile) -> Option<String> {
    profile.get("credential_process").map(str::trim).filter(|command| !command.is_empty()).map(str::to_owned)
}

/// A command line for the shell. It may hold secrets, so it is not shown.
pub(super) struct Program(String);

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

impl ProvideCredentials for Program {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let run = within(PATIENCE, self.run()).await;
            run.unwrap_or_else(|_| Err(failed(format!("credential_process did not end within {PATIENCE:?}"))))
        })
    }
}

impl Program {
    async fn run(&self) -> Provided {
        let mut command = Command::new("sh");
        command.args(["-c", &self.0]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let not_run = |_| failed("credential_process could not be run");
        let mut child = command.kill_on_drop(true).spawn().map_err(not_run)?;
        let mut family = Family(child.id());
        let mut printed = Vec::new();
        if let Some(out) = child.stdout.take() {
            out.take(LONGEST + 1).read_to_end(&mut printed).await.map_err(not_run)?;
        }
        if printed.len() as u64 > LONGEST {
            return Err(failed("credential_process printed something other than the credentials"));
        }
        let ended = child.wait().await.map_err(not_run)?;
        family.0 = None;
        if !ended.success() {
            return Err(failed("credential_process ended with an error; run its command by hand to see why"));
        }
        read(&printed)
    }
}

/// The shell's children, which would outlive it: one more for each time that the credentials are asked for. They stay in the
/// process group of this program, so that one that asks for a code can read the terminal.
struct Family(Option<u32>);

impl Drop for Family {
    fn drop(&mut self) {
        // The shell comes last, and is ended by its own handle: until then its children can be found by it.
        self.0.into_iter().flat_map(descendants).for_each(end);
    }
}

/// All processes below that one, as far as the system tells.
fn descendants(parent: u32) -> Vec<u32> {
    let told = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let children: Vec<u32> = told.split_whitespace().filter_map(|child| child.parse().ok()).collect();
    children.iter().copied().flat_map(descendants).chain(children.iter().copied()).collect()
}

fn end(process: u32) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    // It may have ended by itself.
    if let Some(process) = process {
        kill_process(process, Signal::KILL).ok();
    }
}

fn read(printed: &[u8]) -> Provided {
    let unreadable = || failed("credential_process printed something other than the credentials");
    let Ok(Value::Object(fields)) = serde_json::from_slice(printed) else { return Err(unreadable()) };
    let field = |name: &str| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    if field("Version").and_then(Value::as_i64) != Some(1) {
        return Err(failed("credential_process printed no \"Version\": 1"));
    }
    let text = |name: &str| field(name).and_then(Value::as_str);
    let (Some(id), Some(secret)) = (text("AccessKeyId"), text("SecretAccessKey")) else { return Err(unreadable()) };
    let until = match field("Expiration") {
        None | Some(Value::Null) => None,
        Some(given) => Some(given.as_str().and_then(instant).ok_or_else(unreadable)?),
    };
    let token = text("SessionToken").filter(|token| !token.is_empty()).map(str::to_owned);
    Ok(Credentials::new(id, secret, token, until, "CredentialProcess"))
}

fn instant(text: &str) -> Option<SystemTime> {
    let read = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(read).ok()
}

fn failed(words: impl Into<String>) -> CredentialsError {
    CredentialsError::provider_error(OwnWords(words.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(command: &str) -> String {
        crate::foreign::causes(&Program(command.to_owned()).provide_credentials().await.unwrap_err())
    }

    #[tokio::test]
    async fn a_program_gives_credentials_with_their_end() {
        let json = r#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"2999-01-01T00:00:00+00:00"}"#;
        let had = Program(format!("echo '{json}'")).provide_credentials().await.unwrap();
        assert_eq!((had.access_key_id(), had.session_token()), ("A", Some("t")));
        assert!(had.expiry().is_some());
    }

    #[tokio::test]
    async fn what_a_program_says_of_its_failure_is_not_shown() {
        for command in [
            "echo sesame >&2; exit 3",
            "echo sesame",
            "exec /no/such/sesame",
            "head -c 100000 /dev/zero",
            r#"echo '{"Version":2,"AccessKeyId":"sesame","SecretAccessKey":"s"}'"#,
            r#"echo '{"Version":1,"AccessKeyId":"sesame"}'"#,
            r#"echo '{"Version":1,"AccessKeyId":"sesame","SecretAccessKey":"s","Expiration":"sesame"}'"#,
        ] {
            let told = told(command).await;
            assert!(told.contains("credential_process") && !told.contains("sesame"), "{told}");
        }
    }

    #[tokio::test]
    async fn what_a_program_has_started_ends_with_it_when_nobody_waits_any_longer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids");
        // A child, and one below that, as behind a shell that waits for a pipe.
        let program =
            Program(format!("(sleep 3600 & echo $! > {0}.part; mv {0}.part {0}; wait); true", file.display()));
        let waiting = tokio::spawn(async move { program.provide_credentials().await });
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let child = std::fs::read_to_string(&file).unwrap();
        waiting.abort();
        drop(waiting.await);
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).ok();
        // Nobody may be there to take its exit status.
        while state().is_some_and(|state| !state.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_hangs_is_waited_for_so_long_and_no_longer() {
        let told = told("exec sleep 3600").await;
        assert!(told.contains("did not end within 120s"), "{told}");
    }
}
