//! What `sms-provision` works on: `[account]`, the desired state of one account and region, and `[[targets]]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::value::{Dict, Value as Given};

use super::check::{Check, expand};
use super::error::{Origin, Problem};
use super::shape::{Aws, SmsType};
use super::values::{Reader, Values};

/// `[account]`. What is `None` is left as found in the account, and never written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// Prefix of every name, and the ownership tag.
    pub name: String,
    /// The only account that may be touched, 12 digits.
    pub account_id: Option<String>,
    /// IAM path of user, policy and role.
    pub path: String,
    /// The boundary of user and role.
    pub permissions_boundary_arn: Option<String>,
    /// Whether there is a sender user.
    pub create_user: bool,
    /// Whether that user gets an access key.
    pub create_access_key: bool,
    /// Where the access key is written. `None` only where the default needs a `HOME` that is not set.
    pub credentials_file: Option<PathBuf>,
    /// Existing roles that get the sender policy too.
    pub sender_role_names: Vec<String>,
    /// Whether the account-wide SMS attributes are ours.
    pub manage_sms_preferences: bool,
    /// SNS's `DefaultSMSType`.
    pub default_sms_type: SmsType,
    /// SNS's `DefaultSenderID`.
    pub default_sender_id: Option<String>,
    /// SNS's `MonthlySpendLimit`, whole US dollars.
    pub monthly_spend_limit_usd: u32,
    /// SNS's `UsageReportS3Bucket`.
    pub usage_report_bucket: Option<String>,
    /// Role, log groups, metric filters and quota alarm.
    pub delivery_status_logging: bool,
    /// Which part of the successes is logged; 0 logs failures only.
    pub delivery_status_sampling_percent: u32,
    /// Whether the log groups are made before SNS makes them.
    pub create_delivery_log_groups: bool,
    /// Days; one of those that CloudWatch Logs knows.
    pub delivery_log_retention_days: u32,
    /// Who is told of alarms.
    pub alarm_emails: Vec<String>,
    /// One alarm each, in percent of the monthly limit.
    pub spend_alarm_percents: Vec<u32>,
    /// Alarm at this part of failures.
    pub failure_alarm_percent: u32,
    /// Whether there is a queue with its dead-letter queue.
    pub queue: bool,
    /// Tags beside our own.
    pub tags: BTreeMap<String, String>,
}

/// One of `[[targets]]`: an account and region of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// What `--target` names it by.
    pub name: String,
    /// `[aws]` with the target's own region and identity put over it. A target with a profile does not take over
    /// the role of `[aws]`; a target with a role assumes it from the profile of `[aws]`.
    pub aws: Aws,
    /// `[account]` with `[targets.account]` put over it key by key.
    pub account: Account,
}

/// What a target itself sets: its own keys, and those of its `account`.
pub(super) struct TargetValues {
    /// How errors name it: `targets[0]`.
    pub(super) shown: String,
    pub(super) origin: Origin,
    pub(super) own: Values,
    pub(super) account: Values,
}

impl Reader<'_> {
    /// Reads `[[targets]]`.
    pub(super) fn targets(&mut self, given: Given) -> Vec<TargetValues> {
        let tag = given.tag();
        let Some(list) = given.into_array() else {
            self.refuse("targets", tag, "must be a list of tables, each under [[targets]]");
            return Vec::new();
        };
        let mut targets = Vec::new();
        for (index, one) in list.into_iter().enumerate() {
            let shown = format!("targets[{index}]");
            let origin = (self.origin_of)(one.tag(), &shown);
            let mut target = TargetValues { shown, origin, own: Values::default(), account: Values::default() };
            match one.into_dict() {
                Some(own) => self.target(own, &mut target),
                None => self.refuse(&target.shown, tag, "must be a table under [[targets]]"),
            }
            targets.push(target);
        }
        targets
    }

    fn target(&mut self, mut given: Dict, target: &mut TargetValues) {
        let shown_account = format!("{}.account", target.shown);
        match given.remove("account").map(|account| (account.tag(), account.into_dict())) {
            Some((_, Some(account))) => self.section("account", &shown_account, account, &mut target.account),
            Some((tag, None)) => self.refuse(&shown_account, tag, "must be a table under [targets.account]"),
            None => {}
        }
        self.section("targets", &target.shown, given, &mut target.own);
    }
}

