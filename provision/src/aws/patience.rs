//! Calls that fail now and will not in a moment: AWS is asked too often, is just changing the same thing, or has not yet
//! heard of what was just made.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::time::{Instant, sleep};

use super::{CallError, Fault};

/// How long IAM's answers may lag behind what was written there. A role that was just made is refused by other
/// services for some ten seconds.
pub const SETTLING: Duration = Duration::from_secs(40);

/// How long a quota may look reached after something was removed. One that is reached is not waited for.
const COUNTING: Duration = Duration::from_secs(4);

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Repeats a call while AWS throttles it or is busy with the same thing, or while it fails in a way that `passes`, for as
/// long as [`SETTLING`]; and a few times where a quota is reached.
///
/// The waits are not random: the SDK's own are, and these come after them.
///
/// # Errors
/// The last error.
pub async fn patiently<T, F>(passes: impl Fn(&CallError) -> bool, call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    patiently_for(SETTLING, passes, call).await
}

/// [`patiently`], for as long as `most`.
///
/// # Errors
/// The last error.
pub async fn patiently_for<T, F>(
    most: Duration,
    passes: impl Fn(&CallError) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let began = Instant::now();
    let mut pause = FIRST;
    loop {
        let error = match call().await {
            Err(error) => error,
            done => return done,
        };
        let most = match error.fault {
            Fault::Throttled | Fault::Busy => most,
            _ if passes(&error) => most,
            Fault::Quota => most.min(COUNTING),
            _ => return Err(error),
        };
        if began.elapsed() + pause >= most {
            return Err(error);
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// Sends a call of the IAM action `action` about `resource`, again while AWS throttles it or is busy with the same thing:
/// with codes that the SDK does not know.
///
/// # Errors
/// The last error.
pub async fn call<T, E, F>(
    action: &'static str,
    resource: &impl Display,
    mut send: impl FnMut() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    patiently(
        |_| false,
        || {
            let sent = send();
            async move { sent.await.map_err(|error| CallError::of(action, resource.to_string(), error)) }
        },
    )
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const DELETED_RECENTLY: &str = "QueueDeletedRecently";

    fn error(fault: Fault, code: &str) -> CallError {
        let other = CallError::other("sqs:CreateQueue", "SQS queue sms-outbox", "wait 60 seconds");
        CallError { fault, code: Some(code.to_owned()), ..other }
    }

    /// Fails so for a number of times; how often it was called.
    async fn failing(times: u32, most: Duration, with: &CallError) -> (Result<(), CallError>, u32) {
        let calls = Cell::new(0);
        let passes = |error: &CallError| error.is(&[DELETED_RECENTLY]);
        let call = || async {
            calls.set(calls.get() + 1);
            if calls.get() <= times { Err(with.clone()) } else { Ok(()) }
        };
        (patiently_for(most, passes, call).await, calls.get())
    }

    #[tokio::test]
    async fn what_passes_is_waited_for_as_long_as_it_may_take() {
        let passes = error(Fault::Other, DELETED_RECENTLY);
        assert_eq!(failing(1, SETTLING, &passes).await, (Ok(()), 2));
        assert_eq!(failing(1, FIRST, &passes).await, (Err(passes), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_that_is_reached_is_asked_about_for_seconds_and_then_told() {
        let reached = error(Fault::Quota, "LimitExceeded");
        assert_eq!(failing(1, SETTLING, &reached).await, (Ok(()), 2));
        let began = Instant::now();
        let (ended, calls) = failing(u32::MAX, SETTLING, &reached).await;
        assert_eq!((ended, calls), (Err(reached), 5));
        assert_eq!(began.elapsed(), Duration::from_millis(3750));
    }

    #[tokio::test]
    async fn what_is_asked_too_often_or_at_the_same_moment_passes_and_anything_else_does_not() {
        assert_eq!(failing(1, SETTLING, &error(Fault::Throttled, "Throttled")).await, (Ok(()), 2));
        assert_eq!(failing(1, SETTLING, &error(Fault::Busy, "ConcurrentModification")).await, (Ok(()), 2));
        let wrong = error(Fault::Other, "InvalidAttributeValue");
        assert_eq!(failing(1, SETTLING, &wrong).await, (Err(wrong), 1));
    }
}
