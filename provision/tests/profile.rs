//! A profile that is named and is in no file: told at once, by name and place, unless nobody needs it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::path::Path;
use std::process::Command;

use account::Account;

/// The program in an environment with a region and no keys. Where no profile names some, it asks nobody for them.
fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
    command.args(arguments).env_clear().env("HOME", home).current_dir(home).env("AWS_REGION", "us-east-1");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// A home that holds keys of the profile `admin`, and of no other.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let keys = "[admin]\naws_access_key_id = testing\naws_secret_access_key = testing\n";
    std::fs::write(home.path().join(".aws/credentials"), keys).unwrap();
    home
}

#[test]
fn it_is_named_with_what_names_it_and_where_it_was_looked_for() {
    let home = home();
    let target = "[[targets]]\nname = \"eu\"\nprofile = \"nope\"\n";
    std::fs::write(home.path().join("targets.toml"), target).unwrap();
    let by_variable = ("AWS_PROFILE", "nope");
    for (arguments, variable, names) in [
        (&["plan"][..], by_variable, "AWS_PROFILE names"),
        (&["apply", "--yes"], by_variable, "AWS_PROFILE names"),
        (&["plan", "--set=aws.profile=nope"], ("AWS_PROFILE", "admin"), "aws.profile (or the profile of the target)"),
        (&["plan", "--config=targets.toml", "--target=eu"], ("AWS_PROFILE", "admin"), "aws.profile (or the profile"),
        // Keys in the environment do not come before a profile that the settings name.
        (&["plan", "--set=aws.profile=nope"], ("AWS_ACCESS_KEY_ID", "A"), "aws.profile (or the profile of the target)"),
    ] {
        let mut command = command(home.path(), arguments);
        command.env(variable.0, variable.1).env("AWS_SECRET_ACCESS_KEY", "testing");
        let ran = Account::ran(command).ended(1);
        let files = [".aws/config (there is no such file)", ".aws/credentials: correct the name"];
        for part in ["there is no AWS profile \"nope\"", names, files[0], files[1], "AWS_SHARED_CREDENTIALS_FILE"] {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
        assert!(!ran.err.contains("no AWS credentials"), "{}", ran.err);
    }
}

#[test]
fn a_line_that_is_none_is_told_with_its_file_and_its_number() {
    let home = home();
    std::fs::write(home.path().join(".aws/config"), "[default]\nregion eu-west-1\n").unwrap();
    for variables in [&[][..], &[("AWS_PROFILE", "admin")]] {
        let mut command = command(home.path(), &["plan"]);
        command.envs(variables.iter().copied());
        let ran = Account::ran(command).ended(1);
        let place = format!("{} on line 2", home.path().join(".aws/config").display());
        assert!(ran.err.contains(&place) && ran.err.contains("mend that line"), "{}", ran.err);
    }
}

#[test]
fn a_login_that_is_over_or_was_never_begun_is_told_with_the_command_that_begins_one() {
    let home = home();
    let sso = "sso_account_id = 123456789012\nsso_role_name = admin\n";
    let config = format!(
        "[profile new]\nsso_session = s\n{sso}[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://sso.example\n\
         [profile old]\nsso_start_url = https://sso.example\nsso_region = us-east-1\n{sso}\
         [profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = new\n\
         [profile lost]\nsso_session = nowhere\n{sso}\
         [profile console]\nlogin_session = arn:aws:iam::123456789012:user/u\n"
    );
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let told = |profile: &str| {
        let mut command = command(home.path(), &["plan"]);
        command.env("AWS_PROFILE", profile);
        Account::ran(command).ended(1).err
    };
    for (profile, why, remedy) in [
        ("new", "there is no SSO login", "log in with: aws sso login --profile new\n"),
        ("old", "there is no login to read", "log in with: aws sso login --profile old\n"),
        ("role", "there is no SSO login", "log in with: aws sso login --profile new\n"),
        ("lost", "the profile names an sso-session that does not exist", "aws sso login --profile lost\n"),
        ("console", "does not log in in this way", "aws configure export-credentials --profile console\n"),
    ] {
        let told = told(profile);
        assert!(
            told.contains(why) && told.contains(remedy) && !told.contains("AWS_ACCESS_KEY_ID"),
            "{profile}: {told}"
        );
    }
    // The name of its file is the SHA-1 of the session's.
    let cache = home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = r#"{"accessToken":"sesame","expiresAt":"2020-01-01T00:00:00Z","region":"us-east-1","startUrl":"https://sso.example"}"#;
    std::fs::write(cache.join("a0f1490a20d0211c997b44bc357e1972deab8ae3.json"), token).unwrap();
    let told = told("new");
    let words = "the SSO token has expired; log in with: aws sso login --profile new\n";
    assert!(told.contains(words) && !told.contains("sesame"), "{told}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let home = home();
    let path = home.path().join(".aws/config");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let ran = Account::ran(command(home.path(), &["plan"])).ended(1);
    assert!(ran.err.contains(&format!("{} is a pipe or a socket", path.display())), "{}", ran.err);
}

#[test]
fn it_is_told_where_it_would_have_had_the_region() {
    let home = home();
    let mut command = command(home.path(), &["plan"]);
    command.env_remove("AWS_REGION").env("AWS_PROFILE", "nope");
    command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    let ran = Account::ran(command).ended(1);
    assert!(ran.err.contains("there is no AWS profile \"nope\""), "{}", ran.err);
}

#[test]
fn it_stands_in_nobodys_way_who_has_keys_and_a_region_without_it() {
    let account = Account::new();
    let mut command = account.command(account.moto.endpoint(), &["plan"]);
    command.env("AWS_PROFILE", "nope");
    Account::ran(command).ended(0);
}

#[test]
fn one_that_is_in_a_file_is_used() {
    let (account, home) = (Account::new(), home());
    let mut command = command(home.path(), &["plan"]);
    command.env("AWS_PROFILE", "admin").env("AWS_ENDPOINT_URL", account.moto.endpoint());
    Account::ran(command).ended(0);
}
