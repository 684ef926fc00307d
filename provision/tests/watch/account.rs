//! An AWS account in moto: the program works on it, and AWS's SDK for Python changes and describes it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::peers::{Moto, python};

pub(crate) const DELIVERED: &str = "sns/us-east-1/123456789012/DirectPublishToPhoneNumber";
pub(crate) const FAILED: &str = "sns/us-east-1/123456789012/DirectPublishToPhoneNumber/Failure";

/// What every Python script has at hand.
const CLIENTS: &str = "
import boto3, json
cloudwatch, logs, sns, sqs = (boto3.client(name) for name in ('cloudwatch', 'logs', 'sns', 'sqs'))
topic = 'arn:aws:sns:us-east-1:123456789012:sms-alarms'
";

/// The names of all that these tests are about.
const STATE: &str = "
def of(answer, key, name=None):
    return sorted(one[name] if name else one for one in answer.get(key, []))
print(json.dumps({
    'alarms': of(cloudwatch.describe_alarms(), 'MetricAlarms', 'AlarmName'),
    'dashboards': of(cloudwatch.list_dashboards(), 'DashboardEntries', 'DashboardName'),
    'log_groups': of(logs.describe_log_groups(), 'logGroups', 'logGroupName'),
    'metric_filters': of(logs.describe_metric_filters(), 'metricFilters', 'filterName'),
    'topics': of(sns.list_topics(), 'Topics', 'TopicArn'),
    'subscriptions': of(sns.list_subscriptions(), 'Subscriptions', 'Endpoint'),
    'queues': of(sqs.list_queues(), 'QueueUrls'),
}))";

pub(crate) struct Account {
    moto: Moto,
    home: TempDir,
}

/// How a run ended: status, standard output, standard error.
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) told: String,
    pub(crate) errors: String,
}

impl Account {
    pub(crate) fn start() -> Self {
        Self { moto: Moto::start(), home: TempDir::new().unwrap() }
    }

    /// Runs the program. No access key: it would be all that is not the same in a second run.
    pub(crate) fn run(&self, command: &str, settings: &[&str], flags: &[&str]) -> Ended {
        let sets = ["account.create_access_key=false"].iter().chain(settings).flat_map(|set| ["--set", set]);
        let output = Command::new(env!("CARGO_BIN_EXE_sms-provision"))
            .arg(command)
            .args(sets)
            .args(flags)
            .env_clear()
            .envs(self.moto.environment())
            .env("HOME", self.home.path())
            .current_dir(self.home.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { status: output.status.code(), told: text(output.stdout), errors: text(output.stderr) }
    }

    fn json(&self, command: &str, settings: &[&str], flags: &[&str], status: i32) -> Value {
        let ended = self.run(command, settings, &[flags, &["--json"]].concat());
        assert_eq!(ended.status, Some(status), "{command}: {}\n{}", ended.told, ended.errors);
        serde_json::from_str(&ended.told).unwrap()
    }

    pub(crate) fn apply(&self, settings: &[&str]) -> Value {
        self.json("apply", settings, &["--yes"], 0)
    }

    pub(crate) fn destroy(&self, settings: &[&str], flags: &[&str]) -> Value {
        self.json("destroy", settings, &[&["--yes"], flags].concat(), 0)
    }

    pub(crate) fn plan(&self, settings: &[&str], flags: &[&str]) -> Value {
        self.json("plan", settings, flags, 0)
    }

    /// What a plan would do.
    pub(crate) fn pending(&self, settings: &[&str]) -> Vec<Changed> {
        Changed::all(&self.plan(settings, &[]))
    }

    /// What a script prints, which is JSON.
    pub(crate) fn python(&self, script: &str) -> Value {
        let indent =
            script.lines().find(|line| !line.trim().is_empty()).map_or(0, |line| line.len() - line.trim_start().len());
        let lines: Vec<&str> = script.lines().map(|line| line.get(indent..).unwrap_or_default()).collect();
        let output = Command::new(python())
            .args(["-c", &format!("{CLIENTS}{}", lines.join("\n"))])
            .env_clear()
            .envs(self.moto.environment())
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("HOME", self.home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn state(&self) -> Value {
        self.python(STATE)
    }
}

/// One change of a plan.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Changed {
    action: String,
    kind: String,
    name: String,
    attributes: BTreeSet<String>,
}

impl Changed {
    pub(crate) fn new(action: &str, kind: &str, name: &str) -> Self {
        Self { action: action.into(), kind: kind.into(), name: name.into(), attributes: BTreeSet::new() }
    }

    /// With what differs.
    pub(crate) fn of(self, attributes: &[&str]) -> Self {
        Self { attributes: attributes.iter().map(ToString::to_string).collect(), ..self }
    }

    pub(crate) fn all(plan: &Value) -> Vec<Self> {
        let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
        let one = |change: &Value| Self {
            action: text(change, "action"),
            kind: text(change, "kind"),
            name: text(change, "name"),
            attributes: change["attributes"].as_object().unwrap().keys().cloned().collect(),
        };
        plan["changes"].as_array().unwrap().iter().map(one).collect()
    }

    pub(crate) fn is_conflict(&self, name: &str) -> bool {
        self.action == "conflict" && self.name == name
    }

    /// Whether this is that change; what is made or goes is it with all attributes.
    pub(crate) fn is(&self, expected: &Self) -> bool {
        let alike = (&self.action, &self.kind, &self.name) == (&expected.action, &expected.kind, &expected.name);
        alike && (self.action != "update" || self.attributes == expected.attributes)
    }
}
