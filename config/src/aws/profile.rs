//! The two shared files of the AWS SDKs, as far as the SDK keeps to itself what is in them: a profile that is named and
//! is in neither, a line that is none, where the credentials in use come from, and what comes before a key.
//!
//! The SDK takes a missing profile for a source of credentials that is not there and goes on to the next one, so that
//! whoever mistyped a name is told of everything but the name.
//!
//! In flow the settings, the environment and the files; out flow words for a person, and names. No value of a file.

use std::fmt;
use std::fs::FileType;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use aws_config::profile::{ProfileSet, load};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::{causes, environment};
use crate::Aws;

/// What names a profile where the settings do.
const SETTING: &str = "aws.profile (or the profile of the target)";

/// The shared files as the SDKs find them: the variable that names one, and where it is otherwise.
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

/// Variables that hold a key, all of a line together. The SDKs take it before any profile that the environment names.
const KEYS: [&[&str]; 2] =
    [&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], &["AWS_ACCESS_KEY_ID", "SECRET_ACCESS_KEY"]];

/// Variables that name a source of credentials of their own. The SDKs take it after a profile, which is not needed then.
const OTHER_SOURCES: [&[&str]; 3] = [
    &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"],
    &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
    &["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
];

/// What of a profile in the configuration file the SDKs take before a key of it in the credentials file, or together with
/// one: a role that is assumed, an identity that is presented, somebody who logs in, a program; a token of another key.
const AHEAD: [&str; 8] = [
    "role_arn",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "login_session",
    "credential_process",
    "aws_session_token",
];

/// What is wrong with the shared files, or with the name of a profile in them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProfileTrouble {
    /// A profile is named that is in neither.
    Missing(MissingProfile),
    /// One of them has a line that is none. The SDKs take nothing from either then.
    Broken(String),
    /// One of them is a pipe or the like. The SDKs would wait for it, and read it more than once.
    NoFile(PathBuf),
}

impl fmt::Display for ProfileTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::NoFile(path) => {
                let [config, credentials] = FILES.map(|(variable, _)| variable);
                write!(f, "{} is a pipe or a socket, and AWS files are read more than once: ", path.display())?;
                write!(
                    f,
                    "name files by {config} and {credentials} (and account.credentials_file, for the sender's key)"
                )
            }
            Self::Broken(why) => write!(f, "the AWS configuration cannot be understood: {why}; mend that line"),
        }
    }
}

/// Where the credentials in use come from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct InUse {
    /// The profile, and those that its roles are assumed from; none where the environment has keys of its own.
    pub profiles: Vec<String>,
    /// The credentials file of the SDKs.
    pub credentials_file: PathBuf,
    /// Where it is unless the environment names another.
    pub usual_credentials_file: PathBuf,
    /// Their configuration file.
    pub config_file: PathBuf,
}

/// What comes before a key that a profile has in the credentials file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ahead {
    /// The configuration file that has it.
    pub file: PathBuf,
    /// The properties of the profile there.
    pub keys: Vec<&'static str>,
}

/// A profile that is named and is in none of the shared files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingProfile {
    /// Its name.
    pub name: String,
    /// What names it, as a person finds it: `AWS_PROFILE`.
    pub named_by: String,
    /// The configuration file and the credentials file, and what keeps either from being read.
    pub files: Vec<(PathBuf, Option<String>)>,
}

impl fmt::Display for MissingProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, named_by, files } = self;
        write!(f, "there is no AWS profile {name:?}, which {named_by} names; looked in ")?;
        for (index, (path, trouble)) in files.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { " and " }, path.display())?;
            if let Some(trouble) = trouble {
                write!(f, " ({trouble})")?;
            }
        }
        let [config, credentials] = FILES.map(|(variable, _)| variable);
        write!(
            f,
            ": correct the name, add the profile ([profile NAME] in the first file, [NAME] in the second), or name other \
             files by {config} and {credentials}"
        )
    }
}

/// What is wrong with the files, or with the profile that the settings name, or else the environment; or with the one that
/// it takes its credentials from.
pub(super) async fn trouble(settings: &Aws, env: &Env) -> Option<ProfileTrouble> {
    let known = match load(&Fs::real(), env, &Default::default(), None).await {
        Ok(known) => known,
        Err(error) => return Some(ProfileTrouble::Broken(causes(&error))),
    };
    // Where there is no default profile the SDKs take it that nobody wants one.
    let (name, named_by) = named(settings, env).filter(|(name, by)| *by == SETTING || name != "default")?;
    let chain = chain(&known, &name);
    let (lost, by) = chain.split_last().filter(|(last, _)| known.get_profile(last).is_none())?;
    let named_by = by.last().map_or(named_by.to_owned(), |by| format!("source_profile of the profile {by:?}"));
    let files = FILES.iter().map(|(variable, usual)| {
        let path = file(env, variable, usual);
        let trouble = unreadable(&path);
        (path, trouble)
    });
    Some(ProfileTrouble::Missing(MissingProfile { name: lost.clone(), named_by, files: files.collect() }))
}

