//! A file that is read, changed and put back whole. A reader sees the old text or the new one (but for a file that is a
//! mount of its own, which can only be overwritten), and two who change it at once do so one after the other.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use super::FileError;

/// What is put after a file's name for the file beside it, which has what was taken out of it.
const BESIDE: &str = ".replaced";

/// What the name of a file begins with that is to take the place of another; some letters and digits follow.
const DRAFT: &str = ".sms-provision-draft-";
const LETTERS: usize = 12;

/// `EPERM`, which opening a file for writing answers only where the file is immutable.
const NOT_PERMITTED: i32 = 1;

/// Links on the way to a file, as many as Linux follows.
const LINKS: usize = 40;

/// A file's text after a change.
pub(super) struct Changed {
    pub(super) text: String,
    /// What the change takes out and somebody may want back: it goes to the file beside, after all that is there already.
    pub(super) kept: Option<String>,
}

/// The text; empty where there is no file.
pub(super) fn read(path: &Path) -> Result<String, FileError> {
    let wrong = |source| FileError::Read { path: path.to_owned(), source };
    // A pipe would be waited for, a device may have no end.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(wrong(io::Error::other("it is not a file")));
    }
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        read => read.map_err(wrong)?,
    };
    // The bytes may hold secrets, so the error must not.
    String::from_utf8(bytes).map_err(|_| FileError::NotText { path: path.to_owned() })
}

/// Whether everything that [`change`] reads can be read, and whether the file can be written at all: an immutable file
/// (`chattr +i`) and one on a read-only mount cannot. Nothing is written.
pub(super) fn look(path: &Path, change: impl FnOnce(&str) -> Changed) -> Result<(), FileError> {
    let file = followed(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    // What is no file is told of below; a pipe would be waited for.
    let is_file = fs::metadata(&file).is_ok_and(|found| found.is_file());
    let opened = if is_file { fs::OpenOptions::new().write(true).open(&file).map(drop) } else { Ok(()) };
    // That the mode forbids it is no obstacle: the file is replaced, not written to.
    if let Err(source) = opened
        && (source.raw_os_error() == Some(NOT_PERMITTED) || source.kind() == ErrorKind::ReadOnlyFilesystem)
    {
        return Err(FileError::Write { path: path.to_owned(), source });
    }
    match change(&read(&file)?).kept {
        Some(_) => read(&beside(&file)).map(drop),
        None => Ok(()),
    }
}

/// Makes a file and removes it, where the changed one is to be made: beside the old one, or in the folder in which the
/// missing ones are to be made.
pub(super) fn try_folder(path: &Path) -> Result<(), FileError> {
    let wrong = |source| FileError::Write { path: path.to_owned(), source };
    let file = followed(path).map_err(wrong)?;
    let there = file.ancestors().skip(1).find(|folder| folder.exists() || folder.as_os_str().is_empty());
    let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    draft_in(&there).map(drop).map_err(wrong)
}

fn draft_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(DRAFT).rand_bytes(LETTERS).tempfile_in(folder)
}

/// Removes what runs that were cut off left beside the file: copies of it, with everybody's keys.
pub(super) fn tidy(path: &Path) {
    let Ok(file) = followed(path) else { return };
    let folder = folder(&file).to_owned();
    // Without a folder there is nothing to tidy; what cannot be locked is told of by whoever writes.
    drop(Place { file, folder }.lock());
}

/// Whether two paths lead to one file, which need not be there.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| {
        let path = followed(path).unwrap_or_else(|_| path.to_owned());
        let folder = folder(&path).canonicalize().unwrap_or_else(|_| folder(&path).to_owned());
        path.file_name().map_or(folder.clone(), |name| folder.join(name))
    };
    real(one) == real(other)
}

/// Puts the changed text in the file's place, once what it takes out is safe beside it. Where it does not change nothing is
/// written.
pub(super) fn change(path: &Path, change: impl FnOnce(&str) -> Changed) -> Result<(), FileError> {
    let wrong = |source| FileError::Write { path: path.to_owned(), source };
    let place = Place::of(path).map_err(wrong)?;
    let _one_at_a_time = place.lock().map_err(wrong)?;
    let old = read(&place.file)?;
    let new = change(&old);
    if new.text == old {
        return Ok(());
    }
    let kept = place.draft_beside(new.kept.as_deref())?;
    let draft = place.draft(&new.text).map_err(wrong)?;
    if let Some((kept, place)) = kept {
        place.put(kept).map_err(|source| FileError::Write { path: place.file.clone(), source })?;
    }
    place.put(draft).map_err(wrong)
}

