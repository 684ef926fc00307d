//! The forms of text that settings take: addresses, names and ARNs, each with the words for what it allows.
//!
//! They follow what AWS's own API pages allow, and are stricter only where the rest of this product needs it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::queue_url::QueueUrl;

/// One form of text.
pub(super) struct Form {
    pub(super) fits: fn(&str) -> bool,
    /// Follows "must be".
    pub(super) allowed: &'static str,
}

pub(super) const ANY: Form =
    Form { fits: |text| is_line(text, 1024), allowed: "text of 1 to 1024 characters on one line" };

pub(super) const LISTEN: Form = Form {
    fits: |text| match text.strip_prefix("unix:") {
        Some(path) => is_line(path, 1024) && (path.starts_with('/') || path.starts_with("~/")),
        None => text.parse::<SocketAddr>().is_ok(),
    },
    allowed: "an IP address with its port (127.0.0.1:7670, [::1]:7670) or unix: with an absolute path",
};

pub(super) const SOCKET_MODE: Form = Form {
    fits: |text| (3..=4).contains(&text.len()) && octal(text).is_some_and(|mode| mode <= 0o777),
    allowed: "permission bits in octal, as text, \"0000\" to \"0777\"",
};

pub(super) const PATH: Form = Form {
    fits: |text| is_line(text, 4096) && (!text.starts_with('~') || text == "~" || text.starts_with("~/")),
    allowed: "a path; ~/ at its start is the home folder",
};

pub(super) const URL: Form = Form { fits: |text| is_url(text), allowed: "an http:// or https:// URL" };

pub(super) const QUEUE_URL: Form = Form {
    fits: |text| QueueUrl::parse(text).is_some(),
    allowed: "the http:// or https:// URL of a standard queue, which ends in its account and its name \
              (https://sqs.<region>.amazonaws.com/<account>/<name>), without a user name, query or fragment",
};

pub(super) const REGION: Form = Form {
    fits: |text| text.len() <= 32 && is_made_of(text, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
    allowed: "the name of a region, such as us-east-1",
};

pub(super) const ROLE_ARN: Form =
    Form { fits: |text| is_iam_arn(text, "role"), allowed: "the ARN of a role, arn:aws:iam::<account>:role/<name>" };

pub(super) const EXTERNAL_ID: Form = Form {
    fits: |text| (2..=1224).contains(&text.len()) && is_made_of(text, |c| is_word(c) || "+=,.@:/-".contains(c)),
    allowed: "2 to 1224 letters, digits or any of +=,.@:/_-",
};

pub(super) const STACK_NAME: Form = Form {
    fits: |text| {
        text.len() <= 30
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && is_made_of(text, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    },
    allowed: "1 to 30 lower-case letters, digits or hyphens, a letter first",
};

pub(super) const TARGET_NAME: Form = Form {
    fits: |text| text.len() <= 64 && is_made_of(text, |c| is_word(c) || c == '-' || c == '.'),
    allowed: "1 to 64 letters, digits or any of ._-",
};

pub(super) const ACCOUNT_ID: Form =
    Form { fits: is_account_id, allowed: "the 12 digits of an account id, as text in quotes" };

pub(super) const IAM_PATH: Form = Form {
    fits: |text| {
        text == "/"
            || text.len() <= 512
                && text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).is_some_and(|inner| {
                    inner.split('/').all(|part| is_made_of(part, |c| is_word(c) || "+=,.@-".contains(c)))
                })
    },
    allowed: "an IAM path, beginning and ending with a slash",
};

pub(super) const POLICY_ARN: Form = Form {
    fits: |text| is_iam_arn(text, "policy"),
    allowed: "the ARN of a policy, arn:aws:iam::<account>:policy/<name>",
};

pub(super) const ROLE_NAME: Form = Form {
    fits: |text| text.len() <= 64 && is_made_of(text, |c| is_word(c) || "+=,.@-".contains(c)),
    allowed: "the name of a role (not its ARN or path), 1 to 64 letters, digits or any of +=,.@_-",
};

pub(super) const SENDER_ID: Form = Form {
    fits: |text| {
        text.len() <= 11
            && is_made_of(text, |c| c.is_ascii_alphanumeric())
            && text.contains(|c: char| c.is_ascii_alphabetic())
    },
    allowed: "1 to 11 letters and digits, at least one of them a letter",
};

pub(super) const BUCKET: Form = Form {
    fits: |text| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        (3..=63).contains(&text.len())
            && is_made_of(text, |c| inner(c) || c == '.' || c == '-')
            && text.starts_with(inner)
            && text.ends_with(inner)
    },
    allowed: "the name of a bucket, 3 to 63 lower-case letters, digits, dots or hyphens",
};

pub(super) const EMAIL: Form = Form {
    fits: |text| {
        is_line(text, 254)
            && !text.contains(|c: char| c.is_whitespace() || "<>,;\"".contains(c))
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && domain.contains('.')
                    && domain.split('.').all(|label| is_made_of(label, |c| c.is_alphanumeric() || c == '-'))
            })
    },
    allowed: "an e-mail address",
};

/// The words for [`are_tags`].
pub(super) const TAGS: &str = "a table of at most 40 tags: keys of 1 to 128 and values of at most 256 letters, digits, spaces \
     or any of _.:/=+-@, all of them text; no key that begins with aws: or sms: or is managed-by, or differs from \
     another only in case";

/// Whether these can be tags beside our own on everything we make.
///
/// IAM takes 50 tags and compares keys without case; our own take up to ten.
pub(super) fn are_tags(tags: &BTreeMap<String, String>) -> bool {
    let is_tag_text = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
    let keys: Vec<String> = tags.keys().map(|key| key.to_lowercase()).collect();
    let distinct = keys.iter().enumerate().all(|(index, key)| !keys.iter().take(index).any(|other| other == key));
    let ours = |key: &String| key.starts_with("aws:") || key.starts_with("sms:") || key == "managed-by";
    tags.len() <= 40
        && distinct
        && !keys.iter().any(ours)
        && tags.iter().all(|(key, value)| {
            (1..=128).contains(&key.chars().count())
                && value.chars().count() <= 256
                && is_tag_text(key)
                && is_tag_text(value)
        })
}

/// The number that octal digits stand for.
pub(super) fn octal(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { u32::from_str_radix(text, 8).ok() } else { None }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_made_of(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

fn is_line(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.chars().count() <= longest && !text.contains(char::is_control)
}

pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_url(text: &str) -> bool {
    text.len() <= 2048
        && text.parse::<http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
        })
}

/// `arn:<partition>:iam::<account>:<resource>/<path and name>`; AWS's own policies have `aws` as their account.
fn is_iam_arn(text: &str, resource: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, named] = parts.as_slice() else { return false };
    let name = named.strip_prefix(resource).and_then(|rest| rest.strip_prefix('/'));
    partition.starts_with("aws")
        && is_made_of(partition, |c| c.is_ascii_lowercase() || c == '-')
        && (is_account_id(account) || (resource == "policy" && *account == "aws"))
        && name.is_some_and(|name| text.len() <= 2048 && is_made_of(name, |c| is_word(c) || "+=,.@/-".contains(c)))
}
