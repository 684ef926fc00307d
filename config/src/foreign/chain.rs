//! Errors of the SDK and of the network: which of their causes are shown.
//!
//! A chain of errors holds the SDK's own words, what the operating system says, and whatever a peer wrote: a page of a
//! proxy, the error output of a program that should give credentials, a document that could not be parsed. The
//! operating system's words are shown, others only if they are written down here.

use std::error::Error;
use std::fmt::Write;
use std::io;

use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ErrorMetadata;

use super::form::filled;
use super::{LONGEST, ServiceError, one_line};

/// What is said where nothing of a chain is shown.
const HIDDEN: &str = "the reason is not shown, because it may quote secrets";

/// What aws-config writes before its words about a profile that cannot be used.
const OF_A_PROFILE: &str = "ProfileFile provider could not be built: ";

/// Words of libraries, and what is shown for them; nothing where the next cause says more.
const KNOWN: &[(&str, &str)] = &[
    ("service error", ""),
    ("other", ""),
    ("user error", ""),
    ("io error", ""),
    ("dispatch failure", ""),
    ("response error", "the answer cannot be read"),
    ("request has timed out", "no answer in time"),
    ("failed to construct request", "the request could not be made"),
    ("timeout", "no answer in time"),
    ("deadline has elapsed", "no answer in time"),
    ("{any} timeout occurred after {any}", "no answer in time"),
    ("length limit exceeded", "the answer is too long"),
    // hyper, hyper-util and h2.
    ("client error (Connect)", "cannot connect"),
    // It covers what fails while the answer is read too, so it does not say whether the request went out.
    ("client error (SendRequest)", "the connection failed"),
    ("client error (Canceled)", "the request was canceled"),
    ("client error (ChannelClosed)", "the connection was closed"),
    ("tcp connect error", ""),
    ("invalid URL, scheme is missing", "the endpoint is not a URL with http:// or https://"),
    ("invalid URL, scheme is not http", "the endpoint is not a URL with http:// or https://"),
    ("invalid URL, host is missing", "the endpoint has no host"),
    ("client requires absolute-form URIs", "the endpoint is not a URL with http:// or https://"),
    ("dns error", "the name of the host cannot be resolved"),
    ("failed to lookup address information: {any}", ""),
    ("connection error", "the connection failed"),
    ("connection closed before message completed", "the connection was closed before the answer was complete"),
    ("error reading a body from connection", "the answer broke off"),
    ("error writing a body to connection", "the connection broke off"),
    ("operation was canceled", "the request was canceled"),
    ("end of file before message length reached", "the answer broke off"),
    ("message head is too large", "the head of the answer is too long"),
    ("http2 error", "the HTTP/2 connection failed"),
    ("invalid HTTP version parsed", "the answer is not HTTP"),
    ("invalid HTTP version parsed (found HTTP2 preface)", "the answer is not HTTP/1"),
    ("invalid HTTP status-code parsed", "the answer is not HTTP"),
    ("invalid HTTP header parsed", "the answer is not HTTP"),
    ("tunnel error: failed to create underlying connection", "cannot connect to the proxy"),
    ("tunnel error: unsuccessful", "the proxy refuses the connection"),
    ("tunnel error: proxy authorization required", "the proxy asks for a password"),
    ("tunnel error: unexpected end of file", "the proxy closed the connection"),
    // rustls, where only its text is left.
    ("invalid peer certificate", "the certificate is not trusted"),
    ("UnknownIssuer", "UnknownIssuer"),
    ("BadSignature", "BadSignature"),
    ("Expired", "Expired"),
    ("NotValidYet", "NotValidYet"),
    ("NotValidForName", "NotValidForName"),
    ("certificate expired", "it has expired"),
    ("certificate not valid for name {any}", "it is of another host"),
    // gRPC.
    ("Cancelled", "Cancelled"),
    ("DeadlineExceeded", "DeadlineExceeded"),
    ("FailedPrecondition", "FailedPrecondition"),
    ("Internal", "Internal"),
    ("InvalidArgument", "InvalidArgument"),
    ("NotFound", "NotFound"),
    ("PermissionDenied", "PermissionDenied"),
    ("ResourceExhausted", "ResourceExhausted"),
    ("Unauthenticated", "Unauthenticated"),
    ("Unavailable", "Unavailable"),
    ("Unimplemented", "Unimplemented"),
    ("Unknown", "Unknown"),
    ("transport error", ""),
    ("Operation failed", ""),
    // aws-config.
    ("the credential provider was not enabled", "there is no source of credentials"),
    (
        "no credentials found in chain. Attempted:{any}",
        "environment, profile, web identity, container and instance have none",
    ),
    (
        "no providers in chain provided credentials",
        "environment, profile, web identity, container and instance have none",
    ),
    ("no source of credentials", ""),
    ("credentials provider timed out after {n} seconds", "the credentials took too long"),
    ("the credentials provider was not properly configured", "the source of the credentials is set up wrongly"),
    ("an error occurred while loading credentials", "the credentials could not be loaded"),
    ("unexpected credentials error", "the credentials could not be loaded"),
    ("No profiles were defined", "there is no profile"),
    ("invalid profile: {any}", "the AWS configuration cannot be read"),
    ("profile `{name}` was not defined: {any}", "there is no such profile"),
    ("profile `{name}` did not contain credential information", "the profile has no credentials"),
    ("profile formed an infinite loop. {any}", "the profiles take their credentials from each other, in a circle"),
    ("missing credential source in `{name}`: {any}", "the profile names no source of its credentials"),
    ("invalid credential source in `{name}`: {any}", "the source of credentials of the profile is not a valid one"),
    (
        "profile referenced `{name}` provider but that provider is not supported{any}",
        "credential_source of the profile is not a known one",
    ),
    ("This behavior requires following cargo feature(s) enabled: {any}", "this program does not log in in this way"),
    (
        "sso-session named `{name}` (referenced by profile `{name}`) was not found",
        "the profile names an sso-session that does not exist",
    ),
    ("profile `{name}` has invalid SSO config: {any}", "the SSO settings of the profile are not complete"),
    ("the SSO token has expired and cannot be refreshed", "the SSO token has expired"),
    ("failed to load the cached SSO token", "there is no SSO login"),
    ("failed to read `{any}`", "there is no login to read"),
    ("cached Login token is expired", "the login has expired"),
    (
        "Error retrieving credentials: external process exited with code exit status: {n}. Stderr: {any}",
        "credential_process ended with an error; run its command by hand to see why",
    ),
    (
        "Error retrieving credentials: external process exited with code {any}. Stderr: {any}",
        "credential_process ended with an error; run its command by hand to see why",
    ),
    (
        "Error retrieving credentials from external process: {any}",
        "credential_process could not be run, or printed something unreadable",
    ),
    (
        "Error retrieving credentials from external process, could not parse response: {any}",
        "credential_process printed something other than the credentials",
    ),
    ("$AWS_WEB_IDENTITY_TOKEN_FILE was not set", "AWS_WEB_IDENTITY_TOKEN_FILE is not set"),
    ("AWS_ROLE_ARN environment variable must be set", "AWS_ROLE_ARN is not set"),
    ("WebIdentityToken was not valid UTF-8", "the web identity token is not text"),
    ("could not communicate with IMDS", "the instance metadata service does not answer"),
    ("failed to load IMDS session token", "the instance metadata service gives no session token"),
    ("an IO error occurred communicating with IMDS", "the instance metadata service does not answer"),
    ("an unexpected error occurred communicating with IMDS", "the instance metadata service does not answer"),
    ("received 404 from IMDS", "the instance has no role"),
    ("failing status code returned from IMDS", "the instance metadata service refuses"),
    ("error response from IMDS (code: {n}). {any}", "the instance metadata service refuses"),
    (
        "request forbidden: IMDS is disabled or the caller has insufficient permissions",
        "the instance metadata service is disabled",
    ),
    ("Error retrieving credentials from IMDS: {any}", "the instance metadata service has no credentials"),
    (
        "URI did not refer to an allowed IP address",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that is not allowed",
    ),
    ("invalid full URI for ECS provider ({any}): {any}", "AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL"),
    ("invalid relative URI for ECS provider ({any}): {any}", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path"),
    ("invalid JSON in response: {any}", "the source of the credentials answers something unreadable"),
    (
        "Expected field `{any}` in response but it was missing",
        "the source of the credentials answers without all of its parts",
    ),
];

/// Words of our own in a chain of errors, which are shown as they are.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct OwnWords(pub String);

/// The causes of an error, one after the other, as far as they may be shown: one line without anything that a peer wrote.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |error| below(*error)) {
        if let Some(service) = service_error_of(cause) {
            words.push(service.to_string());
            break;
        }
        let Some(shown) = shown(cause).filter(|shown| !shown.is_empty()) else { continue };
        // Many an error repeats its source in its own words.
        if !words.contains(&shown) {
            words.push(shown);
        }
    }
    if words.is_empty() {
        return HIDDEN.to_owned();
    }
    one_line(&words.join(": "), LONGEST)
}

