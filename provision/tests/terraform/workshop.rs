//! Terraform as it is on this machine: found once, with a provider from whatever mirror there is, run on copies.
//!
//! What the machine's owner has set for AWS or Terraform is no part of a run. A provider takes half a gigabyte, so that
//! at most three commands run at one time.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Condvar, Mutex, OnceLock};

use serde_json::Value;
use tempfile::TempDir;

const AT_ONCE: usize = 3;
const PROVIDER: &str = "registry.terraform.io";
/// Where mirrors lie; from the last one, the whole machine, no deeper than a mirror lies under any usual folder.
const USUAL: [&str; 4] = ["/usr/share/terraform", "/usr/local/share/terraform", "/opt", "/"];
const DEPTH: usize = 9;

/// The folder of the modules, as it is in the checkout.
pub(crate) fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("terraform")
}

/// A terraform that has a provider.
pub(crate) struct Terraform {
    config: PathBuf,
}

/// What a command came to.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The same, where it ended with 0.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }
}

impl Terraform {
    /// The one of this machine.
    ///
    /// # Panics
    /// If there is none and `CI` is set: there, a test that is skipped is one that fails.
    pub(crate) fn find() -> Option<&'static Self> {
        static FOUND: OnceLock<Result<Terraform, String>> = OnceLock::new();
        match FOUND.get_or_init(look) {
            Ok(terraform) => Some(terraform),
            Err(missing) => skip(missing),
        }
    }

    /// Runs a command in a folder.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Ran {
        self.run_by(Command::new("terraform"), folder, arguments)
    }

    /// The same by another Terraform.
    pub(crate) fn run_by(&self, program: Command, folder: &Path, arguments: &[&str]) -> Ran {
        let _ticket = Ticket::take();
        run(program, &self.config, folder, arguments)
    }
}

/// Says that a test cannot run, past cargo's capturing of what tests print.
fn skip(missing: &str) -> Option<&'static Terraform> {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{missing}");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _said = writeln!(std::io::stderr().lock(), "\nSKIPPED {test}: {missing}");
    None
}

fn look() -> Result<Terraform, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terraform");
    let cache = home.join("providers");
    fs::create_dir_all(&cache).map_err(|error| format!("cargo's target folder must be writable: {error}"))?;
    // Quoted as JSON, which HCL reads too.
    let quoted = |path: &Path| serde_json::to_string(path).expect("a path is text");
    let source = match mirror() {
        Some(mirror) => {
            format!("provider_installation {{\n  filesystem_mirror {{\n    path = {}\n  }}\n}}\n", quoted(&mirror))
        }
        None => format!("plugin_cache_dir = {}\n", quoted(&cache)),
    };
    let config = home.join("cli.tfrc");
    fs::write(&config, format!("disable_checkpoint = true\n{source}")).map_err(|error| error.to_string())?;

    let trial = tempfile::tempdir().map_err(|error| error.to_string())?;
    fs::copy(checkout().join("versions.tf"), trial.path().join("versions.tf")).map_err(|error| error.to_string())?;
    let version = Command::new("terraform").arg("version").output();
    version.map_err(|_| "there is no terraform on the PATH: install it (1.8 or newer)".to_owned())?;
    let ran = run(Command::new("terraform"), &config, trial.path(), &["init", "-backend=false"]);
    if ran.status == 0 {
        return Ok(Terraform { config });
    }
    Err(format!("Terraform's AWS provider is in no mirror of this machine and cannot be fetched:\n{}", ran.err))
}

fn run(mut command: Command, config: &Path, folder: &Path, arguments: &[&str]) -> Ran {
    let foreign = |name: &str| ["AWS_", "OTEL_", "SMS_", "TF_"].iter().any(|prefix| name.starts_with(prefix));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(foreign)) {
        command.env_remove(name);
    }
    command
        .env("TF_CLI_CONFIG_FILE", config)
        .env("TF_IN_AUTOMATION", "1")
        .env("TF_INPUT", "0")
        .env("TF_CLI_ARGS", "-no-color");
    command.env("AWS_EC2_METADATA_DISABLED", "true").current_dir(folder).stdin(Stdio::null());
    let output = command.args(arguments).output().expect("terraform was found before");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { status: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// The root of the mirror that holds a provider that the modules take.
fn mirror() -> Option<PathBuf> {
    let usual = std::env::var_os("TF_PLUGIN_CACHE_DIR").map(PathBuf::from).into_iter();
    let usual = usual.chain(std::env::home_dir().map(|home| home.join(".terraform.d")));
    usual.chain(USUAL.map(PathBuf::from)).find_map(|folder| below(&folder, DEPTH))
}

fn below(folder: &Path, depth: usize) -> Option<PathBuf> {
    let members: Vec<_> = fs::read_dir(folder).ok()?.flatten().collect();
    let is_folder = |member: &fs::DirEntry| member.file_type().is_ok_and(|kind| kind.is_dir());
    if folder.ends_with("hashicorp/aws") {
        let fits = |name: &str| name.starts_with("5.") || name.starts_with("terraform-provider-aws_5.");
        let fits = members.iter().any(|member| member.file_name().to_str().is_some_and(fits));
        let mirror = folder.ancestors().find(|above| above.ends_with(PROVIDER)).and_then(Path::parent);
        return mirror.filter(|_| fits).map(Path::to_path_buf);
    }
    if depth == 0 || ["/proc", "/sys", "/dev"].iter().any(|unreal| folder == Path::new(unreal)) {
        return None;
    }
    members.iter().filter(|member| is_folder(member)).find_map(|member| below(&member.path(), depth - 1))
}

/// A copy of the modules that may be written to, without what a run by hand has left in the checkout.
pub(crate) fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&checkout(), copy.path());
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for member in fs::read_dir(from).unwrap().flatten() {
        let name = member.file_name();
        let left = name.to_string_lossy().starts_with(".terraform") || name.to_string_lossy().contains(".tfstate");
        match member.file_type().unwrap().is_dir() {
            _ if left => {}
            true => copy_folder(&member.path(), &to.join(name)),
            false => drop(fs::copy(member.path(), to.join(name)).unwrap()),
        }
    }
}

/// The right to run a command now.
struct Ticket;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Ticket {
    fn take() -> Self {
        let mut running = ENDED.wait_while(RUNNING.lock().unwrap(), |running| *running == AT_ONCE).unwrap();
        *running += 1;
        Self
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap() -= 1;
        ENDED.notify_one();
    }
}
