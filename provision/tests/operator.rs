//! The operator's policy, by ministack's IAM, which decides as AWS's does: each action is granted only once a command has
//! named it as refused, until all commands run. What the policy has beyond that would be there for nothing.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use peers::{Ministack, python};
use serde_json::{Value, json};

/// ministack has no SMS attributes, and its simulation finds only principals without a path.
const SETTINGS: [&str; 3] = [
    "--set=account.manage_sms_preferences=false",
    "--set=account.alarm_emails=oncall@example.com",
    "--set=account.path=/",
];

/// What ministack has not: SMS attributes, opt-outs, the sandbox, and SNS calling End User Messaging. Which of these are
/// called is held to the source by another test.
const NOT_IN_MINISTACK: [&str; 12] = [
    "iam:PassRole", // asked for where the SMS attributes are set
    "sns:CheckIfPhoneNumberIsOptedOut",
    "sns:CreateSMSSandboxPhoneNumber",
    "sns:DeleteSMSSandboxPhoneNumber",
    "sns:GetSMSAttributes",
    "sns:GetSMSSandboxAccountStatus",
    "sns:ListOriginationNumbers",
    "sns:ListPhoneNumbersOptedOut",
    "sns:ListSMSSandboxPhoneNumbers",
    "sns:OptInPhoneNumber",
    "sns:SetSMSAttributes",
    "sns:VerifySMSSandboxPhoneNumber",
];

