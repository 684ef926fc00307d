//! The sender: its policy, its user with a key, and whoever else the policy is attached to.

use serde_json::{Value, json};

use super::delivery::log_arns;
use super::{Site, plain, resource};
use crate::resource::{Id, Kind, Resource};

pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let (account, sender) = (site.account, site.names.sender.as_str());
    let boundary = json!(account.permissions_boundary_arn);
    let policy = Id::new(Kind::IamPolicy, sender);
    let user = Id::new(Kind::IamUser, sender);
    let mut resources = vec![
        resource(
            Kind::IamPolicy,
            sender,
            site.tagged(true, [("path", json!(account.path)), ("document", document(site))]),
            &[],
        ),
        resource(
            Kind::IamUser,
            sender,
            site.tagged(account.create_user, [("path", json!(account.path)), ("permissions_boundary", boundary)]),
            &[],
        ),
        resource(Kind::IamAccessKey, sender, key(site), std::slice::from_ref(&user)),
        attachment(site, &format!("user/{sender}"), account.create_user, &[policy.clone(), user]),
    ];
    let roles = account.sender_role_names.iter();
    resources.extend(roles.map(|role| attachment(site, &format!("role/{role}"), true, std::slice::from_ref(&policy))));
    resources
}

fn key(site: &Site<'_>) -> Option<crate::resource::Attributes> {
    let account = site.account;
    let file = account.credentials_file.as_ref().map(|file| file.display().to_string());
    plain(account.create_user && account.create_access_key, [("credentials_file", json!(file))])
}

fn attachment(site: &Site<'_>, to: &str, wanted: bool, needs: &[Id]) -> Resource {
    resource(Kind::IamPolicyAttachment, to, plain(wanted, [("policy", json!(site.names.sender))]), needs)
}

/// To phone numbers and nothing else. A direct SMS has its number as the resource, so that only `*` allows it, and
/// everything with an ARN (topics, platform endpoints) is denied again. The denial names `sns:Publish` alone: the reads
/// are evaluated against an ARN. SNS calls End User Messaging in the sender's name, hence the actions of `sms-voice`.
fn document(site: &Site<'_>) -> Value {
    let (account, place, names) = (site.account, site.place, site.names);
    let here = json!({ "StringEquals": { "aws:RequestedRegion": place.region } });
    let mut statements = vec![
        json!({ "Sid": "SendSms", "Effect": "Allow", "Action": "sns:Publish", "Resource": "*", "Condition": here }),
        json!({
            "Sid": "NoTopicsOrEndpoints",
            "Effect": "Deny",
            "Action": "sns:Publish",
            "Resource": format!("arn:{}:sns:*:*:*", place.partition),
        }),
        json!({
            "Sid": "ReadSms",
            "Effect": "Allow",
            "Action": [
                "sns:CheckIfPhoneNumberIsOptedOut",
                "sns:GetSMSAttributes",
                "sns:GetSMSSandboxAccountStatus",
                "sns:ListPhoneNumbersOptedOut",
            ],
            "Resource": "*",
            "Condition": here,
        }),
        json!({
            "Sid": "SmsVoiceThroughSns",
            "Effect": "Allow",
            "Action": [
                "sms-voice:DescribeOptedOutNumbers",
                "sms-voice:DescribeSpendLimits",
                "sms-voice:SendTextMessage",
            ],
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "aws:CalledViaLast": "sns.amazonaws.com",
                    "aws:RequestedRegion": place.region,
                },
            },
        }),
    ];
    if account.delivery_status_logging {
        statements.push(json!({
            "Sid": "ReadDeliveryStatus",
            "Effect": "Allow",
            "Action": "logs:FilterLogEvents",
            "Resource": log_arns(place),
        }));
    }
    if account.queue {
        statements.push(json!({
            "Sid": "UseQueue",
            "Effect": "Allow",
            "Action": [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            "Resource": place.arn("sqs", &names.queue),
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}