impl Check<'_> {
    pub(super) fn account(&mut self) -> Account {
        let values = self.values;
        Account {
            name: values.text("account.name"),
            account_id: values.find_text("account.account_id"),
            path: values.text("account.path"),
            permissions_boundary_arn: values.find_text("account.permissions_boundary_arn"),
            create_user: values.flag("account.create_user"),
            create_access_key: values.flag("account.create_access_key"),
            credentials_file: self.path("account.credentials_file").or_else(|| expand("~/.aws/credentials", self.home)),
            sender_role_names: values.texts("account.sender_role_names"),
            manage_sms_preferences: values.flag("account.manage_sms_preferences"),
            default_sms_type: match values.text("account.default_sms_type").as_str() {
                "Promotional" => SmsType::Promotional,
                _ => SmsType::Transactional,
            },
            default_sender_id: values.find_text("account.default_sender_id"),
            monthly_spend_limit_usd: values.number("account.monthly_spend_limit_usd"),
            usage_report_bucket: values.find_text("account.usage_report_bucket"),
            delivery_status_logging: values.flag("account.delivery_status_logging"),
            delivery_status_sampling_percent: values.number("account.delivery_status_sampling_percent"),
            create_delivery_log_groups: values.flag("account.create_delivery_log_groups"),
            delivery_log_retention_days: values.number("account.delivery_log_retention_days"),
            alarm_emails: values.texts("account.alarm_emails"),
            spend_alarm_percents: values.numbers("account.spend_alarm_percents"),
            failure_alarm_percent: values.number("account.failure_alarm_percent"),
            queue: values.flag("account.queue"),
            tags: values.tags("account.tags"),
        }
    }

    /// `values` of this check are those of `[account]` with the target's put over them.
    pub(super) fn target(&mut self, target: &TargetValues, base: &Aws, taken: &[Target]) -> Target {
        let text = |key: &str| target.own.find_text(&format!("targets.{key}"));
        let (name, profile, role_arn) = (text("name").unwrap_or_default(), text("profile"), text("role_arn"));
        let mut wrong = Vec::new();
        if name.is_empty() {
            wrong.push(("name", "must be set: --target names a target by it"));
        }
        if taken.iter().any(|other| other.name == name) {
            wrong.push(("name", "is the name of another target already"));
        }
        if profile.is_some() && role_arn.is_some() {
            wrong.push(("profile", "and role_arn are two ways in; keep one"));
        }
        if text("external_id").is_some() && role_arn.is_none() {
            wrong.push(("external_id", "is only for a role; set role_arn too"));
        }
        if text("account_id").is_some() && target.account.find_text("account.account_id").is_some() {
            wrong.push(("account_id", "stands in the target and in its account; keep one"));
        }
        for (key, what) in wrong {
            let key = format!("{}.{key}", target.shown);
            self.problems.push(Problem::Setting { key, origin: target.origin.clone(), what: what.to_owned() });
        }
        let own_way_in = profile.is_some() || role_arn.is_some();
        let mut account = self.account();
        account.account_id = text("account_id").or(account.account_id);
        Target {
            name,
            aws: Aws {
                region: text("region").or_else(|| base.region.clone()),
                profile: profile.or_else(|| base.profile.clone()),
                endpoint_url: base.endpoint_url.clone(),
                role_arn: if own_way_in { role_arn } else { base.role_arn.clone() },
                external_id: if own_way_in { text("external_id") } else { base.external_id.clone() },
            },
            account,
        }
    }
}