/// What an account goes through: what its root does by hand, and then a command.
const LIFE: [(&str, &[&str]); 9] = [
    ("iam.create_role(RoleName='app', AssumeRolePolicyDocument='{}')", &["plan"]),
    ("", &["apply", "--yes", "--set=account.queue=true", "--set=account.sender_role_names=app"]),
    ("", &["verify", "--set=account.queue=true", "--set=account.sender_role_names=app"]),
    (
        "iam.update_assume_role_policy(RoleName=R, PolicyDocument=TRUST)\n\
         iam.attach_role_policy(RoleName=R, PolicyArn='arn:aws:iam::aws:policy/ReadOnlyAccess')\n\
         sns.set_topic_attributes(TopicArn=T, AttributeName='Policy', AttributeValue=POLICY)\n\
         sqs.set_queue_attributes(QueueUrl=Q, Attributes={'VisibilityTimeout': '7'})",
        &["apply", "--yes", "--set=account.queue=true", r#"--set=account.tags={"team":"growth"}"#],
    ),
    (
        "",
        &[
            "apply",
            "--yes",
            "--set=account.queue=true",
            "--set=account.permissions_boundary_arn=arn:aws:iam::000000000000:policy/boundary",
        ],
    ),
    ("", &["keys", "rotate"]),
    ("", &["status"]),
    (
        "for n in range(4): iam.create_policy_version(PolicyArn=P, PolicyDocument=POLICY, SetAsDefault=True)",
        &["apply", "--yes", "--set=account.path=/moved/", "--set=account.alarm_emails=[]"],
    ),
    ("", &["destroy", "--yes", "--delete-logs", "--set=account.path=/moved/"]),
];

struct Account {
    ministack: Ministack,
    home: tempfile::TempDir,
    key: (String, String),
}

impl Account {
    fn new() -> Self {
        let account = Self {
            ministack: Ministack::start(),
            home: tempfile::tempdir().unwrap(),
            key: (String::new(), String::new()),
        };
        let key = account.boto(
            "iam.create_policy(PolicyName='boundary', PolicyDocument=POLICY)\n\
             iam.create_user(UserName='operator')\n\
             key = iam.create_access_key(UserName='operator')['AccessKey']\n\
             print(json.dumps([key['AccessKeyId'], key['SecretAccessKey']]))",
        );
        let (id, secret) = serde_json::from_str(&key).unwrap();
        Self { key: (id, secret), ..account }
    }

    /// Python as the account's root.
    fn boto(&self, script: &str) -> String {
        const NAMES: &str = "import boto3, json\n\
             iam, sns, sqs = (boto3.client(name) for name in ('iam', 'sns', 'sqs'))\n\
             R, P = 'sms-delivery-status-us-east-1', 'arn:aws:iam::000000000000:policy/sms-sender-us-east-1'\n\
             T = 'arn:aws:sns:us-east-1:000000000000:sms-alarms'\n\
             Q = boto3.client('sqs').meta.endpoint_url + '/000000000000/sms-outbox'\n\
             POLICY = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})\n\
             TRUST = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole', \
             'Principal': {'Service': 'ec2.amazonaws.com'}}]})\n";
        let mut command = Command::new(python());
        command.args(["-c", &format!("{NAMES}{script}")]).env_clear().envs(self.ministack.environment());
        let output = command.env("AWS_DEFAULT_REGION", "us-east-1").output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The program as the operator: whether it went well, and all that it said.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(SETTINGS).args(arguments).env_clear().envs(self.ministack.environment());
        command.env("AWS_ACCESS_KEY_ID", &self.key.0).env("AWS_SECRET_ACCESS_KEY", &self.key.1);
        command.env("HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// The operator's policy for those settings.
    fn policy(&self, arguments: &[&str]) -> Value {
        let settings = arguments.iter().filter(|one| one.starts_with("--set"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(SETTINGS).args(["policy", "operator"]).args(settings).env_clear();
        command.args(["--set=account.account_id=000000000000", "--set=aws.region=us-east-1"]);
        let output = command.env("HOME", self.home.path()).current_dir(self.home.path()).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Lets the operator do of the policy what is granted.
    fn grant(&self, policy: &Value, granted: &BTreeSet<String>) {
        let mut policy = policy.clone();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            if statement["Effect"] == "Allow" {
                let actions = actions(statement).filter(|action| granted.contains(action));
                statement["Action"] = actions.collect();
            }
        }
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.retain(|one| one["Action"] != json!([]));
        if statements.is_empty() {
            statements.push(json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" })); // an empty policy is none
        }
        let script = "iam.put_user_policy(UserName='operator', PolicyName='operator', PolicyDocument=";
        self.boto(&format!("{script}{:?})", policy.to_string()));
    }
}

fn actions(statement: &Value) -> impl Iterator<Item = String> {
    let action = statement["Action"].clone();
    let all = action.as_array().cloned().unwrap_or_else(|| vec![action]);
    all.into_iter().map(|action| action.as_str().unwrap().to_owned())
}

/// The actions that were said to be refused.
fn refused(said: &str) -> BTreeSet<String> {
    let words = said.split(|c: char| c.is_whitespace() || c == ';' || c == ',');
    let words: Vec<&str> = words.collect();
    let named = words.windows(2).filter_map(|pair| match pair {
        ["Refused:", action] => Some(*action),
        [action, "is"] if action.contains(':') => Some(*action),
        _ => None,
    });
    named
        .map(ToOwned::to_owned)
        .filter(|action| action.chars().all(|c| c.is_ascii_alphanumeric() || c == ':' || c == '-'))
        .collect()
}

#[test]
fn every_action_of_the_policy_is_refused_before_it_is_granted_and_nothing_else_is_needed() {
    let account = Account::new();
    let (mut granted, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (by_hand, arguments) in LIFE {
        account.boto(by_hand);
        let policy = account.policy(arguments);
        let allowed: BTreeSet<String> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| statement["Effect"] == "Allow")
            .flat_map(actions)
            .collect();
        all.extend(allowed.iter().cloned());
        for round in 0.. {
            account.grant(&policy, &granted);
            let (good, said) = account.run(arguments);
            if good {
                break;
            }
            let new: BTreeSet<_> = refused(&said).difference(&granted).cloned().collect();
            assert!(!new.is_empty() && round < 40, "{arguments:?}: {said}");
            assert!(new.is_subset(&allowed), "{arguments:?} needs {:?}", new.difference(&allowed));
            granted.extend(new);
        }
    }
    let in_ministack =
        |action: &&String| !action.starts_with("sms-voice:") && !NOT_IN_MINISTACK.contains(&action.as_str());
    let unused: Vec<_> = all.difference(&granted).filter(in_ministack).collect();
    assert!(unused.is_empty(), "nobody needs {unused:?}");
}
