//! Small secrets kept in files of their own: the token and the key of the fingerprints.
//!
//! In flows a path; out flow its bytes, made on the first start. The rule: a file that exists is never written to, one
//! that is made appears whole, with mode 0600, or not at all.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why a secret cannot be had at start. Says which file and what to do, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; let the agent's user read it, or remove it to have a new one made")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not there and cannot be made.
    #[error("cannot make {path}: {source}; let the agent's user write to its folder")]
    Make {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is gone, and what was made with it is not.
    #[error(
        "{path} is missing, and the outbox remembers idempotency keys by it: without it, requests that are repeated \
         would be sent again. Put it back from a backup; or, if that may be, make a new one: \
         (umask 077; openssl rand -hex 32 > {path})"
    )]
    Lost {
        /// The file.
        path: PathBuf,
    },
    /// It is there and of no use.
    #[error("{path} {fault}; remove it to have a new one made")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        fault: &'static str,
    },
}

/// The content of the file, which is made of 256 random bits in hexadecimal if it is missing.
///
/// # Errors
/// It can be neither read nor made.
pub(super) fn read_or_make(path: &Path) -> Result<Vec<u8>, SecretError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(|source| SecretError::Make { path: path.to_owned(), source })?;
            fs::read(path)
        }
        read => read,
    }
    .map_err(|source| SecretError::Read { path: path.to_owned(), source })
}

fn make(path: &Path) -> io::Result<()> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits)?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = write(&draft, &bits).and_then(|()| match fs::hard_link(&draft, path) {
        // Another agent was faster: its file counts.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    written.and(fs::remove_file(&draft))
}

fn write(path: &Path, bits: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    for byte in bits {
        write!(file, "{byte:02x}")?;
    }
    writeln!(file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_missing_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let made = read_or_make(&path).unwrap();
        assert_eq!(made.trim_ascii().len(), 64);
        assert_eq!(read_or_make(&path).unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
        let error = read_or_make(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/token") && error.contains("folder"), "{error}");
    }
}
