//! The sender itself: clients that sign with the key of the file.

use std::time::Duration;

use aws_sdk_sts::config::Credentials;
use secrecy::ExposeSecret;
use tokio::time::{Instant, sleep};

use super::{KeysError, SenderKeys, State};
use crate::aws::{CallError, Fault};
use crate::credentials::SecretKey;

/// How long AWS may take to know a new key.
pub(super) const KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// The key as the SDK takes it; its `Debug` shows no secret either.
pub fn credentials(key: &SecretKey) -> Credentials {
    Credentials::new(&key.id, key.secret.expose_secret(), None, None, "the credentials file")
}

/// Repeats a call that is refused because AWS does not know the key yet, for as long as a new key may take to be known.
///
/// # Errors
/// The last one.
pub async fn once_known<T, F>(passes: impl Fn(&CallError) -> bool, mut call: impl FnMut() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, CallError>>,
{
    let until = Instant::now() + KNOWN_WITHIN;
    loop {
        match call().await {
            Err(error) if passes(&error) && Instant::now() + PAUSE < until => sleep(PAUSE).await,
            ended => return ended,
        }
    }
}

impl SenderKeys<'_> {
    /// The state once AWS lists the key that the file has.
    pub(super) async fn with_stored(&self) -> Result<State, CallError> {
        let not_yet = |error: &CallError| error.fault == Fault::NotFound;
        once_known(not_yet, || async {
            let state = self.state().await?;
            let missing = self.failed("iam:ListAccessKeys", "the key of the credentials file is not the user's");
            match state.stored {
                Some(_) => Ok(state),
                None => Err(CallError { fault: Fault::NotFound, ..missing }),
            }
        })
        .await
    }

    /// Proves that AWS takes the key of the file for the sender's.
    pub(super) async fn verify(&self, state: &State) -> Result<(), KeysError> {
        let (user, file) = (self.user().to_owned(), self.file()?.path().display().to_string());
        let Some(key) = &state.stored else { return Err(KeysError::SomebodyElse { user, file }) };
        let config = self.session.sts.config().to_builder().credentials_provider(credentials(key)).build();
        let sts = aws_sdk_sts::Client::from_conf(config);
        let asked = once_known(
            |_| true,
            || async {
                let asked = sts.get_caller_identity().send().await;
                asked.map_err(|error| self.call("sts:GetCallerIdentity", error))
            },
        );
        match asked.await {
            Ok(caller) if caller.arn().is_some_and(|arn| arn.ends_with(&format!("/{user}"))) => Ok(()),
            Ok(_) => Err(KeysError::SomebodyElse { user, file }),
            Err(last) => Err(KeysError::Unverified { file, seconds: KNOWN_WITHIN.as_secs(), last: Box::new(last) }),
        }
    }
}
