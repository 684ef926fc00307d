//! Cut off after each single write and run again: it ends where it would have ended.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod wire;

use account::Account;
use wire::Wire;

/// Runs the command, killing it when moto has taken the write of that number and before its answer is there. Whether
/// there was such a write.
fn cut(account: &Account, arguments: &[&str], write: usize) -> bool {
    let wire = Wire::cut_after(account.moto.endpoint(), write);
    let mut child = account.command(wire.endpoint(), arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    loop {
        if wire.is_cut() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success() || wire.is_cut());
            return wire.is_cut();
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn an_apply_that_was_cut_off_anywhere_ends_right_when_it_is_run_again() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    let good = account.state();
    for write in 1.. {
        account.moto.reset();
        drop(std::fs::remove_file(account.credentials()));
        let was_cut = cut(&account, &["apply", "--yes"], write);
        account.run(&["apply", "--yes"]).ended(0);
        assert_eq!(account.state(), good, "after write {write}");
        assert_eq!(account.run(&["plan", "--json"]).ended(0).changes(), [""; 0], "after write {write}");
        let file = std::fs::read_to_string(account.credentials()).unwrap();
        assert_eq!(file.matches("aws_secret_access_key").count(), 1, "after write {write}");
        if !was_cut {
            assert!(write > 20, "an apply has more writes than {write}");
            break;
        }
    }
}

/// As when a connection breaks: AWS has done what was asked, and the call is repeated.
#[test]
fn a_run_in_which_the_first_answer_to_each_write_is_lost_ends_as_if_it_had_come() {
    let (account, lossy) = (Account::new(), Account::new());
    let settings = ["--set=account.queue=true", "--set=account.alarm_emails=a@b.example"];
    let moved = [&settings[..], &["--set=account.path=/moved/"]].concat();
    let versions = "policy = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})\n\
        arn = 'arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1'\n\
        for n in range(4): iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy, SetAsDefault=True)";
    for (before, command, settings) in
        [("", "apply", &settings[..]), (versions, "apply", &settings), ("", "apply", &moved), ("", "destroy", &moved)]
    {
        let arguments = [&[command, "--yes"], settings].concat();
        account.boto(before);
        account.run(&arguments).ended(0);
        lossy.boto(before);
        let wire = Wire::without_first_answers(lossy.moto.endpoint());
        Account::ran(lossy.command(wire.endpoint(), &arguments)).ended(0);
        // Queues have the server in their names.
        let state = |of: &Account| of.state().to_string().replace(of.moto.endpoint(), "");
        assert_eq!(state(&lossy), state(&account), "{arguments:?}");
        if command == "apply" {
            let plan = [&["plan", "--json"], settings].concat();
            assert_eq!(lossy.run(&plan).ended(0).changes(), [""; 0], "{arguments:?}");
        }
    }
}

#[test]
fn a_destroy_that_was_cut_off_anywhere_ends_right_when_it_is_run_again() {
    let account = Account::new();
    let attributes = "sns.set_sms_attributes(attributes={'MonthlySpendLimit':'500'})";
    account.boto(attributes);
    let empty = account.state();
    for write in 1.. {
        account.moto.reset();
        account.boto(attributes);
        account.run(&["apply", "--yes", "--adopt"]).ended(0);
        let was_cut = cut(&account, &["destroy", "--yes"], write);
        account.run(&["destroy", "--yes"]).ended(0);
        assert_eq!(account.state(), empty, "after write {write}");
        if !was_cut {
            assert!(write > 15, "a destroy has more writes than {write}");
            break;
        }
    }
}
