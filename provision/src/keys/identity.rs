//! The sender itself: clients that sign with the key of the file.

use std::time::Duration;

use aws_sdk_sts::config::Credentials;
use secrecy::ExposeSecret;

use super::{KeysError, SenderKeys, State};
use crate::aws::{CallError, Fault, call_while, made_just_now, patiently_for};
use crate::credentials::SecretKey;

/// How long AWS may take to know a new key.
pub const KNOWN_WITHIN: Duration = Duration::from_secs(30);

const NOT_LISTED: &str = "AWS does not list the key of the credentials file; the old one was not touched";

/// The key as the SDK takes it; its `Debug` shows no secret either.
pub fn credentials(key: &SecretKey) -> Credentials {
    Credentials::new(&key.id, key.secret.expose_secret(), None, None, "the credentials file")
}

impl SenderKeys<'_> {
    /// The state once AWS lists the key that the file has.
    pub(super) async fn with_stored(&self) -> Result<State, CallError> {
        patiently_for(KNOWN_WITHIN, made_just_now, || async {
            let state = self.state().await?;
            self.readable(&state)?;
            let missing = self.failed("iam:ListAccessKeys", NOT_LISTED);
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
        let send = || sts.get_caller_identity().send();
        match call_while(KNOWN_WITHIN, |_| true, "sts:GetCallerIdentity", &self.id, send).await {
            Ok(caller) if caller.arn().is_some_and(|arn| arn.ends_with(&format!("/{user}"))) => Ok(()),
            Ok(_) => Err(KeysError::SomebodyElse { user, file }),
            Err(last) => Err(KeysError::Unverified { file, seconds: KNOWN_WITHIN.as_secs(), last: Box::new(last) }),
        }
    }
}
