//! The sender's access key: made once, written where it belongs, never shown, never lost, and replaced with care.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod wire;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use account::{Account, Ran};
use serde_json::{Value, json};
use wire::Wire;

const USER: &str = "sms-sender-us-east-1";
const TAG: &str = "sms:key-pending";

/// The IDs of the user's keys in AWS, the oldest first.
fn keys(account: &Account) -> Vec<String> {
    let script = format!(
        "keys = iam.list_access_keys(UserName='{USER}')['AccessKeyMetadata']\n\
         print(json.dumps([k['AccessKeyId'] for k in sorted(keys, key=lambda k: k['CreateDate'])]))"
    );
    serde_json::from_str(&account.boto(&script)).unwrap()
}

fn tags(account: &Account) -> Vec<String> {
    let script = format!("print(json.dumps([t['Key'] for t in iam.list_user_tags(UserName='{USER}')['Tags']]))");
    serde_json::from_str(&account.boto(&script)).unwrap()
}

/// ID and secret of the profile in the file.
fn stored(account: &Account) -> (String, String) {
    let text = fs::read_to_string(account.credentials()).unwrap();
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).unwrap().to_owned();
    (value("aws_access_key_id"), value("aws_secret_access_key"))
}

fn applied() -> Account {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    account
}

fn mark(account: &Account, time: &str) {
    account.boto(&format!("iam.tag_user(UserName='{USER}', Tags=[{{'Key':'{TAG}','Value':'{time}'}}])"));
}

fn never_shown(ran: &Ran, secret: &str) {
    assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "a secret was shown");
}

#[test]
fn the_key_is_put_beside_what_is_in_the_file_and_shown_nowhere() {
    let account = Account::new();
    let others = "\u{feff}# mine\r\n[default]\r\nregion = eu-west-1\r\n[sms]\r\naws_access_key_id = STALE\r\n\r\n[z]";
    fs::create_dir(account.home.path().join(".aws")).unwrap();
    fs::write(account.credentials(), others).unwrap();
    let plan = account.run(&["plan", "--json"]).ended(0);
    assert!(plan.changes().contains(&format!("create iam_access_key {USER}")), "{}", plan.out);
    assert_eq!(plan.differing("iam_access_key", USER), ["credentials_file"]);
    assert_eq!(fs::read_to_string(account.credentials()).unwrap(), others);

    let apply = account.run(&["apply", "--yes"]).ended(0);
    let (id, secret) = stored(&account);
    never_shown(&apply, &secret);
    let kept = format!("{}.replaced", account.credentials().display());
    let note = format!("has credentials (access key STALE) that are not of the IAM user {USER}");
    for told in [&plan.out, &apply.err, &apply.out] {
        assert!(told.contains(&note) && told.contains(&kept), "{told}");
    }
    assert!(fs::read_to_string(&kept).unwrap().ends_with("[sms]\naws_access_key_id = STALE\r\n"));
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(keys(&account), std::slice::from_ref(&id));
    let key = format!("aws_access_key_id = {id}\r\naws_secret_access_key = {secret}\r\n");
    let expected = others.replace("aws_access_key_id = STALE\r\n", &key);
    assert_eq!(fs::read_to_string(account.credentials()).unwrap(), expected);
    assert_eq!(fs::metadata(account.credentials()).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!tags(&account).contains(&TAG.to_owned()));
    account.run(&["plan", "--detailed-exitcode"]).ended(0);

    account.run(&["destroy", "--yes"]).ended(0);
    let left = others.replace("[sms]\r\naws_access_key_id = STALE\r\n", "");
    assert_eq!(fs::read_to_string(account.credentials()).unwrap(), left);
}

#[test]
fn a_key_whose_file_is_not_there_is_left_alone() {
    let account = applied();
    let before = keys(&account);
    fs::remove_file(account.credentials()).unwrap();
    let plan = account.run(&["plan", "--detailed-exitcode"]).ended(0);
    assert!(plan.out.contains("keys rotate") && plan.out.contains("its secret is not in"), "{}", plan.out);
    account.run(&["apply", "--yes"]).ended(0);
    assert_eq!(keys(&account), before);
    assert!(!account.credentials().exists());
}

