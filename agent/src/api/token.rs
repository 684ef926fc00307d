//! The gate of the token: `Authorization: Bearer` with the content of a file.
//!
//! In flow request headers; out flows whether they may pass. The rule: the comparison takes the same time wherever the
//! first difference is, and a changed file counts within a second, without a restart.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretSlice};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use super::secret_file::{self, SecretError};
use crate::message::{Code, Problem};

/// How long a look at the file's metadata is good for. A look at each request would be a system call each.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The token of this installation, as its file has it.
pub struct Token {
    path: PathBuf,
    current: Mutex<Current>,
}

struct Current {
    value: SecretSlice<u8>,
    stamp: Option<Stamp>,
    looked_at: Instant,
}

/// What tells one version of a file from the next: inode, length, and the time of its last change.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Stamp(u64, u64, i64, i64);

impl Token {
    /// Reads the token, or makes one if there is no such file. White space around it does not count.
    ///
    /// # Errors
    /// The file can be neither read nor made, or it is empty.
    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let value = secret_file::read_or_make(path)?;
        let value = trimmed(&value)
            .ok_or_else(|| SecretError::Unusable { path: path.to_owned(), fault: "is empty, and that is no token" })?;
        let current = Current { value, stamp: stamp(path), looked_at: Instant::now() };
        Ok(Self { path: path.to_owned(), current: Mutex::new(current) })
    }

    /// Lets a request pass.
    ///
    /// # Errors
    /// `unauthorized`.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else {
            return Err(Problem::new(Code::Unauthorized, "The request carries no token, or more than one."));
        };
        let Some(token) = bearer(value.as_bytes()) else {
            return Err(Problem::new(Code::Unauthorized, "The `Authorization` header is not of the scheme Bearer."));
        };
        let mut current = self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if current.looked_at.elapsed() >= LOOK_EVERY {
            self.look(&mut current);
        }
        if bool::from(current.value.expose_secret().ct_eq(token)) {
            return Ok(());
        }
        Err(Problem::new(Code::Unauthorized, "The token is not the agent's."))
    }

    fn look(&self, current: &mut Current) {
        current.looked_at = Instant::now();
        let stamp = stamp(&self.path);
        if stamp == current.stamp {
            return;
        }
        // Rotation may be under way: until there is a token to read again, the one in hand stays good.
        match fs::read(&self.path).ok().as_deref().and_then(trimmed) {
            Some(value) => {
                current.value = value;
                current.stamp = stamp;
            }
            None => tracing::warn!("the token file cannot be read or is empty; the token read before stays in force"),
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some(Stamp(metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

fn trimmed(content: &[u8]) -> Option<SecretSlice<u8>> {
    let token = content.trim_ascii();
    (!token.is_empty()).then(|| token.to_vec().into())
}

/// The credentials of the scheme Bearer, whose name has no case (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    fn open(content: &str) -> (tempfile::TempDir, Token) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, content).unwrap();
        let token = Token::open(&path).unwrap();
        (folder, token)
    }

    #[tokio::test]
    async fn only_the_very_token_passes_and_the_scheme_has_no_case() {
        let (_folder, token) = open("\n s3cret \r\n");
        for good in ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret"] {
            assert_eq!(token.check(&with(&[good])), Ok(()), "{good}");
        }
        for bad in
            ["Bearer s3cre", "Bearer s3cret1", "Bearer S3cret", "Bearer ", "Bearer", "Basic s3cret", "s3cret", ""]
        {
            assert_eq!(token.check(&with(&[bad])).unwrap_err().code, Code::Unauthorized, "{bad}");
        }
        assert!(token.check(&with(&[])).is_err());
        assert!(token.check(&with(&["Bearer s3cret", "Bearer s3cret"])).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_counts_within_a_second_and_an_emptied_one_does_not() {
        let (folder, token) = open("old");
        let path = folder.path().join("token");
        fs::write(&path, "newer").unwrap();
        assert!(token.check(&with(&["Bearer old"])).is_ok());
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&with(&["Bearer old"])).is_err());
        assert!(token.check(&with(&["Bearer newer"])).is_ok());
        fs::write(&path, " ").unwrap();
        tokio::time::advance(LOOK_EVERY).await;
        assert!(token.check(&with(&["Bearer newer"])).is_ok());
        assert!(token.check(&with(&["Bearer "])).is_err());
    }

    #[test]
    fn an_empty_file_is_an_error_at_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "\n").unwrap();
        let error = Token::open(&path).err().unwrap().to_string();
        assert!(error.contains("is empty"), "{error}");
    }
}
