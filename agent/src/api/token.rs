//! The gate of the token: `Authorization: Bearer` with the content of a file.
//!
//! Given the headers of a request, it says whether the request may pass. The comparison takes the same time wherever the
//! first difference is. A changed file counts within a second, without a restart, and a file that cannot be read or
//! waits to be read holds up nobody.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretSlice};
use subtle::ConstantTimeEq;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::secret_file::{self, SecretError};
use crate::message::{Code, Problem};

/// How long a look at the file's metadata is good for. A look at each request would be a system call each.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a request waits for such a look.
const LOOK_FOR: Duration = Duration::from_millis(100);

/// Permission bits of everybody: read or write.
const EVERYBODY: u32 = 0o006;

/// The fewest visible characters of a token. With fewer it can be guessed in no time.
const SHORTEST: usize = 8;

/// The fewest with which nobody guesses it, if they are random.
const SAFE: usize = 32;

/// The token of this installation, as its file has it.
pub struct Token(Arc<TokenFile>);

struct TokenFile {
    path: PathBuf,
    /// Whether nobody but its owner may have access to it.
    private: bool,
    current: Mutex<Current>,
}

struct Current {
    value: SecretSlice<u8>,
    stamp: Option<Stamp>,
    looked_at: Instant,
    /// A look that has not ended: the file may be on a disk that does not answer.
    looking: bool,
    /// Whether it was already said that the file cannot be used.
    told: bool,
}

/// What tells one version of a file from the next: inode, length, and the time of its last change.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Stamp(u64, u64, i64, i64);

impl Token {
    /// Reads the token, or makes one if there is no such file. White space around it does not count. A file that is to be
    /// `private` is refused if others have access to it; else they are warned of.
    ///
    /// # Errors
    /// The file can be neither read nor made, others have access to it, or what it has is no token.
    pub fn open(path: &Path, private: bool) -> Result<Self, SecretError> {
        let (content, metadata) = secret_file::read_or_make(path)?;
        let value = usable(path, private, &content, &metadata)?;
        let current = Current {
            value,
            stamp: Some(Stamp::of(&metadata)),
            looked_at: Instant::now(),
            looking: false,
            told: false,
        };
        Ok(Self(Arc::new(TokenFile { path: path.to_owned(), private, current: Mutex::new(current) })))
    }

    /// Lets a request pass.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else {
            return Err(Problem::new(Code::Unauthorized, "The request carries no token, or more than one."));
        };
        let Some(token) = bearer(value.as_bytes()) else {
            return Err(Problem::new(Code::Unauthorized, "The `Authorization` header is not of the scheme Bearer."));
        };
        self.look().await;
        if bool::from(self.0.current().value.expose_secret().ct_eq(token)) {
            return Ok(());
        }
        Err(Problem::new(Code::Unauthorized, "The token is not the agent's."))
    }

    /// Looks at the file if it was not looked at for a while, on a thread of its own and for a moment only: a disk that does
    /// not answer holds up one request a little, and no other.
    async fn look(&self) {
        {
            let mut current = self.0.current();
            if current.looking || current.looked_at.elapsed() < LOOK_EVERY {
                return;
            }
            current.looking = true;
            current.looked_at = Instant::now();
        }
        let file = Arc::clone(&self.0);
        drop(timeout(LOOK_FOR, spawn_blocking(move || file.look())).await);
    }
}

impl TokenFile {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the token of a file that has changed. Rotation may be under way: until there is a token to read again,
    /// the one in hand stays good.
    fn look(&self) {
        let stamp = fs::metadata(&self.path).map(|metadata| Stamp::of(&metadata)).ok();
        let seen = self.current().stamp;
        let read = if stamp.is_some() && stamp == seen { Ok(None) } else { self.read().map(Some) };
        let mut current = self.current();
        current.looking = false;
        match read {
            Ok(new) => {
                if let Some((value, stamp)) = new {
                    (current.value, current.stamp) = (value, Some(stamp));
                }
                if std::mem::take(&mut current.told) {
                    tracing::info!("the token file can be used again");
                }
            }
            Err(error) if !current.told => {
                current.told = true;
                let fault = match error {
                    SecretError::Read { source, .. } => format!("cannot be read ({source})"),
                    error => format!("cannot be used ({error})"),
                };
                tracing::warn!(
                    "agent.token_file {fault}: the token that was read before stays valid until there is another one in the \
                     file or the agent restarts"
                );
            }
            Err(_) => {}
        }
    }

