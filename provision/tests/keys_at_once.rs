//! Keys of the sender while another run works on them, on this machine or elsewhere, and files that cannot be replaced: no
//! key is made whose secret is lost, and no file is left with a key that is dead.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use account::{Account, Ran};

const USER: &str = "sms-sender-us-east-1";

fn keys(account: &Account) -> Vec<String> {
    let script =
        format!("print(*(k['AccessKeyId'] for k in iam.list_access_keys(UserName='{USER}')['AccessKeyMetadata']))");
    account.boto(&script).split_whitespace().map(ToOwned::to_owned).collect()
}

/// An account that is as the settings have it, but for the sender's key.
fn without_a_key() -> Account {
    let account = Account::new();
    account.run(&["apply", "--yes", "--set=account.create_access_key=false"]).ended(0);
    account
}

/// A key that a run elsewhere has just made and is still writing down, or was cut off from writing down.
fn made_elsewhere(account: &Account, since: &str) -> String {
    let script = format!(
        "import datetime\n\
         now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')\n\
         iam.tag_user(UserName='{USER}', Tags=[{{'Key': 'sms:key-pending', 'Value': {since} + '/elsewhere'}}])\n\
         print(iam.create_access_key(UserName='{USER}')['AccessKey']['AccessKeyId'])"
    );
    account.boto(&script).trim().to_owned()
}

#[test]
fn a_key_that_a_run_elsewhere_is_writing_down_is_waited_for_and_left_alone() {
    let account = without_a_key();
    let theirs = made_elsewhere(&account, "now");
    let refused = account.run(&["keys", "rotate"]).ended(1);
    assert!(refused.err.contains("another run of sms-provision is making a key"), "{}", refused.err);
    let mut apply = account.command(account.moto.endpoint(), &["apply", "--yes"]);
    let apply = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The other run ends while this one waits. Had this one not waited, the key would be gone.
    std::thread::sleep(Duration::from_secs(4));
    account.boto(&format!("iam.untag_user(UserName='{USER}', TagKeys=['sms:key-pending'])"));
    let output = apply.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(keys(&account), [theirs]);
    assert!(!account.credentials().exists(), "there is one key, and its secret is elsewhere");
}

#[test]
fn a_key_whose_run_elsewhere_was_cut_off_long_ago_is_replaced() {
    let account = without_a_key();
    let theirs = made_elsewhere(&account, "'2020-01-01T00:00:00Z'");
    account.run(&["apply", "--yes"]).ended(0);
    let now = keys(&account);
    assert!(now.len() == 1 && now != [theirs], "{now:?}");
    assert!(fs::read_to_string(account.credentials()).unwrap().contains(&now[0]));
}

/// Each of them makes no key, or writes the one that it makes into its own file.
#[test]
fn two_applies_at_once_from_two_homes_leave_no_file_with_a_dead_key() {
    let account = without_a_key();
    let other = tempfile::tempdir().unwrap();
    let mut here = account.command(account.moto.endpoint(), &["apply", "--yes"]);
    let mut there = account.command(account.moto.endpoint(), &["apply", "--yes"]);
    there.env("HOME", other.path()).current_dir(other.path());
    let both = [&mut here, &mut there].map(|run| run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    for mut run in both {
        assert!(run.wait().unwrap().success());
    }
    let files = [account.credentials(), other.path().join(".aws/credentials")];
    let texts = files.map(|file| fs::read_to_string(file).unwrap_or_default());
    let alive = keys(&account);
    assert!(texts.iter().any(|text| !text.is_empty()), "one of them made a key");
    for text in texts.iter().filter(|text| !text.is_empty()) {
        assert!(alive.iter().any(|key| text.contains(key)), "{alive:?}");
    }
}

#[test]
fn an_older_key_that_no_rotation_has_left_behind_is_not_deleted() {
    let account = without_a_key();
    let older = account.boto(&format!("print(iam.create_access_key(UserName='{USER}')['AccessKey']['AccessKeyId'])"));
    // So that their dates differ, which IAM gives in seconds.
    std::thread::sleep(Duration::from_millis(1100));
    let newer = account.boto(&format!(
        "key = iam.create_access_key(UserName='{USER}')['AccessKey']\n\
         print('[sms]\\naws_access_key_id =', key['AccessKeyId'], '\\naws_secret_access_key =', key['SecretAccessKey'])"
    ));
    fs::create_dir(account.home.path().join(".aws")).unwrap();
    fs::write(account.credentials(), newer).unwrap();
    let refused = account.run(&["keys", "rotate"]).ended(1);
    assert!(refused.err.contains("older than that of") && refused.err.contains("keys revoke"), "{}", refused.err);
    assert_eq!(keys(&account).len(), 2);
    account.run(&["keys", "revoke", older.trim(), "--yes"]).ended(0);
    account.run(&["keys", "rotate"]).ended(0);
    assert_eq!(keys(&account).len(), 1);
}

/// As with a single file that is mounted into a container: it can be written to, and not be replaced.
#[test]
fn a_key_goes_into_a_file_that_is_a_mount_of_its_own() {
    let account = Account::new();
    let folder = account.home.path().join(".aws");
    fs::create_dir(&folder).unwrap();
    fs::write(account.home.path().join("real"), "[default]\nregion = eu-west-1\n").unwrap();
    fs::write(account.credentials(), "").unwrap();
    let mounted = |arguments: &[&str]| -> Option<Ran> {
        let inner = account.command(account.moto.endpoint(), arguments);
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command.arg(r#"mount --bind real .aws/credentials && exec "$@""#).arg("sh").arg(inner.get_program());
        command.args(inner.get_args()).env_clear().current_dir(account.home.path()).stdin(Stdio::null());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let ran = Account::ran(command);
        let cannot = ran.err.starts_with("unshare:") || ran.err.starts_with("mount:");
        if cannot {
            std::io::stderr().write_all(format!("no file can be mounted here: {}", ran.err).as_bytes()).unwrap();
        }
        (!cannot).then_some(ran)
    };
    let Some(apply) = mounted(&["apply", "--yes"]) else { return };
    apply.ended(0);
    let content = || fs::read_to_string(account.home.path().join("real")).unwrap();
    let first = keys(&account);
    assert!(
        first.len() == 1 && content().contains(&first[0]) && content().starts_with("[default]\nregion"),
        "{}",
        content()
    );
    mounted(&["keys", "rotate"]).unwrap().ended(0);
    let second = keys(&account);
    assert!(second.len() == 1 && second != first && content().contains(&second[0]) && !content().contains(&first[0]));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
}
