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
    let why = "is one that the settings or this command take credentials from";
    assert!(plan.out.contains(why) && plan.out.contains("the profile prod in "), "{}", plan.out);
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
fn neither_a_source_that_is_asked_later_nor_another_target_makes_an_administrator_s_profile_ours() {
    let admin = "[prod]\naws_access_key_id = testing\naws_secret_access_key = testing\n\
        [other]\naws_access_key_id = testing\naws_secret_access_key = testing\n";
    let account = with_files("[default]\naws_access_key_id = testing\naws_secret_access_key = testing\n", admin);
    let targets = "[[targets]]\nname = \"eu\"\nregion = \"us-east-1\"\nprofile = \"prod\"\n\
        [[targets]]\nname = \"prod\"\nregion = \"us-west-2\"\nprofile = \"other\"\n";
    fs::write(account.home.path().join("targets.toml"), targets).unwrap();
    let unnamed = "[[targets]]\nname = \"eu\"\nregion = \"us-east-1\"\n\
        [[targets]]\nname = \"prod\"\nregion = \"us-west-2\"\nprofile = \"other\"\n";
    fs::write(account.home.path().join("unnamed.toml"), unnamed).unwrap();
    let mut command = account.command(account.moto.endpoint(), &["apply", "--yes", "--set=account.name=prod"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", "prod");
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
    let config = format!("--set=account.credentials_file={}", account.home.path().join(".aws/config").display());
    for (ran, why) in [
        (Account::ran(command), "take credentials from"),
        (account.run(&["apply", "--yes", "--config=targets.toml", "--target=prod"]), "take credentials from"),
        (
            as_profile(&account, "prod", &["apply", "--yes", "--config=unnamed.toml", "--target=prod"]),
            "take credentials from",
        ),
        (account.run(&["apply", "--yes", &config]), "is the AWS configuration file"),
    ] {
        let ran = ran.ended(1);
        assert!(ran.err.contains(why) || ran.out.contains(why), "{} {}", ran.err, ran.out);
    }
    assert_eq!(fs::read_to_string(account.credentials()).unwrap(), admin);
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_keeps_nothing_else_from_being_shown_or_done() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    let key = fs::read_to_string(account.credentials()).unwrap();
    let bad = format!("--set=account.credentials_file={}", account.home.path().display());
    let what = "it is not a file";
    let status = account.run(&["status", "--json", &bad]);
    assert_eq!(status.json()["keys"][0]["in_credentials_file"], serde_json::Value::Null);
    for arguments in [&["plan", "--detailed-exitcode"][..], &["apply", "--yes"], &["keys", "list"]] {
        let ran = account.run(&[arguments, &[&bad]].concat()).ended(0);
        assert!(ran.out.contains(what) && ran.out.contains("not known"), "{}", ran.out);
    }
    // For all that is known, the key under the mark may be in it.
    account.boto(
        "iam.tag_user(UserName='sms-sender-us-east-1', Tags=[{'Key':'sms:key-pending','Value':'2020-01-01T00:00:00Z'}])",
    );
    let id = key.lines().find_map(|line| line.strip_prefix("aws_access_key_id = ")).unwrap();
    let before = account.state();
    for arguments in
        [&["apply", "--yes"][..], &["keys", "rotate"], &["keys", "revoke", id, "--yes"], &["destroy", "--yes"]]
    {
        let ran = account.run(&[arguments, &[&bad]].concat()).ended(1);
        assert!(ran.err.contains(what) || ran.out.contains(what), "{arguments:?}: {} {}", ran.err, ran.out);
        assert_eq!(account.state(), before, "{arguments:?}");
    }
}

#[test]
fn a_folder_in_which_no_file_can_be_made_stops_apply_before_anything_is_changed() {
    let account = Account::new();
    let before = account.state();
    let apply = account.run(&["apply", "--yes", "--set=account.credentials_file=/proc/sms/credentials"]).ended(1);
    assert!(
        apply.err.contains("nothing was changed: ") && apply.err.contains("cannot write /proc/sms"),
        "{}",
        apply.err
    );
    assert_eq!(account.state(), before);
}

#[test]
fn a_line_that_is_none_is_told_beside_keys_of_the_environment_too() {
    let account = with_files("", "[a]\nx = 1\nfoo\n");
    let plan = account.run(&["plan"]).ended(0);
    assert!(plan.out.contains("on line 3") && plan.out.contains("has no key"), "{}", plan.out);
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

#[test]
fn a_key_that_the_environment_does_not_look_for_in_its_file_is_told_of() {
    let account = with_files("", "");
    fs::create_dir(account.home.path().join("other")).unwrap();
    let keys = "[admin]\naws_access_key_id = testing\naws_secret_access_key = testing\n";
    fs::write(account.home.path().join("other/credentials"), keys).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = account.command(account.moto.endpoint(), arguments);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", "admin");
        // The shell leaves ~ alone where it is quoted; the SDK for Rust and the AWS CLI read it as the home folder.
        command.env("AWS_SHARED_CREDENTIALS_FILE", "~/other/credentials");
        Account::ran(command)
    };
    let other = account.home.path().join("other/credentials");
    let told = format!(
        "its file is {}, and AWS_SHARED_CREDENTIALS_FILE names {}",
        account.credentials().display(),
        other.display()
    );
    let plan = run(&["plan"]).ended(0);
    assert!(plan.out.contains(&told) && plan.out.contains("do not find the profile sms"), "{}", plan.out);
    let apply = run(&["apply", "--yes"]).ended(0);
    assert!(apply.err.contains(&told), "{}", apply.err);
    let agent = format!(" AWS_SHARED_CREDENTIALS_FILE={}", account.credentials().display());
    assert!(apply.out.contains(&agent), "{}", apply.out);
    let rotate = run(&["keys", "rotate"]).ended(0);
    assert!(format!("{rotate:?}").contains(&told), "{rotate:?}");

    // Where the settings name a file, it is meant; and the one that is read needs no word.
    let third = format!("--set=account.credentials_file={}", account.home.path().join("third").display());
    let read = format!("--set=account.credentials_file={}", other.display());
    for file in [&third, &read] {
        let plan = run(&["plan", file]).ended(0);
        assert!(!plan.out.contains("AWS_SHARED_CREDENTIALS_FILE"), "{}", plan.out);
    }
    account.moto.reset();
    let apply = run(&["apply", "--yes", &read, "--set=account.name=read"]).ended(0);
    assert!(!apply.out.contains("AWS_SHARED_CREDENTIALS_FILE="), "{}", apply.out);
    assert!(fs::read_to_string(&other).unwrap().contains("[read]"));
}