/// The same for causes that a library wrote one after the other into one text.
pub fn causes_in(text: &str) -> String {
    let mut words: Vec<String> =
        text.split(": ").filter_map(|part| of_the_system(part).or_else(|| known(part))).collect();
    words.retain(|word| !word.is_empty());
    words.dedup();
    if words.is_empty() { HIDDEN.to_owned() } else { one_line(&words.join(": "), LONGEST) }
}

/// Words of the operating system that went through somebody else's hands: taken for its own only if they are the same.
fn of_the_system(text: &str) -> Option<String> {
    let number = text.rsplit_once("(os error ")?.1.strip_suffix(')')?.parse().ok()?;
    Some(io::Error::from_raw_os_error(number).to_string()).filter(|own| own == text)
}

/// What AWS answered, if that is among the causes.
pub fn service_error(error: &(dyn Error + 'static)) -> Option<ServiceError> {
    std::iter::successors(Some(error), |error| below(*error)).find_map(service_error_of)
}

/// The next cause. What an `io::Error` wraps is no source of it.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn service_error_of(error: &(dyn Error + 'static)) -> Option<ServiceError> {
    const STS: &str = "STS";
    if let Some(error) = error.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>() {
        return error.as_service_error().map(|_| ServiceError::of(STS, error));
    }
    if let Some(error) = error.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>() {
        return error.as_service_error().map(|_| ServiceError::of(STS, error));
    }
    let metadata = error.downcast_ref::<ErrorMetadata>().filter(|metadata| metadata.code().is_some())?;
    Some(ServiceError::new("AWS", None, metadata.code(), metadata.message(), None))
}