#[test]
fn a_key_is_replaced_only_if_it_was_made_under_the_mark() {
    let account = applied();
    let before = keys(&account);
    fs::remove_file(account.credentials()).unwrap();
    mark(&account, "2099-01-01T00:00:00Z");
    account.run(&["apply", "--yes"]).ended(0);
    assert_eq!(keys(&account), before);
    assert!(!tags(&account).contains(&TAG.to_owned()));

    mark(&account, "2020-01-01T00:00:00Z");
    let plan = account.run(&["plan", "--json"]).ended(0);
    assert_eq!(plan.changes(), [format!("update iam_access_key {USER}")]);
    account.run(&["apply", "--yes"]).ended(0);
    assert_ne!(keys(&account), before);
    assert_eq!(keys(&account), [stored(&account).0]);
    assert!(!tags(&account).contains(&TAG.to_owned()));
}

#[test]
fn a_mark_that_was_left_behind_goes_and_the_key_of_the_file_stays() {
    let account = applied();
    let before = stored(&account);
    for time in ["2020-01-01T00:00:00Z", "no time"] {
        mark(&account, time);
        let plan = account.run(&["plan", "--json"]).ended(0);
        assert_eq!(plan.differing("iam_access_key", USER), [format!("tags.{TAG}")]);
        account.run(&["apply", "--yes"]).ended(0);
        assert_eq!(stored(&account), before);
        assert_eq!(account.run(&["plan", "--json"]).ended(0).changes(), [""; 0]);
    }
}

#[test]
fn a_key_whose_answer_is_lost_is_deleted_and_made_anew_once_in_the_same_run() {
    let account = Account::new();
    let wire = Wire::without_answer_to(account.moto.endpoint(), "CreateAccessKey");
    let apply = Account::ran(account.command(wire.endpoint(), &["apply", "--yes"])).ended(1);
    assert!(apply.out.contains("iam:CreateAccessKey"), "{}", apply.out);
    let calls = |account: &Account, action: &str| account.moto.called().iter().filter(|one| *one == action).count();
    assert_eq!((calls(&account, "CreateAccessKey"), calls(&account, "DeleteAccessKey")), (2, 2));
    assert_eq!(keys(&account), [""; 0], "no key is left whose secret nobody has");
    account.run(&["apply", "--yes"]).ended(0);
    let first = stored(&account).0;
    assert_eq!(keys(&account), std::slice::from_ref(&first));

    for arguments in [&["keys", "rotate"][..], &["apply", "--yes"]] {
        if arguments == ["apply", "--yes"] {
            account.run(&["destroy", "--yes"]).ended(0);
        }
        let wire = Wire::without_first_answers(account.moto.endpoint());
        Account::ran(account.command(wire.endpoint(), arguments)).ended(0);
        assert_eq!(keys(&account), [stored(&account).0]);
        assert_ne!(stored(&account).0, first);
        assert!(!tags(&account).contains(&TAG.to_owned()));
    }
}

#[test]
fn switched_off_no_key_is_made_and_one_that_lives_stays() {
    let account = Account::new();
    let off = "--set=account.create_access_key=false";
    account.run(&["apply", "--yes", off]).ended(0);
    assert_eq!(keys(&account), [""; 0]);
    assert!(!account.credentials().exists());
    account.run(&["apply", "--yes"]).ended(0);
    let before = stored(&account);
    account.run(&["plan", "--detailed-exitcode", off]).ended(0);
    account.run(&["apply", "--yes", off]).ended(0);
    assert_eq!(stored(&account), before);
    account.run(&["apply", "--yes", "--set=account.create_user=false"]).ended(0);
    assert!(!fs::read_to_string(account.credentials()).unwrap().contains("[sms]"));
}

