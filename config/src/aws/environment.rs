//! The process's `AWS_*` variables, as every part of the set-up reads them.
//!
//! The SDK takes an empty variable for a value, and a key with a line break for a key. Here an empty or blank variable
//! counts as not set, white space around a key is taken off (files and secrets end in a line break), and what cannot be
//! used is named before anybody uses it. No value appears in an error.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::LazyLock;

use aws_types::os_shim_internal::Env;

use super::AwsError;
use crate::Aws;
use crate::proxies::is_url;

/// Variables that name the profile; the first that is set counts.
pub(super) const PROFILE: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];
/// Variables that name the region, likewise.
pub(super) const REGION: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// The certificates to trust instead of the system's.
pub(super) const CA_BUNDLE: &str = "AWS_CA_BUNDLE";
/// What the names of all variables that set an endpoint begin with.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

const KEYS: [&str; 4] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
/// Not of AWS, and read with the shared files.
const ALSO: [&str; 2] = ["HOME", "SECRET_ACCESS_KEY"];
/// Further variables of the SDK that hold a line of text.
const LINES: [&str; 13] = [
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    CA_BUNDLE,
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_EC2_METADATA_DISABLED",
];

const A_KEY: &str = "letters, digits and punctuation without spaces, line breaks or quotes";
const A_REGION: &str = "the name of a region in lower case, such as us-east-1";
const A_PROFILE: &str = "the name of a profile, on one line and without spaces around it";
const A_URL: &str = "an http:// or https:// URL";
const A_LINE: &str = "text on one line";
const A_SWITCH: &str = "true or false";

/// Variables that switch a kind of endpoint on or off. The SDK takes any other value for off.
const SWITCHES: [&str; 2] = ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];

/// The variables that the set-up reads, without those that are not set.
pub(super) fn env() -> Env {
    static CLEANED: LazyLock<Env> = LazyLock::new(|| cleaned(std::env::vars_os()));
    CLEANED.clone()
}

fn cleaned(variables: impl Iterator<Item = (OsString, OsString)>) -> Env {
    let kept = variables.filter_map(|(name, value)| {
        let name = name.to_str().filter(|name| is_read(name))?;
        let value = value.to_str().filter(|value| !value.trim().is_empty())?;
        Some((name.to_owned(), if KEYS.contains(&name) { value.trim() } else { value }.to_owned()))
    });
    kept.collect::<HashMap<_, _>>().into()
}

fn is_read(name: &str) -> bool {
    name.starts_with("AWS_") || ALSO.contains(&name)
}

/// The first of these variables that is set, and its value.
pub(super) fn first(env: &Env, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, env.get(name).ok().filter(|value| !value.trim().is_empty())?)))
}

/// Refuses what cannot be used of the variables that these settings leave in force.
///
/// # Errors
/// The first variable that cannot be used.
pub(super) fn check(settings: &Aws) -> Result<(), AwsError> {
    check_all(settings, &std::env::vars_os().collect::<Vec<_>>())
}

fn check_all(settings: &Aws, variables: &[(OsString, OsString)]) -> Result<(), AwsError> {
    let env = cleaned(variables.iter().cloned());
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| is_read(name)) else { continue };
        // A home folder may have any name.
        let Some(allowed) = allowed(settings, &env, name) else { continue };
        let wrong = || AwsError::Variable { variable: name.to_owned(), allowed };
        let value = value.to_str().ok_or_else(wrong)?;
        let value = if KEYS.contains(&name) { value.trim() } else { value };
        if !value.trim().is_empty() && !fits(allowed, value) {
            return Err(wrong());
        }
    }
    Ok(())
}

/// What a variable may hold; `None` where it is not in force or may hold anything.
fn allowed(settings: &Aws, env: &Env, name: &str) -> Option<&'static str> {
    let counts = |names: &[&'static str]| first(env, names).is_none_or(|(first, _)| first == name);
    if KEYS.contains(&name) {
        return settings.profile.is_none().then_some(A_KEY);
    }
    if REGION.contains(&name) {
        return (settings.region.is_none() && counts(&REGION)).then_some(A_REGION);
    }
    if PROFILE.contains(&name) {
        return (settings.profile.is_none() && counts(&PROFILE)).then_some(A_PROFILE);
    }
    if name.starts_with(ENDPOINT) {
        return Some(A_URL);
    }
    if SWITCHES.contains(&name) {
        return Some(A_SWITCH);
    }
    LINES.contains(&name).then_some(A_LINE)
}

