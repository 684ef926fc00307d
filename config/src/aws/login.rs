//! Profiles for which a person logs in with the AWS CLI, for some hours: what to do once that is over or was never begun.

use aws_config::profile::load;
use aws_types::os_shim_internal::{Env, Fs};

use super::missing::quoted;
use super::profile;
use crate::Aws;

/// What to do where the profile in use waits for a person who logs in.
pub(super) async fn remedy(settings: &Aws, env: &Env) -> Option<String> {
    let (login, profile) = waiting(settings, env).await?;
    Some(log_in(login, &profile, login.is_known()))
}

/// The profile in use for which a person has to log in, if there is one, and how.
async fn waiting(settings: &Aws, env: &Env) -> Option<(Login, String)> {
    const SSO: [&str; 3] = ["sso_session", "sso_start_url", "sso_account_id"];
    let name = profile::named(settings, env).map_or("default".to_owned(), |(name, _)| name);
    let known = load(&Fs::real(), env, &Default::default(), None).await.ok()?;
    profile::chain(&known, &name).into_iter().find_map(|name| {
        let has = |key: &str| known.get_profile(&name).is_some_and(|profile| profile.get(key).is_some());
        let sso = SSO.into_iter().any(has).then_some(Login::Sso);
        Some((sso.or_else(|| has("login_session").then_some(Login::Console))?, name))
    })
}

/// How a person logs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Login {
    /// IAM Identity Center.
    Sso,
    /// The console's.
    Console,
}

impl Login {
    fn command(self) -> &'static str {
        match self {
            Self::Sso => "aws sso login",
            Self::Console => "aws login",
        }
    }

    /// Whether this build takes the credentials of such a login by itself.
    fn is_known(self) -> bool {
        match self {
            Self::Sso => cfg!(feature = "admin-credentials"),
            Self::Console => false,
        }
    }
}

/// The command, and what else there is to do unless the credentials of that login are known to be found (`is_known`).
fn log_in(login: Login, profile: &str, is_known: bool) -> String {
    let (command, profile) = (login.command(), quoted(profile));
    match is_known {
        true => format!("log in with: {command} --profile {profile}"),
        false => format!(
            "log in with: {command} --profile {profile}; then let the AWS CLI hand the credentials on: name another profile \
             (aws.profile, AWS_PROFILE) that has credential_process = aws configure export-credentials --profile {profile}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_told_with_its_command_and_how_to_hand_its_credentials_on_where_they_are_not_found() {
        assert_eq!(log_in(Login::Sso, "admin", true), "log in with: aws sso login --profile admin");
        let told = log_in(Login::Console, "admin", false);
        assert!(told.starts_with("log in with: aws login --profile admin; then"), "{told}");
        assert!(told.ends_with("credential_process = aws configure export-credentials --profile admin"), "{told}");
        assert!(log_in(Login::Sso, "my $(admin)", true).ends_with("--profile NAME"));
    }
}
