//! Why there are no credentials, and what to do about it, in words for a person.

use aws_credential_types::provider::error::CredentialsError;

use super::{environment, login, profile};
use crate::Aws;
use crate::foreign::{self, ServiceError};

/// What to do where no source has credentials.
pub(super) const LOG_IN: &str = "log in, or name a profile that has them (aws.profile, AWS_PROFILE), or set \
                                 AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
/// What to do where STS does not hand out a role, and nothing better is known.
const ASSUME: &str = "check that the ARN of the role and the external ID are right (role_arn, external_id), that the trust \
                      policy of the role names the caller, and that the caller is allowed sts:AssumeRole on it";

/// The SDK's error as a reason and a remedy. Nothing of it is a peer's own text.
pub(super) async fn explained(error: &CredentialsError, settings: &Aws, region: &str) -> String {
    if let Some(answer) = foreign::service_error(error) {
        let mfa = profile::needs_mfa(settings, &environment::env()).await;
        return refused(&answer.in_region(region), mfa.as_deref());
    }
    let causes = foreign::causes(error);
    if let Some(remedy) = login::remedy(settings, &environment::env()).await {
        return format!("{causes}; {remedy}");
    }
    match settings.profile {
        Some(_) => format!("the profile that aws.profile names gives none: {causes}; {LOG_IN}"),
        None => format!("{causes}; {LOG_IN}"),
    }
}

/// What STS answered to a role that was to be assumed; `mfa` is the profile whose role asks for a second factor.
fn refused(answer: &ServiceError, mfa: Option<&str>) -> String {
    match (answer.denial(), answer.remedy(), mfa) {
        (Some(_), None, Some(profile)) => format!(
            "the role cannot be assumed: {answer}. The profile {profile:?} asks for a code of an MFA device (mfa_serial), \
             which this program cannot ask for. Let the AWS CLI ask for it: eval \"$(aws configure export-credentials \
             --profile {} --format env)\"; then run it again without aws.profile and AWS_PROFILE",
            quoted(profile)
        ),
        (_, None, _) => format!("the role cannot be assumed: {answer}; {ASSUME}"),
        (_, Some(_), _) => format!("the role cannot be assumed: {answer}"),
    }
}

/// For a shell: names of profiles may have blanks in them.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if plain { name.to_owned() } else { "NAME".to_owned() }
}