fn shown(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match (error.raw_os_error(), error.get_ref()) {
            // From the operating system, and not from a peer.
            (Some(number), _) => Some(io::Error::from_raw_os_error(number).to_string()),
            (None, None) => Some(error.kind().to_string()),
            (None, Some(_)) => known(&error.to_string()),
        };
    }
    if let Some(OwnWords(words)) = error.downcast_ref::<OwnWords>() {
        return Some(words.clone());
    }
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(certificate(error));
    }
    known(&error.to_string())
}

fn known(text: &str) -> Option<String> {
    let text = text.strip_prefix(OF_A_PROFILE).unwrap_or(text);
    KNOWN.iter().find(|(form, _)| filled(form, text).is_some()).map(|(_, shown)| (*shown).to_owned())
}

/// A handshake that failed: the kind of failure, without the names that a peer put into its certificate.
fn certificate(error: &rustls::Error) -> String {
    let mut words = String::from("TLS: ");
    let written = match error {
        rustls::Error::InvalidCertificate(why) => {
            let why = format!("{why:?}");
            let kind: String = why.chars().take_while(char::is_ascii_alphanumeric).take(40).collect();
            write!(words, "the certificate is not trusted ({kind})")
        }
        rustls::Error::AlertReceived(alert) => write!(words, "the other end breaks off ({alert:?})"),
        _ => write!(words, "the handshake failed; is that an https endpoint?"),
    };
    // Writing into a string cannot fail.
    written.unwrap_or_default();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Box<dyn Error + Send + Sync>);

    fn chain(words: &[&'static str], last: impl Into<Box<dyn Error + Send + Sync>>) -> String {
        let error = words.iter().rev().fold(last.into(), |below, words| Box::new(Layer(words, below)));
        causes(&*error)
    }

    #[test]
    fn a_refused_connection_is_told_by_what_the_system_says() {
        let refused = io::Error::from_raw_os_error(111);
        let told = chain(&["dispatch failure", "io error", "client error (Connect)", "tcp connect error"], refused);
        assert_eq!(told, "cannot connect: Connection refused (os error 111)");
    }

    #[test]
    fn a_connection_that_fails_after_the_request_was_sent_is_not_told_as_a_request_that_was_not() {
        let told = chain(
            &["dispatch failure", "io error", "client error (SendRequest)"],
            "connection closed before message completed",
        );
        assert_eq!(told, "the connection failed: the connection was closed before the answer was complete");
    }

    #[test]
    fn what_a_peer_wrote_is_not_shown_wherever_it_stands() {
        for words in ["<html>sesame 424242</html>", "Stderr: sesame", "invalid XML root `sesame`\nINFO forged"] {
            assert_eq!(chain(&["response error"], words), "the answer cannot be read");
            assert_eq!(chain(&[], words), HIDDEN);
            assert_eq!(chain(&[], io::Error::other(words)), HIDDEN);
        }
        let process =
            "Error retrieving credentials: external process exited with code exit status: 1. Stderr: sesame\n";
        let told = chain(&["an error occurred while loading credentials"], process);
        assert!(told.starts_with("the credentials could not be loaded: credential_process ended"), "{told}");
        assert!(!told.contains("sesame"), "{told}");
    }

    #[test]
    fn causes_in_one_text_are_told_by_the_same_rules() {
        let text = "Unavailable: transport error: tcp connect error: Connection refused (os error 111)";
        assert_eq!(causes_in(text), "Unavailable: Connection refused (os error 111)");
        assert_eq!(causes_in("sesame (os error 111)"), HIDDEN);
        assert_eq!(causes_in("Unauthenticated: sesame"), "Unauthenticated");
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_told_without_its_names() {
        let error = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let told = chain(&["client error (Connect)"], io::Error::other(error));
        assert_eq!(told, "cannot connect: TLS: the certificate is not trusted (UnknownIssuer)");
    }

    #[test]
    fn what_aws_answered_is_found_below_the_words_of_the_sdk() {
        let message = "User: sesame is not authorized to perform: sts:AssumeRole on resource: sesame";
        let answer = ErrorMetadata::builder().code("AccessDenied").message(message).build();
        let told = chain(
            &["an error occurred while loading credentials", "service error", "unhandled error (AccessDenied)"],
            answer,
        );
        assert!(told.starts_with("the credentials could not be loaded: AccessDenied: "), "{told}");
        assert!(told.contains("sts:AssumeRole") && !told.contains("sesame") && !told.contains("unhandled"), "{told}");
    }
}
