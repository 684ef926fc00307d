//! What an account is made of: a resource has a kind, a name and attributes, and that is all the plan knows of it.
//!
//! The stack says what is wanted in these words, AWS is read into the same words, and the difference of two maps is
//! the plan. What only one kind understands (identifiers, versions) never leaves its file.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// The kinds, in the order in which a plan lists them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The sender's customer-managed policy; it also carries the record of the SMS attributes' previous values.
    IamPolicy,
    /// The sender.
    IamUser,
    /// The sender policy on a user or a role.
    IamPolicyAttachment,
    /// The sender's key and its section of the credentials file.
    IamAccessKey,
    /// The role with which SNS writes delivery status.
    IamRole,
    /// That role's inline policy.
    IamRolePolicy,
    /// Where delivery status is written.
    LogGroup,
    /// Counts one class of failures in a log group.
    LogMetricFilter,
    /// The SMS attributes of the account and region.
    SmsAttributes,
    /// The alarm topic with its policy.
    SnsTopic,
    /// An e-mail address on the alarm topic.
    SnsSubscription,
    /// An alarm.
    CloudwatchAlarm,
    /// The dashboard.
    CloudwatchDashboard,
    /// A queue with its policy.
    SqsQueue,
}

impl Kind {
    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::IamPolicy => "IAM policy",
            Self::IamUser => "IAM user",
            Self::IamPolicyAttachment => "IAM policy attachment",
            Self::IamAccessKey => "access key",
            Self::IamRole => "IAM role",
            Self::IamRolePolicy => "IAM role policy",
            Self::LogGroup => "log group",
            Self::LogMetricFilter => "metric filter",
            Self::SmsAttributes => "SMS attributes",
            Self::SnsTopic => "SNS topic",
            Self::SnsSubscription => "SNS subscription",
            Self::CloudwatchAlarm => "CloudWatch alarm",
            Self::CloudwatchDashboard => "CloudWatch dashboard",
            Self::SqsQueue => "SQS queue",
        }
    }
}

impl Kind {
    /// What owns it, where it carries no mark of its own.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::IamPolicyAttachment => Some(Self::IamPolicy),
            Self::IamAccessKey => Some(Self::IamUser),
            Self::IamRolePolicy => Some(Self::IamRole),
            Self::SnsSubscription => Some(Self::SnsTopic),
            _ => None,
        }
    }
}

/// Which resource of an account and region.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Id {
    /// Its kind.
    pub kind: Kind,
    /// Its name, unique within the kind.
    pub name: String,
}

impl Id {
    /// The resource of that kind and name.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.noun(), self.name)
    }
}

/// Values by attribute. A tag is an attribute `tags.<key>`; what is deliberately absent is `null`.
pub type Attributes = BTreeMap<String, Value>;

/// Before the key of a tag in [`Attributes`].
pub const TAG: &str = "tags.";

/// The tags among the attributes.
pub fn tags(attributes: &Attributes) -> impl Iterator<Item = (&str, &str)> {
    attributes.iter().filter_map(|(key, value)| Some((key.strip_prefix(TAG)?, value.as_str()?)))
}

/// The text of an attribute; empty where it is absent or not text.
pub fn text<'a>(attributes: &'a Attributes, key: &str) -> &'a str {
    attributes.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A resource as the settings have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Which one.
    pub id: Id,
    /// What it should be; `None` where it should not be, and goes if it is ours.
    pub wanted: Option<Attributes>,
    /// What has to be there before it, and stays until it is gone.
    pub needs: Vec<Id>,
    /// What is changed before it, with or without success.
    pub after: Vec<Id>,
}

/// Whose a resource is that carries one of our names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Owner {
    /// Ours: by its tag, or by its parent's, or anybody's to have.
    Ours,
    /// Not ours; the words say how that is known: "carries no tag sms:stack".
    Other(String),
}

/// A resource as AWS has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which one.
    pub id: Id,
    /// What it is.
    pub attributes: Attributes,
    /// Whose it is.
    pub owner: Owner,
    /// Values that attributes go back to which the settings no longer set.
    pub released: Attributes,
    /// Why it stays although it is no longer wanted.
    pub keep: Option<String>,
    /// What has to be taken off it by hand before it can go.
    pub obstacles: Vec<String>,
    /// What others gave it that makes more of it than the settings want, and only they may take away.
    pub beyond: Vec<String>,
    /// What a person should know, though nothing is to be done.
    pub notes: Vec<String>,
}

impl Found {
    /// One of ours about which there is nothing to say.
    pub fn ours(id: Id, attributes: Attributes) -> Self {
        let (released, obstacles, beyond, notes) = (Attributes::new(), Vec::new(), Vec::new(), Vec::new());
        Self { id, attributes, owner: Owner::Ours, released, keep: None, obstacles, beyond, notes }
    }

    /// The same with an owner.
    #[must_use]
    pub fn owned_by(self, owner: Owner) -> Self {
        Self { owner, ..self }
    }
}