/// A shared file that is none.
pub(super) fn no_file(env: &Env) -> Option<ProfileTrouble> {
    let files = FILES.map(|(variable, usual)| file(env, variable, usual));
    let waits = |path: &PathBuf| {
        let kind = std::fs::metadata(path).map(|found| found.file_type());
        // A device may have no end. The one that is empty stands for no file at all.
        let is_device = |kind: &FileType| kind.is_char_device() || kind.is_block_device();
        kind.is_ok_and(|kind| {
            kind.is_dir()
                || kind.is_fifo()
                || kind.is_socket()
                || (is_device(&kind) && path.as_path() != Path::new("/dev/null"))
        })
    };
    files.into_iter().find(waits).map(ProfileTrouble::NoFile)
}

/// Whether the environment has a key, which the SDK takes before a profile that the environment names.
pub(super) fn has_key(env: &Env) -> bool {
    has_one_of(&KEYS, env)
}

/// Whether the environment names a source of credentials that the SDK takes where a profile gives none.
pub(super) fn has_other_source(env: &Env) -> bool {
    has_one_of(&OTHER_SOURCES, env)
}

fn has_one_of(sources: &[&[&str]], env: &Env) -> bool {
    sources.iter().any(|all| all.iter().all(|name| variable(env, name).is_some()))
}

/// Where the credentials come from that these settings lead to; no profile where the files cannot be understood.
pub async fn in_use(settings: &Aws) -> InUse {
    used(settings, &environment::env()).await
}

async fn used(settings: &Aws, env: &Env) -> InUse {
    let [config_file, credentials_file] = FILES.map(|(variable, usual)| file(env, variable, usual));
    let usual_credentials_file = expanded(FILES[1].1, env);
    if settings.profile.is_none() && has_key(env) {
        return InUse { profiles: Vec::new(), credentials_file, usual_credentials_file, config_file };
    }
    let name = named(settings, env).map_or("default".to_owned(), |(name, _)| name);
    let known = load(&Fs::real(), env, &Default::default(), None).await;
    let profiles = known.map(|known| chain(&known, &name)).unwrap_or_default();
    InUse { profiles, credentials_file, usual_credentials_file, config_file }
}

/// What the configuration file has of a profile that comes before its key in the credentials file.
///
/// # Errors
/// One of the files cannot be understood: the SDKs find no key in either.
pub async fn ahead_of_a_key(profile: &str) -> Result<Option<Ahead>, ProfileTrouble> {
    ahead(profile, &environment::env()).await
}

async fn ahead(profile: &str, env: &Env) -> Result<Option<Ahead>, ProfileTrouble> {
    let broken = |error| ProfileTrouble::Broken(causes(&error));
    load(&Fs::real(), env, &Default::default(), None).await.map_err(broken)?;
    let [(variable, usual), (other, _)] = FILES;
    let file = file(env, variable, usual);
    // With nothing in the place of the credentials file, what is found is in the other one.
    let Some(path) = file.to_str() else { return Ok(None) };
    let alone = Env::from_slice(&[(variable, path), (other, "/dev/null")]);
    let known = load(&Fs::real(), &alone, &Default::default(), None).await.map_err(broken)?;
    let has = |key: &&str| known.get_profile(profile).is_some_and(|found| found.get(key).is_some());
    let keys: Vec<_> = AHEAD.into_iter().filter(has).collect();
    Ok((!keys.is_empty()).then_some(Ahead { file, keys }))
}

/// Whether one of the files has that profile.
pub(super) async fn exists(name: &str, env: &Env) -> bool {
    let known = load(&Fs::real(), env, &Default::default(), None).await;
    known.is_ok_and(|known| known.get_profile(name).is_some())
}

/// The profile in use whose role asks for a second factor, if there is one.
pub(super) async fn needs_mfa(settings: &Aws, env: &Env) -> Option<String> {
    let name = named(settings, env).map_or("default".to_owned(), |(name, _)| name);
    let known = load(&Fs::real(), env, &Default::default(), None).await.ok()?;
    let asks = |name: &String| known.get_profile(name).is_some_and(|profile| profile.get("mfa_serial").is_some());
    chain(&known, &name).into_iter().find(asks)
}

