//! The virtual environments and packages that the peers run in, shared by all test binaries of a target folder.
//!
//! One is keyed by its requirements and its Python, made under a file lock, and good only once its marker is there,
//! which is written last: an install that was cut off is never taken for a good one.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Packages that fit each other, and the environment that holds them.
pub(crate) struct Packages {
    /// The folder in the repository with the two files.
    folder: &'static str,
    /// The content of its `requirements.txt`.
    requirements: &'static str,
    /// The content of its `constraints.txt`.
    constraints: &'static str,
    // A failure is kept too: otherwise each test of a binary would wait for the same missing network.
    python: OnceLock<Result<PathBuf, String>>,
}

static PEERS: Packages =
    Packages::new("config/tests/peers", include_str!("requirements.txt"), include_str!("constraints.txt"));

/// Apart from the others, which it does not go with.
static MINISTACK: Packages = Packages::new(
    "config/tests/peers/ministack",
    include_str!("ministack/requirements.txt"),
    include_str!("ministack/constraints.txt"),
);

/// The Python of the peers' virtual environment, which is made first if there is none yet (about a minute, once).
///
/// # Panics
/// If there is no Python 3 with `venv`, or the packages cannot be installed; the message says what to do.
pub(crate) fn python() -> &'static Path {
    PEERS.python()
}

/// The same with ministack in it.
///
/// # Panics
/// As [`python`].
pub(crate) fn ministack() -> &'static Path {
    MINISTACK.python()
}

/// A program that one of the peers' requirements brings, such as `st`.
pub(crate) fn command(name: &str) -> Command {
    PEERS.command(name)
}

impl Packages {
    /// Of a folder, by the two files in it.
    pub(crate) const fn new(folder: &'static str, requirements: &'static str, constraints: &'static str) -> Self {
        Self { folder, requirements, constraints, python: OnceLock::new() }
    }

    /// The Python of their environment, as [`python`].
    pub(crate) fn python(&self) -> &Path {
        self.python.get_or_init(|| self.ready()).as_deref().unwrap_or_else(|remedy| panic!("{remedy}"))
    }

    /// A program that one of them brings. Python reads its script: the path that stands in the script's first line is
    /// of no use once the target folder has been moved or copied.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.python());
        command.arg(self.python().with_file_name(name));
        command
    }

    fn ready(&self) -> Result<PathBuf, String> {
        let (system, identity) = ["python3", "python"]
            .into_iter()
            .find_map(|name| Some((name, identity(name)?)))
            .ok_or("the tests need Python 3.10 or newer on the PATH: install python3 (Debian: and python3-venv)")?;
        let home = target().join("peers").join(self.key(&identity));
        let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        make_once(&home, |lock| self.install(system, &home, &python, lock))?;
        Ok(python)
    }

    fn install(&self, system: &str, home: &Path, python: &Path, lock: &File) -> Result<(), String> {
        run(
            Command::new(system).args(["-m", "venv", "--clear"]).arg(home),
            lock,
            "no virtual environment can be made: install Python's venv (Debian: python3-venv)",
        )?;
        let list = |name: &str, text: &str| {
            let path = home.join(name);
            fs::write(&path, text).map_err(|error| error.to_string())?;
            Ok::<_, String>(path)
        };
        run(
            Command::new(python)
                .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"])
                .arg(list("requirements.txt", self.requirements)?)
                .arg("--constraint")
                .arg(list("constraints.txt", self.constraints)?),
            lock,
            &format!("the packages of {}/requirements.txt cannot be installed: the tests need PyPI, once", self.folder),
        )
    }

    fn key(&self, system: &[u8]) -> String {
        let mut hasher = DefaultHasher::new();
        (self.requirements, self.constraints, system).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

/// The folder of packages from npm, as a `package.json` and its lock file name them; installed first if it is not there.
///
/// # Panics
/// If there is no `npm`, or the packages cannot be installed; the message says what to do.
pub(crate) fn npm(manifest: &str, lock_file: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (manifest, lock_file).hash(&mut hasher);
    let home = target().join("peers").join(format!("npm-{:016x}", hasher.finish()));
    let installed = make_once(&home, |lock| {
        let write = |name: &str, text: &str| fs::write(home.join(name), text).map_err(|error| error.to_string());
        fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        write("package.json", manifest)?;
        write("package-lock.json", lock_file)?;
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(&home);
        run(
            &mut install,
            lock,
            "the packages cannot be installed: the tests need npm (Debian: npm) and its registry, once",
        )
    });
    installed.unwrap_or_else(|remedy| panic!("{remedy}"));
    home.join("node_modules")
}

/// Makes a folder unless it is there and complete. One process makes it while the others wait for its lock.
fn make_once(home: &Path, make: impl FnOnce(&File) -> Result<(), String>) -> Result<(), String> {
    let marker = home.join("complete");
    if marker.exists() {
        return Ok(());
    }
    let unwritable = |error: io::Error| format!("cargo's target folder must be writable: {error}");
    let peers = target().join("peers");
    fs::create_dir_all(&peers).map_err(unwritable)?;
    let lock = File::create(peers.join("lock")).map_err(unwritable)?;
    lock.lock().map_err(unwritable)?;
    if !marker.exists() {
        make(&lock)?;
        fs::write(&marker, "").map_err(unwritable)?;
    }
    Ok(())
}

/// Runs a step that holds the lock as well, by way of its standard input: should the test be killed, the step goes on,
/// and nobody else may write to its folder until it ends.
fn run(command: &mut Command, lock: &File, remedy: &str) -> Result<(), String> {
    let lock = lock.try_clone().map_err(|error| format!("{remedy} ({error})"))?;
    let output = command.stdin(lock).output().map_err(|error| format!("{remedy} ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{remedy}\n{}", String::from_utf8_lossy(&output.stderr)))
}

/// What tells one Python from another; nothing for a program that is missing or too old.
fn identity(name: &str) -> Option<Vec<u8>> {
    let script = "import sys; print(sys.version, sys.base_prefix); sys.exit(sys.version_info < (3, 10))";
    let output = Command::new(name).args(["-c", script]).stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// Cargo's target folder: the one for temporary files of tests, the only one that cargo tells, lies right in it.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's folder for temporary files has a parent")
}
