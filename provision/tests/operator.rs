//! The operator's policy, under enforcement: each action is granted only once a command has named it as refused, until all
//! commands run. What the policy has beyond that would be there for nothing; what it lacks fails here.
//!
//! ministack decides as AWS does, by resource and condition, and lacks some actions. moto has nearly all actions, and looks at
//! the action alone.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use peers::{Ministack, Moto, post, python};
use serde_json::{Value, json};

type Actions = BTreeSet<String>;

/// What an account goes through: what its administrator does by hand, and then a command.
type Life = &'static [(&'static str, &'static [&'static str])];

const IN_MINISTACK: Life = &[
    ("iam.create_role(RoleName='app', AssumeRolePolicyDocument='{}')", &["plan"]),
    ("", &["apply", "--yes", "--set=account.sender_role_names=app"]),
    ("", &["verify", "--set=account.sender_role_names=app"]),
    (DRIFT, &["apply", "--yes", TAGS]),
    ("", &["keys", "rotate", TAGS]),
    (VERSIONS, &["apply", "--yes", "--set=account.alarm_emails=[]"]),
];

const IN_MOTO: Life = &[
    ("iam.create_role(RoleName='app', AssumeRolePolicyDocument='{}')", &["plan", QUEUE]),
    ("", &["apply", "--yes", QUEUE, "--set=account.sender_role_names=app"]),
    (DRIFT, &["apply", "--yes", QUEUE, TAGS]),
    (
        "sqs.set_queue_attributes(QueueUrl=Q, Attributes={'VisibilityTimeout': '7'})\n\
         iam.attach_user_policy(UserName='admin', PolicyArn=P)\n\
         iam.create_group(GroupName='g')\n\
         iam.attach_group_policy(GroupName='g', PolicyArn=P)",
        &["apply", "--yes", QUEUE],
    ),
    ("", &["keys", "rotate", QUEUE]),
    ("", &["status", QUEUE]),
    ("", &["check", "+447700900123", QUEUE]),
    ("", &["opt-outs", "list", QUEUE]),
    ("", &["opt-outs", "opt-in", "+447700900123", "--yes", QUEUE]),
    (VERSIONS, &["apply", "--yes", QUEUE, "--set=account.alarm_emails=[]"]),
    ("iam.attach_role_policy(RoleName=R, PolicyArn=P)", &["apply", "--yes", QUEUE, "--set=account.path=/moved/"]),
    ("", &["destroy", "--yes", QUEUE, "--set=account.path=/moved/"]),
];

const QUEUE: &str = "--set=account.queue=true";
const TAGS: &str = r#"--set=account.tags={"team":"growth"}"#;
const VERSIONS: &str =
    "for n in range(4): iam.create_policy_version(PolicyArn=P, PolicyDocument=POLICY, SetAsDefault=True)";
const DRIFT: &str = "iam.update_assume_role_policy(RoleName=R, PolicyDocument=TRUST)\n\
     sns.set_topic_attributes(TopicArn=T, AttributeName='Policy', AttributeValue=POLICY)";

/// What ministack decides otherwise than AWS: without the resource that is tagged, made or asked about, and without knowing
/// `iam:PolicyARN`. These are granted on everything there.
const ON_EVERYTHING: [&str; 8] = [
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicy",
    "iam:DetachRolePolicy",
    "iam:SimulatePrincipalPolicy",
    "sns:ListTagsForResource",
    "sns:TagResource",
    "sns:UntagResource",
];

/// What no life in moto asks for: it lacks the action, or nobody is asked about it there. Which of these are called is held
/// to the source by another test.
const NOT_IN_MOTO: [&str; 13] = [
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:SimulatePrincipalPolicy",
    "sns:CreateSMSSandboxPhoneNumber",
    "sns:DeleteSMSSandboxPhoneNumber",
    "sns:GetSMSSandboxAccountStatus",
    "sns:ListOriginationNumbers",
    "sns:ListSMSSandboxPhoneNumbers",
    "sns:VerifySMSSandboxPhoneNumber",
    "sts:GetCallerIdentity",
];

/// An account with enforcement, an administrator, and an operator.
struct Account<'a> {
    number: &'static str,
    environment: Vec<(&'static str, String)>,
    /// Settings of all runs.
    settings: &'a [&'a str],
    home: tempfile::TempDir,
    operator: (String, String),
}

