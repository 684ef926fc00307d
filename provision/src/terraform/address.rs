//! Where in the module a resource is, and by what Terraform finds it in AWS.

use super::quoted;
use crate::aws::Place;
use crate::resource::{Id, Kind};
use crate::stack::{Stack, alarm_name_prefix, failure_log_group, log_groups};

/// A resource's place in the module and what identifies it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// The address below the root module, and the id.
    At(String, String),
    /// The address; the id is one that AWS made up.
    Asked(String),
    /// Terraform cannot import it, or should not; why.
    Not(&'static str),
}

/// The address of a resource of the stack.
pub fn address(id: &Id, stack: &Stack, place: &Place) -> Address {
    let (name, names, path) = (id.name.as_str(), &stack.names, &stack.account.path);
    let at = |address: &str, id: String| Address::At(address.to_owned(), id);
    let policy = || place.arn("iam", &format!("policy{path}{}", names.sender));
    match id.kind {
        Kind::IamPolicy => at("module.sender.aws_iam_policy.sender", policy()),
        Kind::IamUser => at("module.sender.aws_iam_user.sender[0]", name.to_owned()),
        Kind::IamPolicyAttachment => match name.split_once('/') {
            Some(("role", role)) => Address::At(
                format!("module.sender.aws_iam_role_policy_attachment.sender[{}]", quoted(role)),
                format!("{role}/{}", policy()),
            ),
            Some((_, user)) => {
                at("module.sender.aws_iam_user_policy_attachment.sender[0]", format!("{user}/{}", policy()))
            }
            None => Address::Not("nobody has it"),
        },
        Kind::IamAccessKey => Address::Not("it stays as it is: its secret would stand in the state"),
        Kind::IamRole => at("module.sms.aws_iam_role.delivery_status[0]", name.to_owned()),
        Kind::IamRolePolicy => at("module.sms.aws_iam_role_policy.delivery_status[0]", name.replacen('/', ":", 1)),
        Kind::LogGroup => {
            let key = if log_groups(place).first().is_some_and(|first| first == name) { "success" } else { "failure" };
            Address::At(
                format!("module.sms.aws_cloudwatch_log_group.delivery_status[{}]", quoted(key)),
                name.to_owned(),
            )
        }
        Kind::LogMetricFilter => {
            let class = name.strip_prefix(&format!("{}-", names.stack)).unwrap_or(name);
            Address::At(
                format!("module.sms.aws_cloudwatch_log_metric_filter.failure[{}]", quoted(class)),
                format!("{}:{name}", failure_log_group(place)),
            )
        }
        Kind::SmsAttributes => Address::Not(
            "Terraform cannot import them: it writes them once more, as they are, in aws_sns_sms_preferences",
        ),
        Kind::SnsTopic => at("module.alarms.aws_sns_topic.alarms", names.topic_arn.clone()),
        Kind::SnsSubscription => {
            Address::Asked(format!("module.alarms.aws_sns_topic_subscription.email[{}]", quoted(name)))
        }
        Kind::CloudwatchAlarm => {
            let own = name.strip_prefix(&alarm_name_prefix(names)).unwrap_or(name);
            let resource = match (own, own.strip_prefix("spend-")) {
                (_, Some(percent)) => format!("spend[{}]", quoted(percent)),
                ("failures", _) => "failures".to_owned(),
                (other, _) => format!("{}[0]", other.replace('-', "_")),
            };
            Address::At(format!("module.alarms.aws_cloudwatch_metric_alarm.{resource}"), name.to_owned())
        }
        Kind::CloudwatchDashboard => at("module.alarms.aws_cloudwatch_dashboard.this", name.to_owned()),
        Kind::SqsQueue => {
            let queue = if name == names.queue { "outbox" } else { "outbox_dead" };
            Address::Asked(format!("module.queue[0].aws_sqs_queue.{queue}"))
        }
    }
}
