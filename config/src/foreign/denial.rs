//! Answers that something is not allowed: what exactly stands in the way, which decides what can be done about it.

use super::label::is_plain_name;

/// What denies a call, as far as AWS says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Barrier {
    /// AWS does not say.
    Unknown,
    /// A service control policy of the organization.
    ServiceControlPolicy,
    /// A resource control policy of the organization.
    ResourceControlPolicy,
    /// The permissions boundary of the caller.
    PermissionsBoundary,
    /// A policy of the session that the caller got its credentials with.
    SessionPolicy,
    /// A policy attached to the caller.
    IdentityPolicy,
    /// The policy of the resource, or the trust policy of a role.
    ResourcePolicy,
    /// The policy of a VPC endpoint.
    EndpointPolicy,
}

/// A call that is not allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denial {
    /// The action as IAM names it (`sns:Publish`), if AWS says so.
    pub action: Option<String>,
    /// Who called: the ARN, without the session's name.
    pub caller: Option<String>,
    /// Whether a Deny forbids it. Otherwise nothing allows it.
    pub explicit: bool,
    /// What is in the way.
    pub barrier: Barrier,
}

/// How AWS's sentences name each barrier.
const BARRIERS: [(&str, Barrier); 9] = [
    ("service control policy", Barrier::ServiceControlPolicy),
    ("resource control policy", Barrier::ResourceControlPolicy),
    ("permissions boundary", Barrier::PermissionsBoundary),
    ("session policy", Barrier::SessionPolicy),
    ("identity-based policy", Barrier::IdentityPolicy),
    ("resource-based policy", Barrier::ResourcePolicy),
    ("trust policy", Barrier::ResourcePolicy),
    ("VPC endpoint policy", Barrier::EndpointPolicy),
    ("endpoint policy", Barrier::EndpointPolicy),
];

/// The services whose actions are named to us.
const SERVICES: [&str; 9] = ["cloudwatch", "iam", "kms", "logs", "s3", "sms-voice", "sns", "sqs", "sts"];
/// What the name of an action begins with.
const VERBS: [&str; 28] = [
    "Add",
    "Assume",
    "Attach",
    "Change",
    "Check",
    "Create",
    "Decrypt",
    "Delete",
    "Describe",
    "Detach",
    "Generate",
    "Get",
    "List",
    "Opt",
    "Pass",
    "Publish",
    "Purge",
    "Put",
    "Receive",
    "Remove",
    "Send",
    "Set",
    "Simulate",
    "Subscribe",
    "Tag",
    "Unsubscribe",
    "Untag",
    "Update",
];

impl Denial {
    /// Reads AWS's sentence.
    pub(super) fn read(message: &str) -> Self {
        let (who, what) = message.split_once(" is not authorized to perform: ").unwrap_or(("", ""));
        let word = |text: &'_ str| text.split([' ', ',', '.', '\n', '\r']).next().unwrap_or_default().to_owned();
        let caller = who.rsplit_once("User: ").map_or(who, |(_, who)| who);
        let because = |(words, _): &&(&str, Barrier)| {
            let denies = [format!("explicit deny in a {words}"), format!("explicit deny in an {words}")];
            denies.iter().any(|deny| message.contains(deny)) || message.contains(&format!("because no {words} allows"))
        };
        Self {
            action: action(&word(what)),
            caller: caller_arn(caller.trim()),
            explicit: message.contains("explicit deny"),
            barrier: BARRIERS.iter().find(because).map_or(Barrier::Unknown, |(_, barrier)| *barrier),
        }
    }

    /// Whether no grant in this account can change it: the organization forbids it.
    pub fn is_beyond_the_account(&self) -> bool {
        matches!(self.barrier, Barrier::ServiceControlPolicy | Barrier::ResourceControlPolicy)
    }

    /// What is in the way, without the action.
    pub(super) fn explanation(&self) -> &'static str {
        match (self.barrier, self.explicit) {
            (Barrier::Unknown, true) => "a policy denies it explicitly",
            (Barrier::Unknown, false) => "AWS does not say which policy is missing or in the way",
            (Barrier::ServiceControlPolicy, true) => {
                "a service control policy (SCP) of the organization denies it explicitly"
            }
            (Barrier::ServiceControlPolicy, false) => "no service control policy (SCP) of the organization allows it",
            (Barrier::ResourceControlPolicy, true) => {
                "a resource control policy (RCP) of the organization denies it explicitly"
            }
            (Barrier::ResourceControlPolicy, false) => "no resource control policy (RCP) of the organization allows it",
            (Barrier::PermissionsBoundary, true) => "the permissions boundary of the caller denies it explicitly",
            (Barrier::PermissionsBoundary, false) => "the permissions boundary of the caller does not allow it",
            (Barrier::SessionPolicy, true) => "the session policy of these credentials denies it explicitly",
            (Barrier::SessionPolicy, false) => "the session policy of these credentials does not allow it",
            (Barrier::IdentityPolicy, true) => "a policy attached to the caller denies it explicitly",
            (Barrier::IdentityPolicy, false) => "no policy attached to the caller allows it",
            (Barrier::ResourcePolicy, true) => "the policy of the resource denies it explicitly",
            (Barrier::ResourcePolicy, false) => "the policy of the resource does not allow it",
            (Barrier::EndpointPolicy, true) => "the policy of the VPC endpoint denies it explicitly",
            (Barrier::EndpointPolicy, false) => "the policy of the VPC endpoint does not allow it",
        }
    }

    /// What to do where that is not simply to grant the action to the caller.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        match (self.barrier, self.explicit) {
            (Barrier::ServiceControlPolicy | Barrier::ResourceControlPolicy, _) => {
                Some("it cannot be granted away in this account: ask the administrators of the organization")
            }
            (Barrier::PermissionsBoundary, _) => {
                Some("a grant does not help: have the permissions boundary changed by whoever manages it")
            }
            (Barrier::SessionPolicy, _) => {
                Some("a grant does not help: get credentials whose session policy allows it, or that have none")
            }
            (Barrier::ResourcePolicy, _) => Some("have the policy of the resource changed by its owner"),
            (Barrier::EndpointPolicy, _) => {
                Some("a grant does not help: have the policy of the VPC endpoint changed, or use another network")
            }
            (Barrier::IdentityPolicy | Barrier::Unknown, true) => {
                Some("a grant does not help: an explicit deny wins; have that statement taken out of the policy")
            }
            (Barrier::IdentityPolicy | Barrier::Unknown, false) => None,
        }
    }
}