impl<'a> Account<'a> {
    /// `environment` is that of an administrator.
    fn new(number: &'static str, environment: Vec<(&'static str, String)>, settings: &'a [&'a str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut account = Self { number, environment, settings, home, operator: Default::default() };
        account.operator = account.key_of("operator");
        account
    }

    /// Makes a user and a key of it.
    fn key_of(&self, user: &str) -> (String, String) {
        let key = self.boto(&format!(
            "iam.create_user(UserName='{user}')\n\
             key = iam.create_access_key(UserName='{user}')['AccessKey']\n\
             print(json.dumps([key['AccessKeyId'], key['SecretAccessKey']]))"
        ));
        serde_json::from_str(&key).unwrap()
    }

    /// Python as the administrator.
    fn boto(&self, script: &str) -> String {
        let names = format!(
            "import boto3, json\n\
             iam, sns, sqs = (boto3.client(name) for name in ('iam', 'sns', 'sqs'))\n\
             R, P = 'sms-delivery-status-us-east-1', 'arn:aws:iam::{0}:policy/sms-sender-us-east-1'\n\
             T = 'arn:aws:sns:us-east-1:{0}:sms-alarms'\n\
             Q = sqs.meta.endpoint_url + '/{0}/sms-outbox'\n\
             allow = lambda more: json.dumps({{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', **more}}]}})\n\
             POLICY = allow({{'Action': 's3:*', 'Resource': '*'}})\n\
             TRUST = allow({{'Action': 'sts:AssumeRole', 'Principal': {{'Service': 'ec2.amazonaws.com'}}}})\n",
            self.number
        );
        let mut command = Command::new(python());
        command.args(["-c", &format!("{names}{script}")]).env_clear().envs(self.environment.iter().cloned());
        let output = command.env("AWS_DEFAULT_REGION", "us-east-1").output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The program as the operator: whether it went well, and all that it said.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(self.settings).args(arguments).env_clear().envs(self.environment.iter().cloned());
        command.env("AWS_ACCESS_KEY_ID", &self.operator.0).env("AWS_SECRET_ACCESS_KEY", &self.operator.1);
        command.env("HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// The operator's policy for those settings.
    fn policy(&self, arguments: &[&str]) -> Value {
        let settings = arguments.iter().filter(|one| one.starts_with("--set"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(self.settings).args(["policy", "operator"]).args(settings).env_clear();
        command.args([&format!("--set=account.account_id={}", self.number), "--set=aws.region=us-east-1"]);
        let output = command.env("HOME", self.home.path()).current_dir(self.home.path()).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Lets the operator do of the policy what is granted, and some of it on everything.
    fn grant(&self, policy: &Value, granted: &Actions, on_everything: &Actions) {
        let mut policy = policy.clone();
        let statements = policy["Statement"].as_array_mut().unwrap();
        for statement in &mut *statements {
            if statement["Effect"] == "Allow" {
                let actions = actions(statement).filter(|action| granted.contains(action));
                statement["Action"] = actions.collect();
            }
        }
        statements.retain(|one| one["Action"] != json!([]));
        if !on_everything.is_empty() {
            statements.push(json!({ "Effect": "Allow", "Action": on_everything, "Resource": "*" }));
        }
        if statements.is_empty() {
            // A policy without a statement is none.
            statements.push(json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }));
        }
        let script = "iam.put_user_policy(UserName='operator', PolicyName='operator', PolicyDocument=";
        self.boto(&format!("{script}{:?})", policy.to_string()));
    }

    /// Lives through all of it. Out come the actions that the policy ever allowed, those that were granted, and those that
    /// had to be granted on everything.
    fn live(&self, life: Life, everything: impl Fn(&Actions) -> Actions) -> (Actions, Actions, Actions) {
        let (mut all, mut granted, mut on_everything) = (Actions::new(), Actions::new(), Actions::new());
        for (by_hand, arguments) in life {
            self.boto(by_hand);
            let policy = self.policy(arguments);
            let allows = policy["Statement"].as_array().unwrap().iter().filter(|one| one["Effect"] == "Allow");
            let allowed: Actions = allows.flat_map(actions).collect();
            all.extend(allowed.iter().cloned());
            for round in 0.. {
                self.grant(&policy, &granted, &everything(&on_everything.union(&granted).cloned().collect()));
                let (good, said) = self.run(arguments);
                let refused = refused(&said);
                // What a peer does not know, and what differs, is not good either where it is only asked.
                if good || (refused.is_empty() && ["status", "check"].contains(&arguments[0])) {
                    break;
                }
                assert!(refused.is_subset(&allowed), "{arguments:?} needs {:?}", refused.difference(&allowed));
                let before = granted.len() + on_everything.len();
                on_everything.extend(refused.intersection(&granted).cloned().collect::<Vec<_>>());
                granted.extend(refused);
                assert!(granted.len() + on_everything.len() > before && round < 60, "{arguments:?}: {said}");
            }
        }
        (all, granted, on_everything)
    }
}

fn actions(statement: &Value) -> impl Iterator<Item = String> {
    let action = statement["Action"].clone();
    let all = action.as_array().cloned().unwrap_or_else(|| vec![action]);
    all.into_iter().map(|action| action.as_str().unwrap().to_owned())
}

/// The actions that were said to be refused.
fn refused(said: &str) -> Actions {
    let words: Vec<&str> = said.split(|c: char| c.is_whitespace() || c == ';' || c == ',').collect();
    let named = words.windows(4).filter_map(|words| match words {
        ["Refused:", action, ..] => Some(*action),
        // AWS's own sentence names who asked, too.
        [action, "is", "not", "allowed"] if !action.starts_with("arn:") => Some(*action),
        _ => None,
    });
    named.map(ToOwned::to_owned).collect()
}

#[test]
fn on_the_resources_of_the_policy_each_action_is_refused_and_then_granted() {
    let ministack = Ministack::start();
    let environment = ministack.environment().map(|(name, value)| (name, value.to_owned())).to_vec();
    // ministack has no SMS attributes, and its simulation finds only principals without a path.
    let settings = [
        "--set=account.manage_sms_preferences=false",
        "--set=account.alarm_emails=oncall@example.com",
        "--set=account.path=/",
    ];
    let account = Account::new("000000000000", environment, &settings);
    let widened = std::cell::RefCell::new(Actions::new());
    let (_, granted, on_everything) = account.live(IN_MINISTACK, |asked| {
        let known = asked.iter().filter(|action| ON_EVERYTHING.contains(&action.as_str())).cloned();
        widened.replace(known.collect());
        widened.borrow().clone()
    });
    assert!(on_everything.is_empty(), "ministack decides otherwise about {on_everything:?}");
    assert_eq!(widened.take().into_iter().collect::<Vec<_>>(), ON_EVERYTHING, "these are decided as AWS does now");
    assert!(granted.len() > 40, "{granted:?}");
}

#[test]
fn the_policy_has_no_action_that_no_command_needs() {
    let moto = Moto::start();
    let environment = moto.environment().map(|(name, value)| (name, value.to_owned())).to_vec();
    let settings = ["--set=account.alarm_emails=oncall@example.com", "--set=account.path=/"];
    let mut account = Account::new("123456789012", environment, &settings);
    let admin = account.key_of("admin");
    account.boto("iam.put_user_policy(UserName='admin', PolicyName='all', PolicyDocument=allow({'Action': '*', 'Resource': '*'}))");
    for (name, value) in &mut account.environment {
        match *name {
            "AWS_ACCESS_KEY_ID" => value.clone_from(&admin.0),
            "AWS_SECRET_ACCESS_KEY" => value.clone_from(&admin.1),
            _ => {}
        }
    }
    let answer = post(moto.endpoint(), "/moto-api/reset-auth", &[("Content-Type", "text/plain")], b"0");
    assert_eq!(answer.status, 200);
    // It calls CloudWatch's actions by the name of its endpoint.
    let of_moto = |granted: &Actions| granted.iter().map(|one| one.replace("cloudwatch:", "monitoring:")).collect();
    let (all, granted, _) = account.live(IN_MOTO, of_moto);
    let asked = |action: &&String| !action.starts_with("sms-voice:") && !NOT_IN_MOTO.contains(&action.as_str());
    let unused: Vec<_> = all.difference(&granted).filter(asked).collect();
    assert!(unused.is_empty(), "nobody needs {unused:?}");
}
