//! A profile that is named and is in no file. The SDK takes it for a source of credentials that is not there and goes on
//! to the next one, so that whoever mistyped a name is told of everything but the name.
//!
//! In flow the settings, the environment and the two shared files; out flows which name leads nowhere, and where it was
//! looked for.

use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_config::profile::{ProfileSet, load};
use aws_types::os_shim_internal::{Env, Fs};

use crate::Aws;

/// What names a profile where the settings do.
const SETTING: &str = "aws.profile (or the profile of the target)";
const VARIABLE: &str = "AWS_PROFILE";

/// The shared files as the SDKs find them: the variable that names one, and where it is otherwise.
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

/// Variables that name a source of credentials of their own, all of a line together. Beside them a profile is not needed.
const OTHER_SOURCES: [&[&str]; 5] = [
    &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    &["AWS_ACCESS_KEY_ID", "SECRET_ACCESS_KEY"],
    &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"],
    &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
    &["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
];

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

/// The profile that the settings name, or else the environment, where it is in no file; or the one that it takes its
/// credentials from.
pub(super) async fn missing(settings: &Aws, env: &Env) -> Option<MissingProfile> {
    let named = match &settings.profile {
        Some(name) => Some((name.clone(), SETTING)),
        // Where there is no default profile the SDKs take it that nobody wants one.
        None => variable(env, VARIABLE).filter(|name| name != "default").map(|name| (name, VARIABLE)),
    };
    let (name, named_by) = named?;
    // Files that cannot be understood are told of by whoever reads them for credentials.
    let known = load(&Fs::real(), env, &Default::default(), None).await.ok()?;
    let (name, named_by) = leads_nowhere(&known, name, named_by.to_owned())?;
    let files = FILES.iter().map(|(variable, usual)| {
        let path = expanded(&env.get(variable).unwrap_or_else(|_| (*usual).to_owned()), env);
        let trouble = unreadable(&path);
        (path, trouble)
    });
    Some(MissingProfile { name, named_by, files: files.collect() })
}

/// Whether the environment names a source of credentials that the SDK takes as gladly as a profile.
pub(super) fn has_other_source(env: &Env) -> bool {
    OTHER_SOURCES.iter().any(|all| all.iter().all(|name| variable(env, name).is_some()))
}

/// A profile with a role takes its credentials from another one, and so on.
fn leads_nowhere(known: &ProfileSet, first: String, named_by: String) -> Option<(String, String)> {
    let (mut name, mut named_by) = (first, named_by);
    let mut seen = Vec::new();
    while let Some(profile) = known.get_profile(&name) {
        let has_keys = !seen.is_empty() && profile.get("aws_access_key_id").is_some();
        let source = profile.get("role_arn").and(profile.get("source_profile")).filter(|_| !has_keys)?;
        named_by = format!("source_profile of the profile {name:?}");
        seen.push(std::mem::replace(&mut name, source.to_owned()));
        if seen.contains(&name) {
            return None;
        }
    }
    Some((name, named_by))
}

/// One that is empty is as good as none.
fn variable(env: &Env, name: &str) -> Option<String> {
    env.get(name).ok().filter(|value| !value.trim().is_empty())
}

/// As the SDKs do it: `~` is the home directory if there is one.
fn expanded(path: &str, env: &Env) -> PathBuf {
    match (Path::new(path).strip_prefix("~"), env.get("HOME")) {
        (Ok(rest), Ok(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn unreadable(path: &Path) -> Option<String> {
    match File::open(path) {
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

    /// What is missing in a home with those files, where the settings or these variables name a profile.
    async fn asked(setting: Option<&str>, variables: &[(&str, &str)]) -> Option<MissingProfile> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
        let keys = "[base]\naws_access_key_id = A\naws_secret_access_key = B\n";
        std::fs::write(home.path().join(".aws/credentials"), keys).unwrap();
        let home = home.path().to_str().unwrap();
        let env = Env::from_slice(&[variables, &[("HOME", home)]].concat());
        missing(&Aws { profile: setting.map(ToOwned::to_owned), ..Aws::default() }, &env).await
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
        let has = |variables: &[(&str, &str)]| has_other_source(&Env::from_slice(variables));
        assert!(has(&[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B")]));
        assert!(has(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "r")]));
        assert!(has(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/")]));
        assert!(!has(&[("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", " ")]));
        assert!(!has(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]));
    }
}
