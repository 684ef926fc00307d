//! The credentials file before a key goes there: what would keep it from being put there, or from being used, is told before
//! anything is changed.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use account::{Account, Ran};

const THEIRS: &str = "[sms]\naws_access_key_id = T\naws_secret_access_key = hush\n";

/// The program as the profile of the file that the SDKs read, and not as keys in the environment.
fn as_profile(account: &Account, profile: &str, arguments: &[&str]) -> Ran {
    let mut command = account.command(account.moto.endpoint(), arguments);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", profile);
    Account::ran(command)
}

/// An account whose administrator has a home with those files.
fn with_files(config: &str, credentials: &str) -> Account {
    let account = Account::new();
    fs::create_dir(account.home.path().join(".aws")).unwrap();
    fs::write(account.home.path().join(".aws/config"), config).unwrap();
    fs::write(account.credentials(), credentials).unwrap();
    account
}

#[test]
fn a_file_that_no_key_can_be_put_in_is_told_by_the_plan_and_stops_apply_before_anything_is_changed() {
    let account = with_files("", "");
    let before = account.state();
    let path = |name: &str| account.home.path().join(name);
    fs::write(path("latin"), b"[default]\naws_secret_access_key = hush\xff\n").unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink(path("round"), path("trip")).unwrap();
    symlink(path("trip"), path("round")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    fs::write(path("foreign"), THEIRS).unwrap();
    fs::create_dir(path("foreign.replaced")).unwrap();
    for (name, why) in [
        ("latin", "latin is not UTF-8 text"),
        ("folder", "folder: it is not a file"),
        ("pipe", "pipe: it is not a file"),
        ("round", "its symbolic links lead in a circle"),
        ("latin/below", "Not a directory"),
        ("foreign", "foreign.replaced: it is not a file"),
    ] {
        let file = format!("--set=account.credentials_file={}", path(name).display());
        let plan = account.run(&["plan", &file]).ended(0);
        let apply = account.run(&["apply", "--yes", &file]).ended(1);
        assert!(plan.out.contains("Note: apply changes nothing before this is mended: access key"), "{}", plan.out);
        assert!(apply.err.contains("nothing was changed: access key"), "{}", apply.err);
        for told in [plan.out, apply.err] {
            assert!(told.contains(why) && told.contains("account.credentials_file"), "{told}");
            assert!(!told.contains("hush"), "a secret was shown");
        }
        assert_eq!(account.state(), before, "{name}");
    }
}

#[test]
fn without_a_home_the_plan_says_that_a_file_has_to_be_named() {
    let account = Account::new();
    let homeless = |arguments: &[&str]| {
        let mut command = account.command(account.moto.endpoint(), arguments);
        command.env_remove("HOME");
        Account::ran(command)
    };
    let plan = homeless(&["plan"]).ended(0);
    assert!(plan.out.contains("set account.credentials_file, or HOME for its default"), "{}", plan.out);
    homeless(&["apply", "--yes"]).ended(1);
    homeless(&["apply", "--yes", "--set=account.credentials_file=keys"]).ended(0);
    assert!(fs::read_to_string(account.home.path().join("keys")).unwrap().starts_with("[sms]\n"));
}

#[test]
fn the_credentials_that_a_command_runs_with_are_not_replaced_by_a_key() {
    let config = "[profile through]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = prod\n";
    let admin = "[prod]\naws_access_key_id = testing\naws_secret_access_key = testing\n";
    let account = with_files(config, admin);
    let target = "[[targets]]\nname = \"prod\"\nregion = \"us-east-1\"\nprofile = \"prod\"\n";
    fs::write(account.home.path().join("targets.toml"), target).unwrap();
    let before = account.state();
    let named = "--set=account.name=prod";
    let plan = as_profile(&account, "prod", &["plan", named]).ended(0);
    let why = "the credentials of this very command come from the profile prod";
    assert!(plan.out.contains(why), "{}", plan.out);
    for (profile, arguments) in [
        ("prod", &["apply", "--yes", named][..]),
        ("through", &["apply", "--yes", named]),
        ("nobody", &["apply", "--yes", "--config=targets.toml", "--target=prod"]),
    ] {
        let apply = as_profile(&account, profile, arguments).ended(1);
        assert!(apply.err.contains(why) && apply.err.contains("nothing was changed"), "{}", apply.err);
    }
    assert_eq!(account.state(), before);

    as_profile(&account, "prod", &["apply", "--yes", named, "--set=account.credentials_file=keys"]).ended(0);
    let rotate = as_profile(&account, "prod", &["keys", "rotate", named]).ended(1);
    assert!(rotate.err.contains("no key was made: ") && rotate.err.contains(why), "{}", rotate.err);
    assert_eq!(fs::read_to_string(account.credentials()).unwrap(), admin);
}

#[test]
fn what_the_sdks_take_before_the_key_of_a_profile_is_told() {
    let config = "[profile sms]\nrole_arn = arn:aws:iam::123456789012:role/other\nsource_profile = base\n";
    let account = with_files(config, "");
    let note = format!("the profile sms has role_arn in {}", account.home.path().join(".aws/config").display());
    let plan = account.run(&["plan"]).ended(0);
    let apply = account.run(&["apply", "--yes"]).ended(0);
    let rotate = account.run(&["keys", "rotate"]).ended(0);
    let again = account.run(&["plan", "--detailed-exitcode"]).ended(0);
    for told in [plan.out, apply.err, rotate.err, again.out] {
        assert!(told.contains(&note) && told.contains("before the key"), "{told}");
    }
}

#[test]
fn links_are_followed_to_where_what_is_replaced_is_kept() {
    let account = with_files("", THEIRS);
    let (kept, real) = (account.home.path().join(".aws/credentials.replaced"), account.home.path().join("real"));
    symlink(&real, &kept).unwrap();
    account.run(&["apply", "--yes"]).ended(0);
    assert!(fs::symlink_metadata(&kept).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().ends_with(THEIRS));
}
