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
/// with codes that the SDK does not know. No call is sent in another way than by this and those after it.
///
/// # Errors
/// The last error.
pub async fn call<T, E, F>(
    action: &'static str,
    resource: &impl Display,
    send: impl FnMut() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    call_while(SETTLING, |_| false, action, resource, send).await
}

/// [`call`] about something that is there, since this run or the one before it made it: AWS answers for some seconds that
/// there is no such thing, for the thing itself and for whatever names it.
///
/// # Errors
/// The last error.
pub async fn call_about<T, E, F>(
    action: &'static str,
    resource: &impl Display,
    send: impl FnMut() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    call_while(SETTLING, made_just_now, action, resource, send).await
}

/// [`call`] that deletes something. That it is gone already is no error, and what was taken off it a moment ago is still in
/// its way for some seconds.
///
/// # Errors
/// The last error.
pub async fn call_delete<T, E, F>(
    action: &'static str,
    resource: &impl Display,
    send: impl FnMut() -> F,
) -> Result<(), CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let taken_off_just_now = |error: &CallError| error.is(&["DeleteConflict"]);
    CallError::if_there(call_while(SETTLING, taken_off_just_now, action, resource, send).await).map(drop)
}

/// Who has the name under which something was to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holder {
    /// Nobody, as far as AWS knows yet.
    Nobody,
    /// We do: it is what was to be made.
    Us,
    /// Somebody else.
    Other,
}

/// [`call`] that makes something under a name that can be given away once. When an answer is lost, what was asked for may
/// be there: the SDK's own repetition is told that the name is taken, or no answer comes at all. So AWS is asked for the
/// `holder` of the name, and if we are, the call is done. A name that AWS still holds on to after a deletion is waited for.
///
/// # Errors
/// The last error.
pub async fn call_create<T, E, F, H>(
    action: &'static str,
    resource: &impl Display,
    mut send: impl FnMut() -> F,
    holder: impl Fn() -> H,
) -> Result<(), CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    H: Future<Output = Result<Holder, CallError>>,
{
    let once = || {
        let sent = send();
        let holder = &holder;
        async move {
            match sent.await {
                Ok(_) => Ok(()),
                Err(error) => unless_done(CallError::of(action, resource.to_string(), error), holder()).await,
            }
        }
    };
    patiently(|error| error.fault == Fault::Exists, once).await
}

/// Nothing is wrong where the answer leaves open whether the call was done, and we are the `holder` of what it makes.
///
/// # Errors
/// That of the call.
pub async fn unless_done(
    error: CallError,
    holder: impl Future<Output = Result<Holder, CallError>>,
) -> Result<(), CallError> {
    if !leaves_open(&error) {
        return Err(error);
    }
    match holder.await {
        Ok(Holder::Us) => Ok(()),
        Ok(Holder::Other) if error.fault == Fault::Exists => {
            let advice = "it was made meanwhile and is not ours: run it again to see what differs";
            Err(CallError { fault: Fault::Other, ..error }.advised(advice))
        }
        // What was asked about is the call; that the other answer is missing too says nothing new.
        _ => Err(error),
    }
}

/// Whether the call may have been done all the same: no answer came, AWS failed in the middle of it, or an earlier answer was
/// lost and the repetition meets what the first call made.
pub fn leaves_open(error: &CallError) -> bool {
    matches!(error.fault, Fault::Exists | Fault::Failing | Fault::Quota | Fault::Unreachable)
}

/// [`call`], for as long as `most`, and again also while it fails in a way that `passes`.
///
/// # Errors
/// The last error.
pub async fn call_while<T, E, F>(
    most: Duration,
    passes: impl Fn(&CallError) -> bool,
    action: &'static str,
    resource: &impl Display,
    mut send: impl FnMut() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let once = || {
        let sent = send();
        async move { sent.await.map_err(|error| CallError::of(action, resource.to_string(), error)) }
    };
    patiently_for(most, passes, once).await
}

