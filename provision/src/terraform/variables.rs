//! The settings as variables of the module.

use sms_config::{Account, SmsType};

use super::quoted;

/// A `.tfvars` file, as `terraform fmt` writes it. What is not set has the module's default, which is none as well. The
/// credentials file is of this program alone, and the access key stays what this program has made.
pub fn variables(account: &Account) -> String {
    let list = |all: &[String]| format!("[{}]", all.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", "));
    let option = |value: &Option<String>| value.as_deref().map(quoted);
    let kind = match account.default_sms_type {
        SmsType::Transactional => "Transactional",
        SmsType::Promotional => "Promotional",
    };
    let percents: Vec<String> = account.spend_alarm_percents.iter().map(ToString::to_string).collect();
    let tags: Vec<String> =
        account.tags.iter().map(|(key, value)| format!("{} = {}", quoted(key), quoted(value))).collect();
    let all = [
        ("name", Some(quoted(&account.name))),
        ("account_id", option(&account.account_id)),
        ("path", Some(quoted(&account.path))),
        ("permissions_boundary_arn", option(&account.permissions_boundary_arn)),
        ("create_user", Some(account.create_user.to_string())),
        ("sender_role_names", Some(list(&account.sender_role_names))),
        ("manage_sms_preferences", Some(account.manage_sms_preferences.to_string())),
        ("default_sms_type", Some(quoted(kind))),
        ("default_sender_id", option(&account.default_sender_id)),
        ("monthly_spend_limit_usd", Some(account.monthly_spend_limit_usd.to_string())),
        ("usage_report_bucket", option(&account.usage_report_bucket)),
        ("delivery_status_logging", Some(account.delivery_status_logging.to_string())),
        ("delivery_status_sampling_percent", Some(account.delivery_status_sampling_percent.to_string())),
        ("create_delivery_log_groups", Some(account.create_delivery_log_groups.to_string())),
        ("delivery_log_retention_days", Some(account.delivery_log_retention_days.to_string())),
        ("alarm_emails", Some(list(&account.alarm_emails))),
        ("spend_alarm_percents", Some(format!("[{}]", percents.join(", ")))),
        ("failure_alarm_percent", Some(account.failure_alarm_percent.to_string())),
        ("queue", Some(account.queue.to_string())),
        ("tags", Some(if tags.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", tags.join(", ")) })),
    ];
    let set: Vec<(&str, String)> = all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let width = set.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::from(
        "# create_access_key is left out: the key that sms-provision made goes on working, and the secret of another one \
         would\n# stand in the state.\n\n",
    );
    for (name, value) in set {
        text.push_str(&format!("{name:width$} = {value}\n"));
    }
    text
}
