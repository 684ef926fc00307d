//! The policy of whoever runs `sms-provision`: exactly the actions that it calls, on exactly what it calls them on.
//!
//! In flow the stack and its place, out flows one document. With a permissions boundary in the settings nothing can be
//! made that is not within it, and the boundary itself stays as it is; without one, whoever may write policies and attach
//! them may do anything in the account, and [`unbounded`] says so.

mod actions;
mod parts;

use serde_json::{Map, Value, json};

use crate::aws::Place;
use crate::stack::{Stack, alarm_name_prefix, log_groups};
use actions::{ACTIONS, On, Statement};

pub use parts::parts;

/// The characters that IAM allows a customer-managed policy, white space not counted.
pub const LONGEST: usize = 6144;

/// That of IAM's policy language.
const VERSION: &str = "2012-10-17";

/// Where SNS is the service that is called or handed something.
const SNS: &str = "sns.amazonaws.com";

/// The document.
pub fn document(stack: &Stack, place: &Place) -> Value {
    let site = Site { stack, place, boundary: stack.account.permissions_boundary_arn.as_deref() };
    let mut statements: Vec<Value> = Statement::ALL.into_iter().filter_map(|one| site.allow(one)).collect();
    statements.extend(site.keep_boundary());
    json!({ "Version": VERSION, "Statement": statements })
}

/// Why the document amounts to an administrator's rights, where it does.
pub fn unbounded(stack: &Stack) -> Option<&'static str> {
    stack.account.permissions_boundary_arn.is_none().then_some(
        "whoever has this policy can write any policy for the sender and attach it, which amounts to the rights of an \
         administrator; set account.permissions_boundary_arn to bound them",
    )
}

/// How many characters the document has, as IAM counts them.
pub fn length(document: &Value) -> usize {
    document.to_string().chars().filter(|one| !one.is_whitespace()).count()
}

struct Site<'a> {
    stack: &'a Stack,
    place: &'a Place,
    boundary: Option<&'a str>,
}

impl Site<'_> {
    /// One statement; none where there is nothing to call its actions on.
    fn allow(&self, statement: Statement) -> Option<Value> {
        if statement == Statement::Unbound && self.boundary.is_some() {
            return None; // it is denied
        }
        let (mut actions, mut resources) = (Vec::<String>::new(), Vec::new());
        for (on, own) in ACTIONS.iter().filter(|(on, _)| on.statement() == statement) {
            let of_them = self.resources(*on);
            if !of_them.is_empty() {
                actions.extend(own.iter().map(ToString::to_string));
            }
            resources.extend(of_them);
        }
        for list in [&mut actions, &mut resources] {
            list.sort();
            list.dedup();
        }
        let mut allowed = json!({
            "Sid": format!("{statement:?}"),
            "Effect": "Allow",
            "Action": actions,
            "Resource": resources,
        });
        if let (Some(members), Some(condition)) = (allowed.as_object_mut(), self.condition(statement)) {
            members.insert("Condition".to_owned(), condition);
        }
        (!actions.is_empty()).then_some(allowed)
    }

    fn resources(&self, on: On) -> Vec<String> {
        let (names, path) = (&self.stack.names, &self.stack.account.path);
        let iam = |rest: &str| self.place.arn("iam", rest);
        match on {
            On::Anything | On::Region | On::ThroughSns => vec!["*".to_owned()],
            On::Policy => vec![self.policy()],
            On::User | On::BoundUser | On::UnboundUser | On::AttachedUser => {
                vec![iam(&format!("user{path}{}", names.sender))]
            }
            On::Role | On::BoundRole | On::UnboundRole | On::PassedRole => {
                vec![iam(&format!("role{path}{}", names.delivery_role))]
            }
            // The path of a role that is not ours is not known.
            On::Roles | On::AttachedRoles => {
                let roles = self.stack.account.sender_role_names.iter();
                roles.flat_map(|role| [iam(&format!("role/{role}")), iam(&format!("role/*/{role}"))]).collect()
            }
            // A role that is in no setting any more loses the policy too.
            On::Detached => ["group/*", "role/*", "user/*"].map(iam).to_vec(),
            // With their streams; the second one is named like the first, and more.
            On::LogGroups => {
                let [first, _] = log_groups(self.place);
                vec![self.place.arn("logs", &format!("log-group:{first}*"))]
            }
            On::Topic => vec![names.topic_arn.clone()],
            On::Alarms => vec![self.place.arn("cloudwatch", &format!("alarm:{}*", alarm_name_prefix(names)))],
            // A dashboard is of no region.
            On::Dashboard => {
                let Place { partition, account, .. } = self.place;
                vec![format!("arn:{partition}:cloudwatch::{account}:dashboard/{}", names.dashboard)]
            }
            On::Queues => [&names.queue, &names.dead_letters].map(|queue| self.place.arn("sqs", queue)).to_vec(),
        }
    }

    fn condition(&self, statement: Statement) -> Option<Value> {
        let mut condition = Map::new();
        let mut equal = |operator: &str, key: &str, value: &str| {
            let keys = condition.entry(operator).or_insert_with(|| json!({}));
            if let Some(keys) = keys.as_object_mut() {
                keys.insert(key.to_owned(), json!(value));
            }
        };
        match statement {
            Statement::Region => equal("StringEquals", "aws:RequestedRegion", &self.place.region),
            Statement::ThroughSns => {
                equal("StringEquals", "aws:CalledViaLast", SNS);
                equal("StringEquals", "aws:RequestedRegion", &self.place.region);
            }
            Statement::Pass => equal("StringEquals", "iam:PassedToService", SNS),
            Statement::Attach | Statement::Detach => equal("ArnEquals", "iam:PolicyARN", &self.policy()),
            _ => {}
        }
        let within = matches!(statement, Statement::Bound | Statement::Attach);
        if let Some(boundary) = self.boundary.filter(|_| within) {
            equal("ArnEquals", "iam:PermissionsBoundary", boundary);
        }
        (!condition.is_empty()).then_some(Value::Object(condition))
    }

    fn policy(&self) -> String {
        self.place.arn("iam", &format!("policy{}{}", self.stack.account.path, self.stack.names.sender))
    }

    /// What no other policy can give back: to take a boundary away, to put another in its place, to rewrite it.
    fn keep_boundary(&self) -> Vec<Value> {
        let Some(boundary) = self.boundary else { return Vec::new() };
        vec![
            json!({
                "Sid": "BoundaryStays",
                "Effect": "Deny",
                "Action": ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"],
                "Resource": "*",
            }),
            json!({
                "Sid": "NoOtherBoundary",
                "Effect": "Deny",
                "Action": ["iam:PutRolePermissionsBoundary", "iam:PutUserPermissionsBoundary"],
                "Resource": "*",
                "Condition": { "ArnNotEquals": { "iam:PermissionsBoundary": boundary } },
            }),
            json!({
                "Sid": "BoundaryUnchanged",
                "Effect": "Deny",
                "Action": [
                    "iam:CreatePolicyVersion",
                    "iam:DeletePolicy",
                    "iam:DeletePolicyVersion",
                    "iam:SetDefaultPolicyVersion",
                ],
                "Resource": boundary,
            }),
        ]
    }
}