/// All pages of a list, each as by [`call`]. `send` is given the token of the page to ask for, `next` finds that of the one
/// after.
///
/// # Errors
/// The last error of a page.
pub async fn pages<T, E, F>(
    action: &'static str,
    resource: &impl Display,
    mut send: impl FnMut(Option<String>) -> F,
    next: impl Fn(&T) -> Option<&str>,
) -> Result<Vec<T>, CallError>
where
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = call(action, resource, || send(token.clone())).await?;
        let after = next(&page).filter(|after| !after.is_empty()).map(ToOwned::to_owned);
        all.push(page);
        if after.is_none() {
            return Ok(all);
        }
        if after == token {
            let what = "the answer names the same page as the next one, without end; run it again";
            return Err(CallError::other(action, resource.to_string(), what));
        }
        token = after;
    }
}

/// Passes where what a call names may have been made a moment ago.
pub fn made_just_now(error: &CallError) -> bool {
    error.fault == Fault::NotFound
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    const DELETED_RECENTLY: &str = "QueueDeletedRecently";

    fn error(fault: Fault, code: &str) -> CallError {
        let other = CallError::other("sqs:CreateQueue", "SQS queue sms-outbox", "wait 60 seconds");
        CallError { fault, code: Some(code.into()), ..other }
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

    /// What comes of a create that is told that the name is taken, while AWS names these holders one after the other, the last
    /// for ever; and how often it was sent.
    async fn taken(holders: &[Holder]) -> (Result<(), CallError>, u32) {
        let (sent, asked) = (Cell::new(0), Cell::new(0));
        let send = || {
            sent.set(sent.get() + 1);
            let status = StatusCode::try_from(409).unwrap();
            let error = ErrorMetadata::builder().code("EntityAlreadyExists").build();
            std::future::ready(Err::<(), _>(SdkError::service_error(
                error,
                HttpResponse::new(status, SdkBody::empty()),
            )))
        };
        let holder = || {
            let holder = holders.get(asked.replace(asked.get() + 1)).or(holders.last());
            std::future::ready(Ok(*holder.unwrap()))
        };
        (call_create("iam:CreateUser", &"IAM user sms", send, holder).await, sent.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_taken_is_ours_somebody_elses_or_waited_for() {
        assert_eq!(taken(&[Holder::Us]).await, (Ok(()), 1));
        assert_eq!(taken(&[Holder::Nobody, Holder::Nobody, Holder::Us]).await, (Ok(()), 3));
        let (ended, sent) = taken(&[Holder::Other]).await;
        assert!(sent == 1 && ended.unwrap_err().to_string().contains("is not ours: run it again"));
        let (ended, sent) = taken(&[Holder::Nobody]).await;
        assert!(sent > 5 && ended.unwrap_err().fault == Fault::Exists);
    }

    /// A list whose pages, each a number and the token of the next, are answered so one after the other; and what was asked.
    async fn listed(answers: Vec<Option<(u32, &str)>>) -> (Result<Vec<u32>, CallError>, Vec<Option<String>>) {
        let (mut answers, asked) = (answers.into_iter(), RefCell::new(Vec::new()));
        let send = |token: Option<String>| {
            asked.borrow_mut().push(token);
            let answer = answers.next().unwrap().map(|(number, next)| (number, next.to_owned()));
            let throttled = || {
                let status = StatusCode::try_from(429).unwrap();
                let error = ErrorMetadata::builder().code("Throttled").build();
                SdkError::service_error(error, HttpResponse::new(status, SdkBody::empty()))
            };
            std::future::ready(answer.ok_or_else(throttled))
        };
        let listed = pages("iam:ListUsers", &"users", send, |(_, next): &(u32, String)| Some(next.as_str())).await;
        (listed.map(|pages| pages.into_iter().map(|(number, _)| number).collect()), asked.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_is_read_to_its_end_and_a_page_that_is_throttled_is_asked_for_again() {
        let (listed, asked) = listed(vec![Some((1, "a")), None, Some((2, "b")), Some((3, ""))]).await;
        assert_eq!(listed, Ok(vec![1, 2, 3]));
        assert_eq!(asked.iter().map(Option::as_deref).collect::<Vec<_>>(), [None, Some("a"), Some("a"), Some("b")]);
    }

    #[tokio::test]
    async fn a_list_without_an_end_is_an_error() {
        let (listed, _) = listed(vec![Some((1, "a")), Some((2, "a"))]).await;
        assert!(listed.unwrap_err().to_string().contains("without end"));
    }
}
