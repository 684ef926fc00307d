//! What the sender may do and what it may not, by ministack's IAM, which decides as AWS's does and checks signatures.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use peers::{Ministack, python};
use serde_json::{Value, json};

/// ministack has no SMS attributes, and its simulation finds only principals without a path.
const SETTINGS: [&str; 3] =
    ["--set=account.manage_sms_preferences=false", "--set=account.queue=true", "--set=account.path=/"];
const NUMBER: &str = "+12065550100";

struct Account {
    ministack: Ministack,
    home: tempfile::TempDir,
}

impl Account {
    fn applied() -> Self {
        let account = Self { ministack: Ministack::start(), home: tempfile::tempdir().unwrap() };
        account.run(&["apply", "--yes"], 0);
        account
    }

    /// Runs the program and gives back its standard output and its standard error.
    #[track_caller]
    fn run(&self, arguments: &[&str], status: i32) -> (String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(arguments).args(SETTINGS).env_clear().envs(self.ministack.environment());
        command.env("HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(status), "{out}\n{err}");
        (out, err)
    }

    /// Runs Python with boto3's clients of the account's root, and `sender`, which makes those of the sender.
    fn boto(&self, script: &str) -> Value {
        const CLIENTS: &str = "import boto3, json, os\n\
             iam, sns, sqs = (boto3.client(name) for name in ('iam', 'sns', 'sqs'))\n\
             def sender(name, region='us-east-1'):\n    \
                 return boto3.Session(profile_name='sms').client(name, region_name=region)\n\
             def told(call, **arguments):\n    \
                 try:\n        call(**arguments)\n        return 'allowed'\n    \
                 except Exception as error:\n        return error.response['Error']['Code']\n";
        let mut command = Command::new(python());
        command.args(["-c", &format!("{CLIENTS}{script}")]).env_clear().envs(self.ministack.environment());
        command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_SHARED_CREDENTIALS_FILE", self.credentials());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn credentials(&self) -> PathBuf {
        self.home.path().join(".aws/credentials")
    }
}

#[test]
fn the_key_of_the_file_sends_to_numbers_and_does_nothing_else() {
    let account = Account::applied();
    let decided = account.boto(
        "topic = sns.create_topic(Name='theirs')['TopicArn']\n\
         other = sqs.create_queue(QueueName='theirs')['QueueUrl']\n\
         print(json.dumps({\n\
             'number': told(sender('sns').publish, PhoneNumber='+12065550100', Message='x'),\n\
             'own topic': told(sender('sns').publish, TopicArn='arn:aws:sns:us-east-1:000000000000:sms-alarms', Message='x'),\n\
             'topic': told(sender('sns').publish, TopicArn=topic, Message='x'),\n\
             'other region': told(sender('sns', 'eu-west-1').publish, PhoneNumber='+12065550100', Message='x'),\n\
             'users': told(sender('iam').list_users),\n\
             'keys': told(sender('iam').create_access_key, UserName='sms-sender-us-east-1'),\n\
             'attributes': told(sender('sns').set_sms_attributes, attributes={'MonthlySpendLimit': '9'}),\n\
             'topics': told(sender('sns').list_topics),\n\
             'other queue': told(sender('sqs').send_message, QueueUrl=other, MessageBody='x'),\n\
         }))",
    );
    let allowed: Vec<&String> =
        decided.as_object().unwrap().iter().filter(|(_, told)| **told == "allowed").map(|(what, _)| what).collect();
    assert_eq!(allowed, ["number"], "{decided:#}");
    let denied = |told: &Value| {
        ["AccessDenied", "AccessDeniedException", "AuthorizationError"].contains(&told.as_str().unwrap())
    };
    let others = decided.as_object().unwrap().values().filter(|told| **told != "allowed");
    assert!(others.into_iter().all(denied), "{decided:#}");
}

#[test]
fn the_role_of_sns_writes_delivery_status_and_nothing_else() {
    let account = Account::applied();
    let decided = account.boto(
        "role = 'sms-delivery-status-us-east-1'\n\
         policy = json.dumps(iam.get_role_policy(RoleName=role, PolicyName='write-delivery-status')['PolicyDocument'])\n\
         group = 'arn:aws:logs:us-east-1:000000000000:log-group:'\n\
         ours = group + 'sns/us-east-1/000000000000/DirectPublishToPhoneNumber'\n\
         def decide(action, resource):\n    \
             told = iam.simulate_custom_policy(PolicyInputList=[policy], ActionNames=[action], ResourceArns=[resource])\n    \
             return told['EvaluationResults'][0]['EvalDecision']\n\
         print(json.dumps([\n\
             decide('logs:PutLogEvents', ours + ':log-stream:a'),\n\
             decide('logs:PutLogEvents', ours + '/Failure:log-stream:a'),\n\
             decide('logs:CreateLogGroup', ours),\n\
             decide('logs:CreateLogStream', ours + '/Failure:log-stream:a'),\n\
             decide('logs:PutLogEvents', group + 'theirs:log-stream:a'),\n\
             decide('logs:DeleteLogGroup', ours),\n\
             decide('logs:GetLogEvents', ours + ':log-stream:a'),\n\
             decide('sns:Publish', '*'),\n\
         ]))",
    );
    let (allowed, denied) = (json!("allowed"), json!("implicitDeny"));
    let (yes, no) = (&allowed, &denied);
    let decided: Vec<&Value> = decided.as_array().unwrap().iter().collect();
    assert_eq!(decided, [yes, yes, yes, yes, no, no, no, no]);
}

#[test]
fn verify_says_what_is_as_it_should_be_and_what_is_not() {
    let account = Account::applied();
    let (good, _) = account.run(&["verify"], 0);
    assert!(good.contains("may send SMS to a number (sns:Publish: allowed)"), "{good}");
    assert!(good.contains("may not publish to a topic (sns:Publish: explicitDeny)"), "{good}");
    let json: Value = serde_json::from_str(&account.run(&["verify", "--json"], 0).0).unwrap();
    assert_eq!(json["ok"], true);
    let checks = json["checks"].as_array().unwrap();
    for action in ["sns:Publish", "sns:SetSMSAttributes", "iam:ListUsers", "sqs:SendMessage", "logs:PutLogEvents"] {
        assert!(checks.iter().any(|check| check["action"] == action), "{action}");
    }

    account.boto(
        "document = json.dumps({'Version': '2012-10-17', 'Statement': {'Effect': 'Allow', 'Action': 'iam:*', 'Resource': '*'}})\n\
         iam.put_user_policy(UserName='sms-sender-us-east-1', PolicyName='more', PolicyDocument=document)\nprint(1)",
    );
    let json: Value = serde_json::from_str(&account.run(&["verify", "--json"], 1).0).unwrap();
    assert_eq!(json["ok"], false);
    let bad = |check: &&Value| check["ok"] == false;
    let bad: Vec<&Value> =
        json["checks"].as_array().unwrap().iter().filter(bad).map(|check| &check["action"]).collect();
    assert_eq!(bad, ["iam:ListUsers", "iam:CreateAccessKey"]);
    let (told, _) = account.run(&["verify", "--live", "--to", NUMBER, "--yes"], 1);
    assert!(told.contains("BAD") && told.contains("No SMS was sent"), "{told}");
    assert_eq!(account.ministack.sent_sms()["sms_messages"], json!({}));
}

#[test]
fn verify_sends_one_real_sms_once_somebody_said_yes_and_never_shows_the_number() {
    let account = Account::applied();
    for arguments in
        [&["verify", "--live"][..], &["verify", "--to", NUMBER], &["verify", "--live", "--to", "12065550100"]]
    {
        let (_, err) = account.run(arguments, 1);
        assert!(!err.contains("2065550100"), "{err}");
    }
    let (out, err) = account.run(&["verify", "--live", "--to", NUMBER], 1);
    assert!(err.contains("no terminal to ask on") && err.contains("--yes"), "{err}");
    assert!(!format!("{out}{err}").contains("2065550100"), "{out}{err}");
    assert_eq!(account.ministack.sent_sms()["sms_messages"], json!({}));

    let (out, err) = account.run(&["verify", "--live", "--to", NUMBER, "--yes", "--json"], 0);
    let live: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(live["live"]["to"], "+1••••••••00");
    assert!(!format!("{out}{err}").contains("2065550100"), "{out}{err}");
    let sent = account.ministack.sent_sms();
    let of_number = sent["sms_messages"][NUMBER].as_array().unwrap();
    assert_eq!(of_number.len(), 1, "{sent}");
    assert!(of_number[0].to_string().contains("sms-provision verify"), "{sent}");
}

#[test]
fn a_new_key_signs_for_its_user_before_the_old_one_goes() {
    let account = Account::applied();
    let key = || std::fs::read_to_string(account.credentials()).unwrap();
    let before = key();
    account.run(&["keys", "rotate"], 0);
    assert_ne!(key(), before);
    let decided =
        account.boto("print(json.dumps(told(sender('sns').publish, PhoneNumber='+12065550100', Message='x')))");
    assert_eq!(decided, "allowed");
}
