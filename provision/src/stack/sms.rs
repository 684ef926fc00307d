//! The SMS attributes: one set for the account and region, which everybody there shares.

use serde_json::json;
use sms_config::SmsType;

use super::delivery::log_groups;
use super::names::DELIVERY_POLICY;
use super::{Site, resource};
use crate::resource::{Attributes, Id, Kind, Resource};

/// SNS's own names of them.
pub const SMS_ATTRIBUTES: [&str; 6] = [
    "DefaultSMSType",
    "DefaultSenderID",
    "DeliveryStatusIAMRole",
    "DeliveryStatusSuccessSamplingRate",
    "MonthlySpendLimit",
    "UsageReportS3Bucket",
];

/// Without `manage_sms_preferences` they are not looked at; but for what we wrote there of a role that goes: nothing is
/// wanted then, and what points to the role is released.
pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let (account, place, names) = (site.account, site.place, site.names);
    let role = Id::new(Kind::IamRole, &names.delivery_role);
    let role_policy = Id::new(Kind::IamRolePolicy, format!("{}/{DELIVERY_POLICY}", names.delivery_role));
    // The policy keeps the record of what they were before.
    let policy = Id::new(Kind::IamPolicy, &names.sender);
    // SNS makes the log groups itself where they are not there when it writes.
    let [delivered, failed] = log_groups(place).map(|group| Id::new(Kind::LogGroup, group));
    let needs = [role, role_policy, policy, delivered, failed];
    let all = |wanted| vec![resource(Kind::SmsAttributes, &place.region, Some(wanted), &needs)];
    let mut wanted = Attributes::new();
    if !account.manage_sms_preferences {
        return if account.delivery_status_logging { Vec::new() } else { all(wanted) };
    }
    let mut set = |key: &str, value: String| wanted.insert(key.to_owned(), json!(value));
    set("MonthlySpendLimit", account.monthly_spend_limit_usd.to_string());
    set(
        "DefaultSMSType",
        match account.default_sms_type {
            SmsType::Transactional => "Transactional".to_owned(),
            SmsType::Promotional => "Promotional".to_owned(),
        },
    );
    if let Some(sender) = &account.default_sender_id {
        set("DefaultSenderID", sender.clone());
    }
    if let Some(bucket) = &account.usage_report_bucket {
        set("UsageReportS3Bucket", bucket.clone());
    }
    if account.delivery_status_logging {
        let path = &account.path;
        set("DeliveryStatusIAMRole", place.arn("iam", &format!("role{path}{}", names.delivery_role)));
        set("DeliveryStatusSuccessSamplingRate", account.delivery_status_sampling_percent.to_string());
    }
    all(wanted)
}
