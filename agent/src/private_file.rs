//! The agent's own files and their folder: made for its user alone, nobody else's, and nothing but regular files.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file for writing, or makes it, with mode 0600: its folder may be an older one that is open to others. It never
/// follows a symbolic link, whose target may be anybody's, and never waits for the other end of a pipe.
///
/// # Errors
/// What the system says, or that it is no regular file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    check(path)?;
    // It may be replaced at this very moment: what was opened is what counts.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = File::options();
    options.create(true).truncate(false).write(true).mode(0o600).custom_flags(flags.bits() as i32);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    owned(&metadata)?;
    if metadata.permissions().mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Whether there is a regular file of the agent's user, or of root, or nothing.
///
/// # Errors
/// What the system says, what there is instead, or that the file belongs to another user.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => regular(&metadata).and_then(|()| owned(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(io::Error::other(format!("it is {what} and must be a regular file; move it away")))
}

/// Whoever owns a file may change its content and its mode at any time.
///
/// # Errors
/// It belongs to another user.
pub(crate) fn owned(metadata: &Metadata) -> io::Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() == 0 || metadata.uid() == user {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "it belongs to another user and must belong to the user that the agent runs as, or to root; run `chown {user}` on it, \
         and look at what is in it"
    )))
}

/// Makes a folder for its owner alone, or looks at the one that is there.
///
/// # Errors
/// What the system says, or that the folder is no folder, belongs to another user, or can be written to by every user.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return DirBuilder::new().recursive(true).mode(0o700).create(path);
        }
        metadata => metadata?,
    };
    if !metadata.is_dir() {
        return Err(io::Error::other("it is a file and must be a folder; move it away, or name another folder"));
    }
    owned(&metadata)?;
    // Whoever may write to it may replace the token and the outbox. A group may: that is how volumes are shared with a pod.
    if metadata.permissions().mode() & 0o002 != 0 {
        let path = path.display();
        return Err(io::Error::other(format!(
            "every user may write to it; run `chmod o-w {path}`, and look at what is in it"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_refused_and_its_target_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "theirs").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(open(&link).unwrap_err().to_string().contains("symbolic link"));
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused_and_one_of_a_group_is_taken() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        folder(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o2775)).unwrap();
        folder(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        assert!(folder(&path).unwrap_err().to_string().contains("chmod o-w"));
    }
}
