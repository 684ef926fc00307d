//! One real SMS with the real key: what no simulation proves.

use aws_sdk_sns::config::retry::RetryConfig;

use crate::aws::{CallError, Fault, Session, call_while};
use crate::credentials::SecretKey;
use crate::keys::{KNOWN_WITHIN, credentials};

/// What the phone shows.
const TEXT: &str = "sms-provision verify: this account can send SMS.";

/// An SMS that SNS took. That is no delivery.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sent {
    /// SNS's name for it.
    pub message_id: String,
}

/// Sends it. A key that AWS does not know yet, or a policy that has not spread, is waited for, as is throttling: those answers
/// say that nothing was sent. Whatever else goes wrong is not tried again, since the SMS may have gone out.
///
/// # Errors
/// The call's, numbers masked.
pub async fn send(session: &Session, key: &SecretKey, to: &str) -> Result<Sent, CallError> {
    let config = session.sns.config().to_builder().credentials_provider(credentials(key));
    let sns = aws_sdk_sns::Client::from_conf(config.retry_config(RetryConfig::disabled()).build());
    let not_sent = |error: &CallError| matches!(error.fault, Fault::Credentials | Fault::Refused);
    let publish = || sns.publish().phone_number(to).message(TEXT).send();
    let published = call_while(KNOWN_WITHIN, not_sent, "sns:Publish", &"the SMS", publish).await;
    let published = published.map_err(|error| match error.fault {
        Fault::Refused => error.advised(
            "the sender may not publish: run sms-provision apply; if it has nothing to change, a service control policy or \
             a permissions boundary forbids it",
        ),
        Fault::Credentials => {
            error.advised("AWS does not accept the sender's key that is in the credentials file: sms-provision keys rotate makes a new one")
        }
        _ => error,
    })?;
    Ok(Sent { message_id: published.message_id.unwrap_or_default() })
}
