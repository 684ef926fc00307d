//! The program as its users meet it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::process::Command;

use peers::Peer;

/// Exit status, standard output, standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sms-provision")).args(arguments).env_clear().output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn help_says_what_it_is_and_what_it_can_do() {
    for flag in ["--help", "-h"] {
        let (status, told, errors) = run(&[flag]);
        assert_eq!((status, errors.as_str()), (Some(0), ""), "{flag}");
        assert!(told.contains("AWS account") && told.contains("Usage: sms-provision"), "{told}");
        for command in ["plan", "apply", "destroy"] {
            assert!(told.contains(&format!("\n  {command} ")), "{told}");
        }
    }
}

#[test]
fn version_is_that_of_the_package() {
    assert_eq!(run(&["--version"]), (Some(0), format!("sms-provision {}\n", env!("CARGO_PKG_VERSION")), String::new()));
}

#[test]
fn a_usage_error_and_nothing_to_do_exit_with_1() {
    for arguments in [&["plan", "--nonsense"][..], &["nonsense"], &["plan", "--parallel", "0"], &["--set"], &[]] {
        let (status, told, errors) = run(arguments);
        assert_eq!((status, told.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(errors.contains("--help") || errors.contains("Usage: sms-provision"), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_command_or_flag_that_is_nearly_one_gets_the_right_one_named() {
    for (arguments, meant) in [(&["aply"][..], "'apply'"), (&["plan", "--jsn"], "'--json'")] {
        let (status, _, errors) = run(arguments);
        assert!(status == Some(1) && errors.contains("similar") && errors.contains(meant), "{errors}");
    }
}

#[test]
fn settings_are_taken_before_and_after_the_command_and_a_wrong_one_ends_it() {
    for arguments in [&["--set", "account.name=UPPER", "plan"][..], &["plan", "--set=account.name=UPPER"]] {
        let (status, told, errors) = run(arguments);
        assert_eq!((status, told.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(errors.contains("account.name") && errors.contains("--set") && !errors.contains("UPPER"), "{errors}");
    }
}

#[test]
fn without_credentials_it_says_how_to_get_them_and_shows_nothing_of_the_sdk() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
    command.arg("plan").env_clear().env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
    let home = tempfile::tempdir().unwrap();
    let output = command.env("HOME", home.path()).current_dir(home.path()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("no AWS credentials") && errors.contains("AWS_PROFILE"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn without_a_region_it_says_where_to_set_it() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
    command.arg("plan").env_clear().env("HOME", home.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.current_dir(home.path()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("no AWS region") && errors.contains("aws.region"), "{errors}");
}

#[test]
fn an_endpoint_that_is_none_or_has_more_than_an_endpoint_is_named_and_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    let told = |variable: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.arg("plan").env_clear().env("HOME", home.path()).env("AWS_REGION", "us-east-1");
        let output = command.env(variable, value).current_dir(home.path()).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        errors
    };
    let errors = told("AWS_ENDPOINT_URL_IAM", "sesame:4566");
    assert!(errors.contains("AWS_ENDPOINT_URL_IAM") && !errors.contains("sesame"), "{errors}");
    for (variable, named) in [("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL"), ("SMS_AWS__ENDPOINT_URL", "aws.endpoint_url")] {
        for value in
            ["http://127.0.0.1:1/?token=sesame", "http://sesame:sesame@127.0.0.1:1", "http://127.0.0.1:1/#sesame"]
        {
            let errors = told(variable, value);
            assert!(errors.contains(named) && !errors.contains("sesame"), "{errors}");
        }
    }
}

/// moto without our bridge does not speak CBOR, and a proxy may answer so for a service that it does not know.
#[test]
fn a_stand_in_without_cloudwatch_is_told_with_the_section_that_says_what_to_do() {
    let peer = Peer::start(
        "moto without the bridge",
        "import sys\n\
         from moto.moto_server.threaded_moto_server import ThreadedMotoServer\n\
         server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)\n\
         server.start()\n\
         print('http://%s:%s' % server.get_host_and_port())\n\
         sys.stdin.read()\n\
         server.stop()",
    );
    let endpoint = peer.await_line("an address", |line| line.starts_with("http://"));
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
    command.arg("plan").env_clear().env("HOME", home.path()).current_dir(home.path());
    command.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("cloudwatch:DescribeAlarms: status 404") && told.contains("CBOR"), "{told}");
    let (_, rest) = told.split_once("see \"").unwrap();
    let (section, file) = rest.split_once("\" in ").unwrap();
    let file = file.split_once(';').unwrap().0;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(&format!("\n## {section}\n")), "{section}");
}