#[test]
fn two_who_write_the_same_file_at_once_lose_nothing() {
    let account = Account::new();
    let names = ["one", "two", "three", "four"];
    let settings = names.map(|name| format!("--set=account.name={name}"));
    let started = settings.each_ref().map(|name| {
        // The SMS attributes are one set for all of them.
        let arguments = ["apply", "--yes", name, "--set=account.manage_sms_preferences=false"];
        account.command(account.moto.endpoint(), &arguments).stdout(std::process::Stdio::null()).spawn().unwrap()
    });
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
    let text = fs::read_to_string(account.credentials()).unwrap();
    assert_eq!(text.matches("aws_secret_access_key = ").count(), 4, "{}", text.lines().count());
    assert!(names.iter().all(|name| text.contains(&format!("[{name}]\n"))));
}

#[test]
fn list_shows_the_keys_and_which_one_is_in_the_file() {
    let account = applied();
    let (id, secret) = stored(&account);
    let list = account.run(&["keys", "list", "--json"]).ended(0);
    never_shown(&list, &secret);
    let json = list.json();
    assert_eq!((&json["user"], &json["profile"]), (&json!(USER), &json!("sms")));
    let keys = json["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!((&keys[0]["id"], &keys[0]["status"]), (&json!(id), &json!("active")));
    assert_eq!(keys[0]["in_credentials_file"], true);
    let text = account.run(&["keys", "list"]).ended(0);
    assert!(text.out.contains(&format!("{id}  active")) && text.out.contains("1 access key"), "{}", text.out);
    assert_eq!(Account::new().run(&["keys", "list", "--json"]).ended(0).json()["keys"], json!([]));
}

#[test]
fn rotate_puts_another_key_in_the_place_of_the_first() {
    let account = applied();
    let (old, _) = stored(&account);
    let rotate = account.run(&["keys", "rotate"]).ended(0);
    let (new, secret) = stored(&account);
    never_shown(&rotate, &secret);
    assert_ne!(new, old);
    assert_eq!(keys(&account), [new]);
    assert!(!tags(&account).contains(&TAG.to_owned()));
    account.run(&["plan", "--detailed-exitcode"]).ended(0);
}

#[test]
fn rotate_makes_a_key_whose_secret_is_known_where_it_was_not() {
    let account = applied();
    let before = keys(&account);
    fs::remove_file(account.credentials()).unwrap();
    account.run(&["keys", "rotate"]).ended(0);
    assert_eq!(keys(&account), [stored(&account).0]);
    assert_ne!(keys(&account), before);
}

#[test]
fn what_a_rotation_takes_the_place_of_is_said_and_kept() {
    let account = applied();
    let theirs = "[sms]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = theirsecret\n";
    fs::write(account.credentials(), theirs).unwrap();
    let note = "has credentials (access key AKIATHEIRS) that are not of the IAM user";
    let plan = account.run(&["plan", "--detailed-exitcode"]).ended(0);
    assert!(plan.out.contains(note), "{}", plan.out);
    let rotate = account.run(&["keys", "rotate"]).ended(0);
    assert!(rotate.err.contains(note) && rotate.err.contains("credentials.replaced"), "{}", rotate.err);
    never_shown(&rotate, "theirsecret");
    assert_eq!(keys(&account), [stored(&account).0]);
    assert!(fs::read_to_string(account.home.path().join(".aws/credentials.replaced")).unwrap().ends_with(theirs));
    let plan = account.run(&["plan", "--detailed-exitcode"]).ended(0);
    assert!(!plan.out.contains("AKIATHEIRS"), "{}", plan.out);
}

#[test]
fn rotate_waits_for_the_grace_and_goes_on_where_it_was_stopped() {
    let account = applied();
    let (old, _) = stored(&account);
    let mut waiting = account.command(account.moto.endpoint(), &["keys", "rotate", "--grace", "1h"]);
    let mut waiting = waiting.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    let mut err = std::io::BufReader::new(waiting.stderr.take().unwrap());
    while !told.contains("the old one goes in") {
        assert_ne!(std::io::BufRead::read_line(&mut err, &mut told).unwrap(), 0, "{told}");
    }
    assert!(waiting.try_wait().unwrap().is_none());
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    let (new, _) = stored(&account);
    assert_eq!(keys(&account), [old, new.clone()]);
    let note = account.run(&["plan", "--detailed-exitcode"]).ended(0);
    assert!(note.out.contains("keys rotate ends a rotation"), "{}", note.out);

    account.run(&["keys", "rotate", "--grace", "1s"]).ended(0);
    assert_eq!(keys(&account), [new]);
}

#[test]
fn a_rotation_that_was_cut_off_anywhere_ends_right_when_it_is_run_again() {
    let account = Account::new();
    for write in 1.. {
        account.moto.reset();
        drop(fs::remove_file(account.credentials()));
        account.run(&["apply", "--yes"]).ended(0);
        let before = account.state();
        let (old, _) = stored(&account);
        let wire = Wire::cut_after(account.moto.endpoint(), write);
        let mut child = account.command(wire.endpoint(), &["keys", "rotate"]).spawn().unwrap();
        let ended = loop {
            if wire.is_cut() {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        let file = fs::read_to_string(account.credentials()).unwrap();
        assert!(keys(&account).iter().any(|id| file.contains(id.as_str())) || write > 5, "nobody can send: {write}");
        account.run(&["keys", "rotate"]).ended(0);
        assert_eq!(keys(&account), [stored(&account).0], "after write {write}");
        assert_ne!(stored(&account).0, old, "after write {write}");
        assert_eq!(account.state(), before, "after write {write}");
        if ended.is_some() {
            assert!(write > 5, "a rotation has more writes than {write}");
            break;
        }
    }
}

#[test]
fn keys_that_may_be_in_use_elsewhere_are_not_rotated_away() {
    let account = applied();
    account.boto(&format!("iam.create_access_key(UserName='{USER}')"));
    let (ours, _) = stored(&account);
    fs::rename(account.credentials(), account.home.path().join("elsewhere")).unwrap();
    let both = keys(&account);
    let rotate = account.run(&["keys", "rotate"]).ended(1);
    assert!(rotate.err.contains("two keys") && rotate.err.contains("keys revoke"), "{}", rotate.err);
    assert_eq!(keys(&account), both);

    account.run(&["keys", "revoke", &ours]).ended(1);
    assert_eq!(keys(&account), both);
    account.run(&["keys", "revoke", "AKIAOFSOMEBODYELSE00", "--yes"]).ended(1);
    account.run(&["keys", "revoke", &ours, "--yes"]).ended(0);
    assert_eq!(keys(&account).len(), 1);
    account.run(&["keys", "rotate"]).ended(0);
    assert_eq!(keys(&account), [stored(&account).0]);
}

#[test]
fn a_revoked_key_goes_from_the_file_too_and_apply_makes_another() {
    let account = applied();
    let (id, _) = stored(&account);
    account.run(&["keys", "revoke", "--yes", &id]).ended(0);
    assert_eq!(keys(&account), [""; 0]);
    assert!(!fs::read_to_string(account.credentials()).unwrap().contains("[sms]"));
    account.run(&["apply", "--yes"]).ended(0);
    assert_eq!(keys(&account), [stored(&account).0]);
}

#[test]
fn keys_of_a_user_that_is_not_ours_are_not_touched() {
    let account = Account::new();
    for command in [&["keys", "rotate"][..], &["keys", "revoke", "AKIA0", "--yes"]] {
        let nobody = account.run(command).ended(1);
        assert!(nobody.err.contains("there is no IAM user"), "{}", nobody.err);
    }
    account
        .boto(&format!("iam.create_user(UserName='{USER}', Path='/sms/')\niam.create_access_key(UserName='{USER}')"));
    let before = keys(&account);
    for command in [&["keys", "rotate"][..], &["keys", "revoke", &before[0], "--yes"]] {
        let theirs = account.run(command).ended(1);
        assert!(theirs.err.contains("is not ours"), "{}", theirs.err);
    }
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(keys(&account), before);
    let plan = account.run(&["plan", "--json"]).ended(1);
    assert!(plan.changes().contains(&format!("conflict iam_user {USER}")), "{}", plan.out);
}

/// What somebody gives our user, how it is called, and how it goes again.
const OBSTACLES: [(&str, &str, &str); 7] = [
    (
        "iam.attach_user_policy(UserName=U, PolicyArn=iam.create_policy(PolicyName='theirs', PolicyDocument=D)['Policy']['Arn'])",
        "policy theirs",
        "iam.detach_user_policy(UserName=U, PolicyArn='arn:aws:iam::123456789012:policy/theirs')",
    ),
    (
        "iam.put_user_policy(UserName=U, PolicyName='more', PolicyDocument=D)",
        "inline policy more",
        "iam.delete_user_policy(UserName=U, PolicyName='more')",
    ),
    (
        "iam.create_group(GroupName='staff'); iam.add_user_to_group(UserName=U, GroupName='staff')",
        "group staff",
        "iam.remove_user_from_group(UserName=U, GroupName='staff'); iam.delete_group(GroupName='staff')",
    ),
    (
        "iam.enable_mfa_device(UserName=U, SerialNumber='GAHT12345678', AuthenticationCode1='123456', AuthenticationCode2='234567')",
        "MFA device GAHT12345678",
        "iam.deactivate_mfa_device(UserName=U, SerialNumber='GAHT12345678')",
    ),
    (
        "iam.create_login_profile(UserName=U, Password='Correct-Horse-9')",
        "a console password",
        "iam.delete_login_profile(UserName=U)",
    ),
    (
        "iam.upload_ssh_public_key(UserName=U, SSHPublicKeyBody='ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB')",
        "SSH key ",
        "[iam.delete_ssh_public_key(UserName=U, SSHPublicKeyId=k['SSHPublicKeyId']) for k in iam.list_ssh_public_keys(UserName=U)['SSHPublicKeys']]",
    ),
    (
        "iam.upload_signing_certificate(UserName=U, CertificateBody=open(C).read())",
        "signing certificate ",
        "[iam.delete_signing_certificate(UserName=U, CertificateId=c['CertificateId']) for c in iam.list_signing_certificates(UserName=U)['Certificates']]",
    ),
];

#[test]
fn what_others_gave_the_user_stops_a_destroy_before_anything_is_touched() {
    let account = applied();
    let made = "\
from cryptography import x509\nfrom cryptography.hazmat.primitives import hashes, serialization\n\
from cryptography.hazmat.primitives.asymmetric import ec\nimport datetime\n\
key = ec.generate_private_key(ec.SECP256R1())\nname = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'x')])\n\
day = datetime.datetime(2020, 1, 1)\n\
cert = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)\n\
cert = cert.not_valid_before(day).not_valid_after(day.replace(year=2099)).sign(key, hashes.SHA256())\n\
open(C, 'wb').write(cert.public_bytes(serialization.Encoding.PEM))";
    let certificate = account.home.path().join("certificate");
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}}"#;
    let names = format!("U, C, D = '{USER}', '{}', '{document}'\n", certificate.display());
    account.boto(&format!("{names}{made}"));
    let all = |of: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        OBSTACLES.iter().map(of).collect::<Vec<_>>().join("\n")
    };
    account.boto(&format!("{names}{}", all(|(by_hand, _, _)| by_hand)));
    let (before, file) = (account.state(), fs::read(account.credentials()).unwrap());
    let destroy = account.run(&["destroy", "--yes"]).ended(1);
    for (_, called, _) in OBSTACLES {
        assert!(destroy.out.contains(called), "{called}: {}", destroy.out);
    }
    assert!(destroy.out.contains("Nothing at all is changed"), "{}", destroy.out);
    assert_eq!(account.state(), before);
    assert_eq!(fs::read(account.credentials()).unwrap(), file);
    // They stand in nobody's way who does not destroy.
    account.run(&["plan", "--detailed-exitcode"]).ended(0);
    account.boto(&format!("{names}{}", all(|(_, _, undone)| undone)));
    let destroy = account.run(&["destroy", "--yes", "--json"]).ended(0);
    assert_eq!(destroy.json()["blocked"], json!([]));
    assert_eq!(account.state()["users"], Value::Array(Vec::new()));
}