fn fits(allowed: &str, value: &str) -> bool {
    match allowed {
        A_KEY => is_key(value),
        A_REGION => is_region(value),
        A_PROFILE => value.trim() == value && !value.contains(char::is_control),
        A_URL => is_url(value),
        A_SWITCH => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
        _ => !value.contains(char::is_control),
    }
}

/// Whether this can be in a key, a secret or a session token: all of them travel in the head of a request.
pub(super) fn is_key(text: &str) -> bool {
    // Quotes are what a shell or a CSV file left around it.
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\''))
}

/// Whether this can be a region, which becomes a part of the name of a host.
pub(super) fn is_region(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| inner(byte) || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn refused(settings: &Aws, variables: &[(&str, &str)]) -> Option<String> {
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        check_all(settings, &variables).err().map(|error| error.to_string())
    }

    #[test]
    fn what_cannot_be_used_is_named_and_never_shown() {
        for (variable, values) in [
            ("AWS_REGION", &["us-east-1 ", "us-east-1\n", "US-EAST-1", "us east", "sesame/", "-sesame", "ü"][..]),
            ("AWS_DEFAULT_REGION", &["us-east-1\n", "Sesame"]),
            ("AWS_PROFILE", &["sesame\n", " sesame", "ses\u{7}ame"]),
            ("AWS_DEFAULT_PROFILE", &["sesame\n"]),
            ("AWS_ACCESS_KEY_ID", &["AKIA\nsesame", "AKIA sesame", "sésame", "ses\u{0}ame"]),
            ("AWS_SECRET_ACCESS_KEY", &["AKIA\nsesame", "ses\tame"]),
            ("SECRET_ACCESS_KEY", &["AKIA\nsesame"]),
            ("AWS_SESSION_TOKEN", &["AKIA\r\nsesame", "ses ame"]),
            (
                "AWS_ENDPOINT_URL",
                &[
                    "sesame",
                    "ftp://sesame",
                    "http://",
                    "http://ses ame/",
                    "http://h:sesame/",
                    "http://h:99999/",
                    "http://sesame/\n",
                ],
            ),
            ("AWS_ENDPOINT_URL_SNS", &["sesame:4566"]),
            ("AWS_CONFIG_FILE", &["/sesame\n"]),
            ("AWS_CA_BUNDLE", &["/sesame\n"]),
            ("AWS_ROLE_ARN", &["arn:sesame\n"]),
        ] {
            for value in values {
                let told = refused(&Aws::default(), &[(variable, value)]).unwrap_or_else(|| panic!("{variable}"));
                assert!(told.starts_with(variable) && !told.contains("esame"), "{told}");
            }
        }
        let bytes = OsString::from_vec(vec![b'a', 0xff]);
        assert!(check_all(&Aws::default(), &[("AWS_ACCESS_KEY_ID".into(), bytes)]).is_err());
    }

    #[test]
    fn empty_and_blank_variables_are_not_set_and_keys_lose_the_white_space_around_them() {
        let variables = [
            ("AWS_REGION", " "),
            ("AWS_PROFILE", ""),
            ("AWS_ENDPOINT_URL", ""),
            ("AWS_CA_BUNDLE", "\t"),
            ("AWS_ACCESS_KEY_ID", "AKIA\n"),
            ("AWS_SESSION_TOKEN", "\n"),
        ];
        assert_eq!(refused(&Aws::default(), &variables), None);
        let env = cleaned(variables.iter().map(|(name, value)| (name.into(), value.into())));
        for name in ["AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN"] {
            assert!(env.get(name).is_err(), "{name}");
        }
        assert_eq!(env.get("AWS_ACCESS_KEY_ID").as_deref(), Ok("AKIA"));
    }

    #[test]
    fn what_is_not_in_force_is_not_refused() {
        let settings = Aws { region: Some("eu-west-1".to_owned()), profile: Some("sms".to_owned()), ..Aws::default() };
        let all = [("AWS_REGION", "X Y"), ("AWS_PROFILE", "x\n"), ("AWS_ACCESS_KEY_ID", "A B")];
        assert_eq!(refused(&settings, &all), None);
        assert_eq!(refused(&Aws::default(), &[("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "X Y")]), None);
        assert_eq!(refused(&Aws::default(), &[("AWS_PRIVATE_KEY_OF_MINE", "-----BEGIN\n")]), None);
    }
}