/// The files for the one source that reads the environment itself, where an empty variable is a path.
pub(super) fn files() -> EnvConfigFiles {
    // A file that is named here has to be there.
    let found = |(variable, usual)| match file(&environment::env(), variable, usual) {
        path if path.exists() => path,
        _ => PathBuf::from("/dev/null"),
    };
    let [config, credentials] = FILES.map(found);
    EnvConfigFiles::builder()
        .with_file(EnvConfigFileKind::Config, config)
        .with_file(EnvConfigFileKind::Credentials, credentials)
        .build()
}

/// The profile that somebody names, and what names it.
pub(super) fn named(settings: &Aws, env: &Env) -> Option<(String, &'static str)> {
    match &settings.profile {
        Some(name) => Some((name.clone(), SETTING)),
        None => environment::first(env, &environment::PROFILE).map(|(variable, name)| (name, variable)),
    }
}

/// A profile with a role takes its credentials from another one, and so on. The last may be in no file.
pub(super) fn chain(known: &ProfileSet, first: &str) -> Vec<String> {
    let mut all = vec![first.to_owned()];
    while let Some(profile) = all.last().and_then(|name| known.get_profile(name)) {
        // Keys come before a role in all but the first.
        let has_keys = all.len() > 1 && profile.get("aws_access_key_id").is_some();
        let source = profile.get("role_arn").and(profile.get("source_profile")).filter(|_| !has_keys);
        match source {
            Some(source) if all.iter().all(|name| name != source) => all.push(source.to_owned()),
            _ => break,
        }
    }
    all
}

/// One that is empty is as good as none.
fn variable(env: &Env, name: &str) -> Option<String> {
    env.get(name).ok().filter(|value| !value.trim().is_empty())
}

/// One of the shared files.
fn file(env: &Env, variable: &str, usual: &str) -> PathBuf {
    expanded(&env.get(variable).unwrap_or_else(|_| usual.to_owned()), env)
}