    fn read(&self) -> Result<(SecretSlice<u8>, Stamp), SecretError> {
        let (content, metadata) = secret_file::read(&self.path)?;
        Ok((usable(&self.path, self.private, &content, &metadata)?, Stamp::of(&metadata)))
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self(metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
    }
}

/// The token that a file has, if it may be used.
fn usable(path: &Path, private: bool, content: &[u8], metadata: &Metadata) -> Result<SecretSlice<u8>, SecretError> {
    let token = content.trim_ascii();
    let visible = token.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
    let fault = match () {
        () if token.is_empty() => "is empty, and that is no token",
        () if token.iter().any(u8::is_ascii_control) => {
            "has more than one line or a control character, which no request can send"
        }
        () if visible < SHORTEST => "has a token of fewer than 8 characters, which is soon guessed",
        () => "",
    };
    if !fault.is_empty() {
        return Err(SecretError::Unusable { path: path.to_owned(), fault });
    }
    if private {
        secret_file::private(path, metadata)?;
    } else if metadata.permissions().mode() & EVERYBODY != 0 {
        tracing::warn!("every user of this machine can read or write agent.token_file: take that away with chmod o-rw");
    }
    if visible < SAFE {
        tracing::warn!("the token in agent.token_file is short: use at least 32 random characters");
    }
    Ok(token.to_vec().into())
}

/// The credentials of the scheme Bearer, whose name has no case (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn with(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    fn open(content: &str) -> (tempfile::TempDir, Token) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, content).unwrap();
        let token = Token::open(&path, false).unwrap();
        (folder, token)
    }

    fn refused(content: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, content).unwrap();
        Token::open(&path, false).err().unwrap().to_string()
    }

    #[tokio::test]
    async fn only_the_very_token_passes_and_the_scheme_has_no_case() {
        let (_folder, token) = open("\n s3cret-token \r\n");
        for good in ["Bearer s3cret-token", "bearer s3cret-token", "BEARER   s3cret-token"] {
            assert_eq!(token.check(&with(&[good])).await, Ok(()), "{good}");
        }
        for bad in [
            "Bearer s3cret-toke",
            "Bearer s3cret-token1",
            "Bearer S3cret-token",
            "Bearer ",
            "Bearer",
            "Basic s3cret-token",
            "s3cret-token",
            "",
        ] {
            assert_eq!(token.check(&with(&[bad])).await.unwrap_err().code, Code::Unauthorized, "{bad}");
        }
        assert!(token.check(&with(&[])).await.is_err());
        assert!(token.check(&with(&["Bearer s3cret-token", "Bearer s3cret-token"])).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_counts_within_a_second_and_an_emptied_one_does_not() {
        let (folder, token) = open("old-token");
        let path = folder.path().join("token");
        fs::write(&path, "newer-token").unwrap();
        assert!(token.check(&with(&["Bearer old-token"])).await.is_ok());
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&with(&["Bearer old-token"])).await.is_err());
        assert!(token.check(&with(&["Bearer newer-token"])).await.is_ok());
        fs::write(&path, " ").unwrap();
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&with(&["Bearer newer-token"])).await.is_ok());
        assert!(token.check(&with(&["Bearer "])).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_goes_or_becomes_a_pipe_leaves_the_token_valid_until_there_is_another() {
        let (folder, token) = open("old-token");
        let path = folder.path().join("token");
        let (old, new) = (with(&["Bearer old-token"]), with(&["Bearer new-token"]));
        fs::remove_file(&path).unwrap();
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&old).await.is_ok());
        assert!(token.0.current().told);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&old).await.is_ok());
        assert!(!token.0.current().looking, "nobody waits for a writer");
        fs::remove_file(&path).unwrap();
        fs::write(&path, "new-token").unwrap();
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&old).await.is_err());
        assert!(token.check(&new).await.is_ok());
        assert!(!token.0.current().told);
    }

    #[tokio::test(start_paused = true)]
    async fn while_one_look_hangs_no_request_waits_for_another() {
        let (_folder, token) = open("old-token");
        token.0.current().looking = true;
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&with(&["Bearer old-token"])).now_or_never().unwrap().is_ok());
    }

    #[test]
    fn what_is_no_token_is_an_error_at_start() {
        for (content, named) in [("\n", "is empty"), ("x", "8 characters"), ("first-line\nsecond-line", "one line")] {
            let error = refused(content);
            assert!(error.contains(named), "{error}");
        }
    }

    #[tokio::test]
    async fn a_token_file_of_the_agents_own_that_others_have_access_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(Token::open(&path, true).is_ok(), "one that is made");
        for mode in [0o640, 0o604, 0o602, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Token::open(&path, true).err().unwrap().to_string();
            assert!(error.contains("chmod 600"), "{error}");
            assert!(Token::open(&path, false).is_ok(), "elsewhere it is warned of");
        }
    }
}
