//! Which AWS account the credentials belong to.

use std::time::Duration;

use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use sms_config::{AwsAccess, Incoming};

use super::LONGEST_ANSWER;

/// How long AWS may take to say so, loading of credentials included.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Asks AWS (STS, `GetCallerIdentity`, which needs no permission) for the account, 12 digits; once. `None`: there was no
/// answer, or none that names an account.
pub async fn account(access: &AwsAccess) -> Option<String> {
    let config = aws_sdk_sts::config::Builder::from(&access.config)
        .retry_config(RetryConfig::disabled())
        .interceptor(Incoming(LONGEST_ANSWER))
        .build();
    let call = Client::from_conf(config).get_caller_identity().send();
    let answer = tokio::time::timeout(ANSWER_WITHIN, call).await.ok()?.ok()?;
    answer.account.filter(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
}