/// As the SDKs do it: `~` is the home directory if there is one.
pub(super) fn expanded(path: &str, env: &Env) -> PathBuf {
    match (Path::new(path).strip_prefix("~"), env.get("HOME")) {
        (Ok(rest), Ok(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn unreadable(path: &Path) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(_) => None,
        Err(error) if error.kind() == ErrorKind::NotFound => Some("there is no such file".to_owned()),
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base\n\
        [profile own]\nrole_arn = r\nsource_profile = own\n[profile lost]\nrole_arn = r\nsource_profile = gone\n\
        [profile round]\nrole_arn = r\nsource_profile = trip\n[profile trip]\nrole_arn = r\nsource_profile = round\n\
        [nope]\nregion = eu-west-1\n";

    const CREDENTIALS: &str = "[base]\naws_access_key_id = A\naws_secret_access_key = B\n";

    /// A home with those files in it.
    fn home(config: &str, credentials: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
        home
    }

    fn environment(home: &tempfile::TempDir, variables: &[(&str, &str)]) -> Env {
        Env::from_slice(&[variables, &[("HOME", home.path().to_str().unwrap())]].concat())
    }

    fn naming(profile: Option<&str>) -> Aws {
        Aws { profile: profile.map(ToOwned::to_owned), ..Aws::default() }
    }

    /// What is missing where the settings or these variables name a profile.
    async fn asked(setting: Option<&str>, variables: &[(&str, &str)]) -> Option<MissingProfile> {
        let home = home(CONFIG, CREDENTIALS);
        match trouble(&naming(setting), &environment(&home, variables)).await {
            Some(ProfileTrouble::Missing(missing)) => Some(missing),
            other => {
                assert_eq!(other, None);
                None
            }
        }
    }

    #[tokio::test]
    async fn one_that_is_in_either_file_is_not_missing() {
        for name in ["admin", "base", "own", "round"] {
            assert_eq!(asked(Some(name), &[]).await, None, "{name}");
            assert_eq!(asked(None, &[("AWS_PROFILE", name)]).await, None, "{name}");
        }
        for variables in [&[][..], &[("AWS_PROFILE", "")], &[("AWS_PROFILE", "default")]] {
            assert_eq!(asked(None, variables).await, None, "nobody names one: {variables:?}");
        }
    }

    #[tokio::test]
    async fn one_that_is_in_neither_file_is_told_with_what_names_it_and_both_files() {
        // In the configuration file a section without the word is no profile.
        let by_variable = asked(None, &[("AWS_PROFILE", "nope")]).await.unwrap();
        assert_eq!((by_variable.name.as_str(), by_variable.named_by.as_str()), ("nope", "AWS_PROFILE"));
        let told = by_variable.to_string();
        for part in ["\"nope\"", "AWS_PROFILE names", ".aws/config and ", ".aws/credentials: ", "[profile NAME]"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let by_setting = asked(Some("Nope"), &[("AWS_PROFILE", "base")]).await.unwrap();
        assert!(by_setting.to_string().contains("\"Nope\", which aws.profile (or"), "{by_setting}");
    }

    #[tokio::test]
    async fn files_that_the_environment_names_are_looked_in_and_one_that_is_not_there_is_said_so() {
        let variables = [("AWS_PROFILE", "base"), ("AWS_SHARED_CREDENTIALS_FILE", "~/elsewhere")];
        let told = asked(None, &variables).await.unwrap().to_string();
        assert!(told.contains("elsewhere (there is no such file)") && !told.contains('~'), "{told}");
    }

    #[tokio::test]
    async fn the_profile_that_a_role_is_assumed_from_counts_too() {
        let told = asked(None, &[("AWS_PROFILE", "lost")]).await.unwrap().to_string();
        assert!(told.contains("\"gone\", which source_profile of the profile \"lost\" names"), "{told}");
    }

    #[test]
    fn other_sources_are_those_that_are_named_whole() {
        let has = |variables: &[(&str, &str)]| {
            let env = Env::from_slice(variables);
            has_key(&env) || has_other_source(&env)
        };
        assert!(has(&[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")]));
        assert!(has(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "r")]));
        assert!(has(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/")]));
        assert!(!has(&[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", " ")]));
        assert!(!has(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]));
    }

    #[tokio::test]
    async fn a_line_that_is_none_is_told_with_its_file_whether_or_not_somebody_names_a_profile() {
        for (config, credentials, place) in [
            ("[profile x]\nregion eu-west-1\n", CREDENTIALS, ".aws/config on line 2"),
            ("", "[base]\n\nTHE-SECRET\n", ".aws/credentials on line 3"),
        ] {
            let home = home(config, credentials);
            for profile in [None, Some("base")] {
                let found = trouble(&naming(profile), &environment(&home, &[])).await.unwrap().to_string();
                assert!(found.contains(place) && found.ends_with("; mend that line"), "{found}");
                assert!(!found.contains("THE-SECRET"), "{found}");
            }
        }
    }

    #[tokio::test]
    async fn the_credentials_in_use_are_those_of_the_profile_and_of_those_that_its_roles_are_assumed_from() {
        let home = home(CONFIG, CREDENTIALS);
        let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")];
        let admin = [("AWS_PROFILE", "admin")];
        let other = [("AWS_PROFILE", "base"), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")];
        for (setting, variables, profiles) in [
            (None, &[][..], &["default"][..]),
            (None, &admin, &["admin", "base"]),
            (Some("base"), &admin, &["base"]),
            (Some("round"), &[], &["round", "trip"]),
            // A profile that the settings name is meant, whatever keys there are.
            (Some("admin"), &keys, &["admin", "base"]),
            (None, &keys, &[]),
            // What the SDKs ask after a profile does not take its place.
            (None, &other, &["base"]),
        ] {
            let found = used(&naming(setting), &environment(&home, variables)).await;
            assert_eq!(found.profiles, profiles, "{setting:?} {variables:?}");
            let files = ["config", "credentials"].map(|name| home.path().join(".aws").join(name));
            assert_eq!([found.config_file, found.credentials_file], files);
        }
    }

    #[tokio::test]
    async fn what_comes_before_a_key_is_what_the_configuration_file_has_of_the_profile() {
        let config = "[profile role]\nrole_arn = r\nsource_profile = base\n[profile sso]\nsso_session = s\n\
            [profile plain]\nregion = eu-west-1\naws_access_key_id = A\naws_secret_access_key = B\n";
        let home = home(config, "[other]\nrole_arn = r\nsource_profile = base\n");
        let env = environment(&home, &[]);
        let file = home.path().join(".aws/config");
        let found = |keys| Ok(Some(Ahead { file: file.clone(), keys }));
        assert_eq!(ahead("role", &env).await, found(vec!["role_arn"]));
        assert_eq!(ahead("sso", &env).await, found(vec!["sso_session"]));
        // The key of the credentials file takes the place of one here; the other file is not asked.
        for name in ["plain", "other", "nobody"] {
            assert_eq!(ahead(name, &env).await, Ok(None), "{name}");
        }
        std::fs::write(home.path().join(".aws/credentials"), "[sms]\nx = 1\nfoo\n").unwrap();
        assert!(matches!(ahead("sms", &env).await, Err(ProfileTrouble::Broken(why)) if why.contains("on line 3")));
    }
}
