//! What is asked: pure, from the settings.

use crate::aws::Place;
use crate::stack::{Stack, failure_log_group};

/// One action that should be allowed, or should not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Question {
    /// Follows "may" or "may not".
    pub what: &'static str,
    /// The IAM action.
    pub action: &'static str,
    /// What it should be.
    pub allowed: bool,
}

/// Whose policies decide.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Principal {
    /// By its ARN.
    Arn(String),
    /// A role by its name: it is somebody else's, and only AWS knows its path.
    Role(String),
}

/// The questions that one call asks: those of one principal about one resource in one region.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Whose policies decide.
    pub principal: Principal,
    /// What people call it.
    pub name: String,
    /// On which resource.
    pub resource: String,
    /// In which region.
    pub region: String,
    /// The actions.
    pub questions: Vec<Question>,
}

const fn may(what: &'static str, action: &'static str) -> Question {
    Question { what, action, allowed: true }
}

const fn may_not(what: &'static str, action: &'static str) -> Question {
    Question { what, action, allowed: false }
}

const QUEUE: [Question; 5] = [
    may("take from the queue", "sqs:ReceiveMessage"),
    may("hold back in the queue", "sqs:ChangeMessageVisibility"),
    may("put into the queue", "sqs:SendMessage"),
    may("delete from the queue", "sqs:DeleteMessage"),
    may("look at the queue", "sqs:GetQueueAttributes"),
];

/// Everything that is asked. Roles of others that have the sender policy too may have more than that from elsewhere: of
/// them only is asked whether they can send.
pub fn groups(stack: &Stack, place: &Place) -> Vec<Group> {
    let account = &stack.account;
    let mut all = Vec::new();
    if account.create_user {
        all.extend(of_user(stack, place));
    }
    for role in &account.sender_role_names {
        all.push(Group {
            principal: Principal::Role(role.clone()),
            name: format!("IAM role {role}"),
            resource: "*".to_owned(),
            region: place.region.clone(),
            questions: vec![may("send SMS to a number", "sns:Publish")],
        });
    }
    if account.delivery_status_logging {
        all.extend(of_delivery_role(stack, place));
    }
    all
}

fn of_user(stack: &Stack, place: &Place) -> Vec<Group> {
    let (account, names) = (&stack.account, &stack.names);
    let on = |resource: String, questions: Vec<Question>| Group {
        principal: Principal::Arn(place.arn("iam", &format!("user{}{}", account.path, names.sender))),
        name: format!("IAM user {}", names.sender),
        resource,
        region: place.region.clone(),
        questions,
    };
    let anything = || "*".to_owned();
    let mut all = vec![
        on(
            anything(),
            vec![
                may("send SMS to a number", "sns:Publish"),
                may("ask whether a number is opted out", "sns:CheckIfPhoneNumberIsOptedOut"),
                may_not("raise the spend limit", "sns:SetSMSAttributes"),
                may_not("list users", "iam:ListUsers"),
                may_not("make access keys", "iam:CreateAccessKey"),
            ],
        ),
        on(names.topic_arn.clone(), vec![may_not("publish to a topic", "sns:Publish")]),
    ];
    if account.delivery_status_logging {
        let log = place.arn("logs", &format!("log-group:{}", failure_log_group(place)));
        all.push(on(log, vec![may("read the delivery log", "logs:FilterLogEvents")]));
    }
    if account.queue {
        all.push(on(place.arn("sqs", &names.queue), QUEUE.to_vec()));
        let dead = place.arn("sqs", &names.dead_letters);
        all.push(on(dead, vec![may_not("take from another queue", "sqs:ReceiveMessage")]));
    }
    all
}

fn of_delivery_role(stack: &Stack, place: &Place) -> Vec<Group> {
    let (account, names) = (&stack.account, &stack.names);
    let on = |resource: String, questions: Vec<Question>| Group {
        principal: Principal::Arn(place.arn("iam", &format!("role{}{}", account.path, names.delivery_role))),
        name: format!("IAM role {}", names.delivery_role),
        resource,
        region: place.region.clone(),
        questions,
    };
    let log = |group: &str| place.arn("logs", &format!("log-group:{group}:log-stream:any"));
    vec![
        on(log(&failure_log_group(place)), vec![may("write delivery status", "logs:PutLogEvents")]),
        on(log("elsewhere"), vec![may_not("write to another log", "logs:PutLogEvents")]),
        on("*".to_owned(), vec![may_not("send SMS", "sns:Publish")]),
    ]
}