/// `SNS:Publish` as IAM writes it, `sns:Publish`; `None` for anything that is not an action.
fn action(text: &str) -> Option<String> {
    let (service, name) = text.split_once(':')?;
    let service = SERVICES.iter().find(|known| known.eq_ignore_ascii_case(service))?;
    let fits = name.len() <= 48
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && VERBS.iter().any(|verb| name.starts_with(verb));
    fits.then(|| format!("{service}:{name}"))
}

/// The ARN of a caller: of IAM or STS, with names that people gave. The name of a session is left out: it may be an
/// e-mail address, or anything else.
fn caller_arn(text: &str) -> Option<String> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    let (arn, partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let account_fits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let partition_fits = partition.starts_with("aws")
        && partition.len() <= 12
        && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let head = arn == "arn" && partition_fits && matches!(service, "iam" | "sts") && region.is_empty() && account_fits;
    let resource = match resource.split_once('/') {
        _ if !head => None,
        None => (resource == "root").then(|| resource.to_owned()),
        Some((kind @ ("user" | "role"), name)) => is_plain_name(name).then(|| format!("{kind}/{name}")),
        Some(("assumed-role", rest)) => {
            let role = rest.split('/').next().filter(|role| is_plain_name(role))?;
            Some(format!("assumed-role/{role}/…"))
        }
        Some(_) => None,
    }?;
    Some(format!("{arn}:{partition}:{service}::{account}:{resource}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str =
        "User: arn:aws:iam::123456789012:user/ops is not authorized to perform: iam:CreateUser on resource: sesame";

    #[test]
    fn each_barrier_is_told_apart_from_what_can_be_granted() {
        for (end, barrier, explicit, beyond) in [
            (" with an explicit deny in a service control policy", Barrier::ServiceControlPolicy, true, true),
            (
                " because no service control policy allows the iam:CreateUser action",
                Barrier::ServiceControlPolicy,
                false,
                true,
            ),
            (" with an explicit deny in a resource control policy", Barrier::ResourceControlPolicy, true, true),
            (" with an explicit deny in a permissions boundary", Barrier::PermissionsBoundary, true, false),
            (
                " because no permissions boundary allows the iam:CreateUser action",
                Barrier::PermissionsBoundary,
                false,
                false,
            ),
            (" with an explicit deny in an identity-based policy", Barrier::IdentityPolicy, true, false),
            (
                " because no identity-based policy allows the iam:CreateUser action",
                Barrier::IdentityPolicy,
                false,
                false,
            ),
            (" with an explicit deny in a session policy", Barrier::SessionPolicy, true, false),
            (" with an explicit deny in a resource-based policy", Barrier::ResourcePolicy, true, false),
            (" with an explicit deny in a VPC endpoint policy", Barrier::EndpointPolicy, true, false),
            (" with an explicit deny", Barrier::Unknown, true, false),
            ("", Barrier::Unknown, false, false),
        ] {
            let denial = Denial::read(&format!("{BEGIN}{end}"));
            assert_eq!((denial.barrier, denial.explicit), (barrier, explicit), "{end}");
            assert_eq!(denial.is_beyond_the_account(), beyond, "{end}");
            assert_eq!(denial.action.as_deref(), Some("iam:CreateUser"));
            assert_eq!(denial.caller.as_deref(), Some("arn:aws:iam::123456789012:user/ops"));
            assert_eq!(
                denial.remedy().is_some(),
                explicit || !matches!(barrier, Barrier::Unknown | Barrier::IdentityPolicy)
            );
        }
    }

    #[test]
    fn what_is_no_caller_and_no_action_is_left_out() {
        let role = "arn:aws-us-gov:sts::123456789012:assumed-role/deploy/me@example.com";
        assert_eq!(caller_arn(role).as_deref(), Some("arn:aws-us-gov:sts::123456789012:assumed-role/deploy/…"));
        for bad in [
            "arn:aws:iam::123456789012:user/+12065550100",
            "arn:aws:iam::123456789012:user/NDI0MjQy",
            "arn:aws:iam::+12065550100:user/a",
            "arn:aws:sns:us-east-1:123456789012:sesame",
            "arn:aws\u{1b}[31m:iam::123456789012:user/a",
            "sesame 424242",
            "",
        ] {
            assert_eq!(caller_arn(bad), None, "{bad}");
        }
        assert_eq!(action("SNS:Publish").as_deref(), Some("sns:Publish"));
        for bad in ["sesame:Publish", "sns:Sesame", "sns:Publish424242", "sns:", "Publish", "sns:GetNDI0MjQy"] {
            assert_eq!(action(bad), None, "{bad}");
        }
    }
}