/// Does everything that [`change`] does, but puts the old text in the old text's place: where that works, the change can be
/// expected to work too.
pub(super) fn try_change(path: &Path, change: impl FnOnce(&str) -> Changed) -> Result<(), FileError> {
    let wrong = |source| FileError::Write { path: path.to_owned(), source };
    let place = Place::of(path).map_err(wrong)?;
    let _one_at_a_time = place.lock().map_err(wrong)?;
    let old = read(&place.file)?;
    let new = change(&old);
    place.draft_beside(new.kept.as_deref())?;
    place.draft(&new.text).map_err(wrong)?;
    let Ok(found) = fs::metadata(&place.file) else { return Ok(()) };
    let same = place.draft(&old).map_err(wrong)?;
    same.as_file().set_permissions(found.permissions()).map_err(wrong)?;
    place.put(same).map_err(wrong)
}

/// The file beside a file, wherever links lead to it.
pub(super) fn kept_in(path: &Path) -> PathBuf {
    beside(&followed(path).unwrap_or_else(|_| path.to_owned()))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(BESIDE);
    PathBuf::from(name)
}

/// Follows links, of which the last may lead to a file that is not there yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut file = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&file) {
            Ok(to) => file = folder(&file).join(to),
            Err(_) => return Ok(file),
        }
    }
    Err(io::Error::other("its symbolic links lead in a circle"))
}

/// Where a file really is.
struct Place {
    file: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// Where the links lead; the folder is made.
    fn of(path: &Path) -> io::Result<Self> {
        let file = followed(path)?;
        let folder = folder(&file).to_owned();
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { file, folder })
    }

    /// The folder is locked, not the file, which is another one after each change. A file system that knows no locks
    /// still gets a whole file.
    fn lock(&self) -> io::Result<File> {
        let folder = File::open(&self.folder)?;
        match folder.lock() {
            Ok(()) => self.sweep(),
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(_) => {}
        }
        Ok(folder)
    }

    /// Removes the drafts of runs that were cut off: under the lock there is none of a run that goes on.
    fn sweep(&self) {
        let is_draft = |name: &str| {
            let letters = name.strip_prefix(DRAFT);
            letters.is_some_and(|rest| rest.len() == LETTERS && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        };
        let Ok(files) = fs::read_dir(&self.folder) else { return };
        for file in files.flatten().filter(|file| file.file_name().to_str().is_some_and(is_draft)) {
            if fs::symlink_metadata(file.path()).is_ok_and(|found| found.is_file() && found.mode() & 0o777 == 0o600) {
                // What cannot be removed is in nobody's way.
                drop(fs::remove_file(file.path()));
            }
        }
    }

    /// The text in a file beside the one it is for, safe on disk, for its owner only. It goes with what is returned.
    fn draft(&self, text: &str) -> io::Result<tempfile::NamedTempFile> {
        let mut draft = draft_in(&self.folder)?;
        if let Ok(old) = fs::metadata(&self.file) {
            if !old.is_file() {
                return Err(io::Error::other("it is not a file"));
            }
            keep_owner(&old, draft.as_file())?;
        }
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        Ok(draft)
    }

    /// The file beside with that at its end, and where links lead from its name; nothing where there is nothing to keep, or
    /// it is kept already.
    fn draft_beside(&self, kept: Option<&str>) -> Result<Option<(tempfile::NamedTempFile, Self)>, FileError> {
        let Some(kept) = kept else { return Ok(None) };
        let path = beside(&self.file);
        let wrong = |source| FileError::Write { path: path.clone(), source };
        let place = Self::of(&path).map_err(wrong)?;
        let old = read(&place.file)?;
        if old.contains(kept) {
            return Ok(None);
        }
        let empty_line = if old.is_empty() { "" } else { "\n" };
        let draft = place.draft(&format!("{old}{empty_line}{kept}")).map_err(wrong)?;
        Ok(Some((draft, place)))
    }

    /// Puts a draft in the file's place. A file that is a mount of its own, as a single file that is mounted into a container
    /// is, cannot be replaced: its content is, and is put back if that fails.
    fn put(&self, draft: tempfile::NamedTempFile) -> io::Result<()> {
        match draft.persist(&self.file) {
            Ok(_) => self.sync(),
            Err(refused) if is_a_mount(&refused.error) => {
                let old = fs::read(&self.file)?;
                let new = fs::read(refused.file.path())?;
                let written = self.overwrite(&new);
                if written.is_err() {
                    // What cannot be put back either is told with the first error.
                    drop(self.overwrite(&old));
                }
                written
            }
            Err(refused) => Err(refused.error),
        }
    }

    fn overwrite(&self, content: &[u8]) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).open(&self.file)?;
        file.write_all(content)?;
        file.set_len(content.len() as u64)?;
        file.sync_all()
    }

    /// A new name is on disk only once its folder is.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder).and_then(|folder| folder.sync_all())
    }
}

/// Whether a rename failed because its target is a mount point.
fn is_a_mount(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::CrossesDevices)
}

/// Run by way of sudo, the file stays its owner's.
fn keep_owner(old: &Metadata, draft: &File) -> io::Result<()> {
    let new = draft.metadata()?;
    match (old.uid(), old.gid()) == (new.uid(), new.gid()) {
        true => Ok(()),
        false => fchown(draft, Some(old.uid()), Some(old.gid())),
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
