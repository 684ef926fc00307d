//! Small secrets kept in files of their own: the token and the key of the fingerprints.
//!
//! Given a path, it returns the file's bytes, and makes the file on the first start. A file that exists is never written
//! to; one that is made appears whole, with mode 0600, or not at all; and only a regular file of a small size is read.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::private_file;

/// The largest file that is taken for a secret, in bytes.
const LARGEST: u64 = 4096;

/// Permission bits of users other than the owner: read or write.
const OTHERS: u32 = 0o066;

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
         (umask 077; openssl rand -hex 32 > {path}; touch {path}.replaced)"
    )]
    Lost {
        /// The file.
        path: PathBuf,
    },
    /// Others have access to it.
    #[error(
        "{path} can be read or written by other users than its owner; run `chmod 600 {path}`, and replace its content if \
         one of them may have read it"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// Another user may change it.
    #[error("cannot use {path}: {source}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is, and what to do.
        source: io::Error,
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

/// Content and metadata of the file, which is made of 256 random bits in hexadecimal if it is missing.
///
/// # Errors
/// It can be neither read nor made.
pub(super) fn read_or_make(path: &Path) -> Result<(Vec<u8>, Metadata), SecretError> {
    match read(path) {
        Err(SecretError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(|source| SecretError::Make { path: path.to_owned(), source })?;
            read(path)
        }
        read => read,
    }
}

/// Content and metadata of the file. It never waits for a writer, as reading a pipe would, and never reads more than a
/// secret can be.
///
/// # Errors
/// It cannot be read, or is no file, or is too large.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, Metadata), SecretError> {
    let unreadable = |source| SecretError::Read { path: path.to_owned(), source };
    check(path, &fs::metadata(path).map_err(unreadable)?)?;
    // It may be replaced at this very moment: opening a pipe must not wait either, and what was opened is what counts.
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    check(path, &metadata)?;
    Ok((content(&file).map_err(unreadable)?, metadata))
}

fn content(file: &File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(LARGEST).read_to_end(&mut content)?;
    Ok(content)
}

fn check(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    let kind = metadata.file_type();
    let fault = match () {
        () if kind.is_dir() => "is a directory, not a file",
        () if kind.is_fifo() => "is a named pipe, not a file",
        () if kind.is_socket() => "is a socket, not a file",
        () if !kind.is_file() => "is a device, not a file",
        () if metadata.len() > LARGEST => "is larger than 4096 bytes, and no secret is",
        () => return Ok(()),
    };
    Err(SecretError::Unusable { path: path.to_owned(), fault })
}

/// Refuses a file of another user, and one that users other than its owner may read or write.
///
/// # Errors
/// It is one.
pub(super) fn private(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    owned(path, metadata)?;
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(SecretError::Exposed { path: path.to_owned() });
    }
    Ok(())
}

/// Refuses a file of another user.
///
/// # Errors
/// It is one.
pub(super) fn owned(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    private_file::owned(metadata).map_err(|source| SecretError::Foreign { path: path.to_owned(), source })
}

/// Takes the access to a file away from users who are neither its owner nor in its group, and warns of it. A group may have
/// access: that is how a volume is shared with a pod.
///
/// # Errors
/// The system refuses it.
pub(super) fn close(path: &Path, metadata: &Metadata) -> Result<(), SecretError> {
    let mode = metadata.permissions().mode();
    if mode & 0o007 != 0 {
        let closed = Permissions::from_mode(mode & 0o770);
        fs::set_permissions(path, closed).map_err(|source| SecretError::Read { path: path.to_owned(), source })?;
        tracing::warn!(?path, "every user had access to this file; that was taken away");
    }
    Ok(())
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
        let (made, metadata) = read_or_make(&path).unwrap();
        assert_eq!(made.trim_ascii().len(), 64);
        assert!(private(&path, &metadata).is_ok());
        assert_eq!(read_or_make(&path).unwrap().0, made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
        let error = read_or_make(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/token") && error.contains("folder"), "{error}");
    }

    #[test]
    fn what_is_no_file_is_refused_at_once_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for (path, named) in [
            (pipe.as_path(), "a named pipe"),
            (&link, "a named pipe"),
            (&socket, "a socket"),
            (folder.path(), "a directory"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            let error = read_or_make(path).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_file_that_no_secret_is_as_large_as_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "x".repeat(4096)).unwrap();
        assert_eq!(read(&path).unwrap().0.len(), 4096);
        fs::write(&path, "x".repeat(4097)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("larger"));
    }
}
