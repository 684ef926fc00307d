//! The set-up as a process meets it: each scenario runs in a process of its own, since the SDK reads the environment.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials;

use super::*;

mod tls;

const OPTIONS: ClientOptions =
    ClientOptions { connect_timeout: Duration::from_secs(1), operation_attempt_timeout: None, retries: 0 };

/// Set where a test runs its scenario, in the process that it has started for it.
const SCENARIO: &str = "SCENARIO";

/// Runs the scenario of the test of that name in a process with this environment and no other.
fn scenario(test: &str, environment: &[(&str, &str)], run: impl Future<Output = ()>) {
    if std::env::var_os(SCENARIO).is_some() {
        return tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("aws::tests::{test}"), "--nocapture"])
        .env_clear()
        .env(SCENARIO, "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{errors}");
}

/// A credentials file of the test's own, removed with it.
struct KeyFile(PathBuf);

impl KeyFile {
    fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("sms-config-{}-{name}", std::process::id())));
        write_key(&file.0, "AKIDFIRST");
        file
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn write_key(path: &Path, key: &str) {
    let keys = format!("[other]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
    std::fs::write(path, keys).unwrap();
}

async fn key_id(access: &AwsAccess) -> String {
    access.credentials.provide_credentials().await.unwrap().access_key_id().to_owned()
}

#[test]
fn without_a_region_the_error_says_what_sets_it() {
    scenario("without_a_region_the_error_says_what_sets_it", &[], async {
        let error = AwsAccess::load(&Aws::default(), OPTIONS).await.unwrap_err();
        assert_eq!(error, AwsError::NoRegion);
        let told = error.to_string();
        assert!(
            told.contains("aws.region") && told.contains("SMS_AWS__REGION") && told.contains("AWS_REGION"),
            "{told}"
        );
    });
}

#[test]
fn our_keys_win_over_the_environment_and_what_they_leave_open_is_the_environments() {
    let file = KeyFile::new("precedence");
    let environment = [
        ("AWS_REGION", "us-west-2"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_SHARED_CREDENTIALS_FILE", file.path()),
        ("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    scenario("our_keys_win_over_the_environment_and_what_they_leave_open_is_the_environments", &environment, async {
        let access = AwsAccess::load(&Aws::default(), OPTIONS).await.unwrap();
        assert_eq!((access.region.as_str(), access.config.endpoint_url()), ("us-west-2", Some("http://127.0.0.1:9")));
        assert_eq!(key_id(&access).await, "AKIDENVIRONMENT");

        let settings = Aws {
            region: Some("eu-central-1".to_owned()),
            endpoint_url: Some("http://127.0.0.1:10".to_owned()),
            profile: Some("other".to_owned()),
            ..Aws::default()
        };
        let access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
        assert_eq!(
            (access.region.as_str(), access.config.endpoint_url()),
            ("eu-central-1", Some("http://127.0.0.1:10"))
        );
        assert_eq!(key_id(&access).await, "AKIDFIRST");
    });
}

#[test]
fn keys_that_were_replaced_in_the_file_are_seen_after_a_reload() {
    let file = KeyFile::new("reload");
    scenario(
        "keys_that_were_replaced_in_the_file_are_seen_after_a_reload",
        &[("AWS_REGION", "us-east-1"), ("AWS_SHARED_CREDENTIALS_FILE", file.path())],
        async {
            let settings = Aws { profile: Some("other".to_owned()), ..Aws::default() };
            let access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
            let path = PathBuf::from(std::env::var_os("AWS_SHARED_CREDENTIALS_FILE").unwrap());
            assert_eq!(key_id(&access).await, "AKIDFIRST");
            write_key(&path, "AKIDSECOND");
            assert_eq!(key_id(&access).await, "AKIDFIRST");
            access.credentials.reload();
            assert_eq!(key_id(&access).await, "AKIDSECOND");
        },
    );
}

#[test]
fn missing_credentials_are_told_in_words_and_appear_once_they_are_there() {
    let file = KeyFile::new("missing");
    std::fs::remove_file(&file.0).unwrap();
    scenario(
        "missing_credentials_are_told_in_words_and_appear_once_they_are_there",
        &[("AWS_REGION", "us-east-1"), ("AWS_SHARED_CREDENTIALS_FILE", file.path())],
        async {
            let settings = Aws { profile: Some("other".to_owned()), ..Aws::default() };
            let access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
            let why = access.credentials.ready().await.unwrap_err();
            assert!(why.contains("aws.profile") && !why.contains('{') && !why.contains('\n'), "{why}");
            write_key(&PathBuf::from(std::env::var_os("AWS_SHARED_CREDENTIALS_FILE").unwrap()), "AKIDLATE");
            assert!(access.credentials.ready().await.is_err(), "what is known from a moment ago is not asked again");
            assert_eq!(key_id(&access).await, "AKIDLATE", "the next attempt finds them by itself");
            assert_eq!(access.credentials.ready().await, Ok(()));
        },
    );
}

#[test]
fn a_file_that_is_written_after_the_start_is_found_by_the_chain_without_a_profile() {
    let file = KeyFile::new("late");
    std::fs::remove_file(&file.0).unwrap();
    scenario(
        "a_file_that_is_written_after_the_start_is_found_by_the_chain_without_a_profile",
        &[("AWS_REGION", "us-east-1"), ("AWS_SHARED_CREDENTIALS_FILE", file.path())],
        async {
            let access = AwsAccess::load(&Aws::default(), OPTIONS).await.unwrap();
            assert!(access.credentials.provide_credentials().await.is_err());
            let keys = "[default]\naws_access_key_id = AKIDLATE\naws_secret_access_key = secret\n";
            std::fs::write(std::env::var_os("AWS_SHARED_CREDENTIALS_FILE").unwrap(), keys).unwrap();
            assert_eq!(key_id(&access).await, "AKIDLATE");
            access.credentials.reload();
            drop(std::fs::remove_file(std::env::var_os("AWS_SHARED_CREDENTIALS_FILE").unwrap()));
            assert!(access.credentials.provide_credentials().await.is_err(), "and it is seen that it is gone");
        },
    );
}

#[test]
fn a_role_is_assumed_with_its_external_id_and_the_base_credentials() {
    scenario(
        "a_role_is_assumed_with_its_external_id_and_the_base_credentials",
        &[("AWS_ACCESS_KEY_ID", "AKIDBASE"), ("AWS_SECRET_ACCESS_KEY", "secret")],
        async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let endpoint = format!("http://{}", listener.local_addr().unwrap());
            let sts = std::thread::spawn(move || answer_once(&listener));
            let settings = Aws {
                region: Some("eu-central-1".to_owned()),
                endpoint_url: Some(endpoint),
                role_arn: Some("arn:aws:iam::123456789012:role/sender".to_owned()),
                external_id: Some("acme-7".to_owned()),
                ..Aws::default()
            };
            let access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
            assert_eq!(key_id(&access).await, "ASIAROLE");
            assert_eq!(access.credentials.ready().await, Ok(()), "known, so not asked again");
            let asked = sts.join().unwrap();
            for part in ["Credential=AKIDBASE/", "Action=AssumeRole", "role%2Fsender", "ExternalId=acme-7"] {
                assert!(asked.contains(part), "{part}: {asked}");
            }
        },
    );
}

const ROLE_ANSWER: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
     <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
     <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

/// STS, for one question.
fn answer_once(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut asked, mut buffer) = (String::new(), [0; 4096]);
    while !asked.contains("ExternalId=acme-7") {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{asked}");
        asked.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    let body = ROLE_ANSWER;
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    asked
}

#[tokio::test]
async fn time_outs_and_retries_are_the_callers() {
    let settings = Aws { region: Some("eu-central-1".to_owned()), ..Aws::default() };
    let access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
    let timeouts = access.config.timeout_config().unwrap();
    assert_eq!(timeouts.connect_timeout(), Some(OPTIONS.connect_timeout));
    assert_eq!(timeouts.operation_attempt_timeout(), None);
    assert_eq!(access.config.retry_config().unwrap().max_attempts(), 1);

    let patient = ClientOptions { operation_attempt_timeout: Some(Duration::from_secs(9)), retries: 4, ..OPTIONS };
    let access = AwsAccess::load(&settings, patient).await.unwrap();
    let timeouts = access.config.timeout_config().unwrap();
    assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(9)));
    assert_eq!(access.config.retry_config().unwrap().max_attempts(), 5);
}

#[test]
fn an_endpoint_elsewhere_may_be_set_for_all_services_or_for_one() {
    let name = "an_endpoint_elsewhere_may_be_set_for_all_services_or_for_one";
    scenario(name, &[("AWS_REGION", "us-west-2"), ("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")], async {
        let access = AwsAccess::load(&Aws::default(), OPTIONS).await.unwrap();
        assert!(access.has_endpoint_for("SQS") && !access.has_endpoint_for("SNS"));
        let settings = Aws { endpoint_url: Some("http://127.0.0.1:10".to_owned()), ..Aws::default() };
        let access = AwsAccess::load(&settings, OPTIONS).await.unwrap();
        assert!(access.has_endpoint_for("SQS") && access.has_endpoint_for("SNS"));
    });
}

#[test]
fn causes_are_told_once_each() {
    #[derive(Debug, thiserror::Error)]
    #[error("dispatch failure")]
    struct Outer(#[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("connect: {0}")]
    struct Inner(#[source] std::io::Error);
    let error = Outer(Inner(std::io::Error::other("refused")));
    assert_eq!(causes(&error), "dispatch failure: connect: refused");
}
