//! Keys as they come from any source: a file, a program, a service of the machine.
//!
//! A key, a secret and a token travel in the head of a request. The SDK's signer takes them for granted, and breaks the
//! process off at what can be in no head.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;

use super::environment::is_key;
use crate::foreign::OwnWords;

/// The credentials without white space around their parts.
///
/// # Errors
/// A part is empty or can be in no request; which one, and never its value.
pub(super) fn checked(given: Credentials) -> Result<Credentials, CredentialsError> {
    let (id, secret) = (given.access_key_id(), given.secret_access_key());
    let token = given.session_token().map(str::trim).filter(|token| !token.is_empty());
    let wrong = [("access key id", Some(id)), ("secret access key", Some(secret)), ("session token", token)]
        .into_iter()
        .find_map(|(part, text)| (!is_key(text?.trim())).then_some(part));
    if let Some(part) = wrong {
        let words =
            format!("the {part} is empty, or has a space, a line break, a quote or a character that no key has");
        return Err(CredentialsError::invalid_configuration(OwnWords(words)));
    }
    if id.trim() == id && secret.trim() == secret && token == given.session_token() {
        return Ok(given);
    }
    let mut trimmed =
        Credentials::builder().access_key_id(id.trim()).secret_access_key(secret.trim()).provider_name("trimmed");
    trimmed.set_session_token(token.map(str::to_owned));
    trimmed.set_expiry(given.expiry());
    trimmed.set_account_id(given.account_id().cloned());
    Ok(trimmed.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(id: &str, secret: &str, token: Option<&str>) -> Result<Credentials, CredentialsError> {
        checked(Credentials::new(id, secret, token.map(str::to_owned), None, "test"))
    }

    #[test]
    fn a_key_that_no_request_can_carry_is_refused_and_not_shown() {
        for (id, secret, token) in [
            ("a\nsesame", "s", None),
            ("", "s", None),
            ("a", " ", None),
            ("a", "ses\u{1}ame", None),
            ("a", "s", Some("ses\name")),
            ("sésame", "s", None),
            ("\"sesame\"", "s", None),
            ("a", "'sesame'", None),
        ] {
            let error = crate::foreign::causes(&given(id, secret, token).unwrap_err());
            assert!(error.contains("no key has") && !error.contains("ame,"), "{error}");
        }
    }

    #[test]
    fn white_space_around_a_key_is_taken_off() {
        let trimmed = given("AKIA\n", " s\r\n", Some("t\n")).unwrap();
        assert_eq!(
            (trimmed.access_key_id(), trimmed.secret_access_key(), trimmed.session_token()),
            ("AKIA", "s", Some("t"))
        );
        assert_eq!(given("AKIA", "s", Some("")).unwrap().session_token(), None);
    }
}
