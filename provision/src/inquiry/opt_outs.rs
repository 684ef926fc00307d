//! Who has opted out, and how somebody opts in again.

use super::{Pace, briefly};
use crate::aws::{CallError, Session, call};
use crate::number::Number;

/// SNS lists ten pages a second.
const PAGES_PER_SECOND: u32 = 10;
const WHAT: &str = "the opt-outs";

/// How many have opted out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OptOuts {
    /// As far as they were counted.
    pub count: usize,
    /// Whether there are more.
    pub more: bool,
}

/// Counts them, to `most` and no further.
///
/// # Errors
/// The call.
pub async fn count_opt_outs(session: &Session, most: usize) -> Result<OptOuts, CallError> {
    let numbers = list(session, most).await?;
    Ok(OptOuts { count: numbers.len().min(most), more: numbers.len() > most })
}

/// All of them, in full.
///
/// # Errors
/// The call.
pub async fn all_opt_outs(session: &Session) -> Result<Vec<String>, CallError> {
    list(session, usize::MAX).await
}

/// Pages until there are more than `most`.
async fn list(session: &Session, most: usize) -> Result<Vec<String>, CallError> {
    let (mut numbers, mut token, mut pace) = (Vec::new(), None::<String>, Pace::per_second(PAGES_PER_SECOND));
    loop {
        pace.turn().await;
        let page = call("sns:ListPhoneNumbersOptedOut", &WHAT, || {
            let request = session.sns.list_phone_numbers_opted_out().set_next_token(token.clone());
            request.customize().config_override(briefly()).send()
        })
        .await?;
        numbers.extend(page.phone_numbers.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() || numbers.len() > most {
            return Ok(numbers);
        }
    }
}

/// Whether that number has.
///
/// # Errors
/// The call.
pub async fn is_opted_out(session: &Session, number: &Number) -> Result<bool, CallError> {
    let answer = call("sns:CheckIfPhoneNumberIsOptedOut", number, || {
        session.sns.check_if_phone_number_is_opted_out().phone_number(number.as_str()).send()
    });
    Ok(answer.await?.is_opted_out)
}

/// Opts a number in again.
///
/// # Errors
/// The call.
pub async fn opt_in(session: &Session, number: &Number) -> Result<(), CallError> {
    let send = || session.sns.opt_in_phone_number().phone_number(number.as_str()).send();
    call("sns:OptInPhoneNumber", number, send).await.map(drop)
}
