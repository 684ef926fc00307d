//! Where credentials are taken from, in words for the log: the choice is made by several settings and variables, and whoever
//! sends as somebody else than meant does not see it otherwise.

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_types::os_shim_internal::Env;

use super::{environment, profile};
use crate::Aws;

const KEY: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// The source that these settings and this environment lead to.
pub(super) async fn told(settings: &Aws, env: &Env) -> String {
    let role = if settings.role_arn.is_some() { ", for the role of aws.role_arn" } else { "" };
    let source = match (&settings.profile, profile::named(settings, env)) {
        (None, _) if profile::has_key(env) => format!("environment variables {KEY} and {SECRET}"),
        (_, Some((name, by))) => format!("profile {name:?}, which {by} names"),
        _ if profile::exists("default", env).await => "profile \"default\"".to_owned(),
        _ if env.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_ok() => "web identity (AWS_WEB_IDENTITY_TOKEN_FILE)".to_owned(),
        _ if profile::has_other_source(env) => "container credentials (AWS_CONTAINER_CREDENTIALS_*)".to_owned(),
        _ => "instance metadata service (no key, profile or other source is set)".to_owned(),
    };
    format!("{source}{role}")
}

/// What somebody may not expect of where these settings and the environment of the process take credentials from.
pub fn unexpected_source(settings: &Aws) -> Option<String> {
    surprise(settings, &environment::env())
}

/// What somebody may not expect of that choice, and what to do.
pub(super) fn surprise(settings: &Aws, env: &Env) -> Option<String> {
    if settings.profile.is_some() {
        return None;
    }
    if !profile::has_key(env) {
        let (set, missing) = match (env.get(KEY).is_ok(), env.get(SECRET).is_ok()) {
            (true, false) => (KEY, SECRET),
            (false, true) => (SECRET, KEY),
            _ => return None,
        };
        return Some(format!("{set} is set and {missing} is not: the key in the environment is not used"));
    }
    let (name, by) = profile::named(settings, env)?;
    Some(format!(
        "the key in {KEY} is used, and not the profile {name:?} that {by} names: keys in the environment come first. To \
         use the profile, unset {KEY} and {SECRET}, or set aws.profile (SMS_AWS__PROFILE)"
    ))
}

/// Stands where the SDK knows no source at all.
#[derive(Debug)]
pub(super) struct NoSource;

impl ProvideCredentials for NoSource {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("no source of credentials")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_source_is_told_and_a_profile_that_keys_take_the_place_of_is_warned_of() {
        let keys = [(KEY, "AKIASESAME"), (SECRET, "s"), ("AWS_PROFILE", "sms")];
        let none = Aws::default();
        let env = Env::from_slice(&keys);
        assert!(told(&none, &env).await.contains(KEY) && !told(&none, &env).await.contains("SESAME"));
        let warned = surprise(&none, &env).unwrap();
        assert!(warned.contains("\"sms\"") && warned.contains("SMS_AWS__PROFILE"), "{warned}");
        let meant = Aws { profile: Some("sms".to_owned()), ..Aws::default() };
        assert_eq!(surprise(&meant, &env), None);
        assert!(told(&meant, &env).await.starts_with("profile \"sms\""));
        let by_default = Env::from_slice(&[("AWS_DEFAULT_PROFILE", "old")]);
        assert_eq!(told(&none, &by_default).await, "profile \"old\", which AWS_DEFAULT_PROFILE names");
        assert!(surprise(&none, &Env::from_slice(&keys[..1])).unwrap().contains(SECRET));
        assert_eq!(surprise(&none, &Env::from_slice(&keys[..2])), None);
    }
}
