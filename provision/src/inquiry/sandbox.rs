//! The SMS sandbox, in which a new account sends to verified numbers only.

use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::types::LanguageCodeString;

use super::{Pace, briefly};
use crate::aws::{CallError, Session, call};
use crate::number::Number;

/// SNS lists one page a second.
const PAGES_PER_SECOND: u32 = 1;
const WHAT: &str = "the SMS sandbox";

/// A number of the sandbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedNumber {
    /// In full.
    pub number: String,
    /// Whether its code was given back.
    pub verified: bool,
}

/// Whether the account is in it, in this region.
///
/// # Errors
/// The call.
pub async fn is_in_sandbox(session: &Session) -> Result<bool, CallError> {
    let answer = call("sns:GetSMSSandboxAccountStatus", &WHAT, || {
        session.sns.get_sms_sandbox_account_status().customize().config_override(briefly()).send()
    });
    Ok(answer.await?.is_in_sandbox)
}

/// The numbers that were added to it.
///
/// # Errors
/// The call.
pub async fn numbers(session: &Session) -> Result<Vec<VerifiedNumber>, CallError> {
    let (mut numbers, mut token, mut pace) = (Vec::new(), None::<String>, Pace::per_second(PAGES_PER_SECOND));
    loop {
        pace.turn().await;
        let page = call("sns:ListSMSSandboxPhoneNumbers", &WHAT, || {
            let request = session.sns.list_sms_sandbox_phone_numbers().set_next_token(token.clone());
            request.customize().config_override(briefly()).send()
        })
        .await?;
        numbers.extend(page.phone_numbers.into_iter().filter_map(|one| {
            let verified = one.status?.as_str() == "Verified";
            Some(VerifiedNumber { number: one.phone_number?, verified })
        }));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(numbers);
        }
    }
}

/// Has SNS send a code to a number, in a language such as `de-DE`. Once: each repetition could be a code of its own, and SNS
/// sends five in 24 hours.
///
/// # Errors
/// The call.
pub async fn add_number(session: &Session, number: &Number, language: Option<&str>) -> Result<(), CallError> {
    let send = || {
        let request = session.sns.create_sms_sandbox_phone_number().phone_number(number.as_str());
        let once = Builder::new().retry_config(RetryConfig::disabled());
        request.set_language_code(language.map(LanguageCodeString::from)).customize().config_override(once).send()
    };
    call("sns:CreateSMSSandboxPhoneNumber", number, send).await.map(drop)
}

/// Gives the code back.
///
/// # Errors
/// The call.
pub async fn verify_number(session: &Session, number: &Number, code: &str) -> Result<(), CallError> {
    let send = || {
        let request = session.sns.verify_sms_sandbox_phone_number().phone_number(number.as_str());
        request.one_time_password(code).customize().config_override(briefly()).send()
    };
    call("sns:VerifySMSSandboxPhoneNumber", number, send).await.map(drop)
}

/// Takes a number out.
///
/// # Errors
/// The call.
pub async fn remove_number(session: &Session, number: &Number) -> Result<(), CallError> {
    let send = || {
        let request = session.sns.delete_sms_sandbox_phone_number().phone_number(number.as_str());
        request.customize().config_override(briefly()).send()
    };
    call("sns:DeleteSMSSandboxPhoneNumber", number, send).await.map(drop)
}
