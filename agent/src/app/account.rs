//! Whether the AWS credentials are still those of the account that the outbox belongs to.
//!
//! Asked in the background: neither the start nor a send waits for the answer, and without one all goes on as before.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sms_config::{Agent, AwsAccess, Carrier};
use tokio::sync::oneshot;

use crate::carrier::sns;
use crate::outbox::sqlite::{Account, SqliteOutbox};
use crate::tasks::Tasks;

/// The pauses after unanswered questions: doubled from one to the next, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How often it is asked; about two hours.
const QUESTIONS: u32 = 20;

/// The credentials belong to another account than the outbox.
#[derive(Debug, thiserror::Error)]
#[error(
    "the outbox in {folder} belongs to the AWS account that ends in {held}, and the AWS credentials are those of the account \
     that ends in {given}; publishing was stopped, and what waits stays in the outbox. Use the credentials of the former \
     account (`aws.profile`, `AWS_*`) until all has been sent, or give the other account its own `agent.data_dir`"
)]
pub struct Foreign {
    folder: PathBuf,
    held: String,
    given: String,
}

/// Compares the accounts where messages go out through SNS. What is returned hears of another account, or of nothing.
pub(super) fn watch(
    agent: &Agent,
    access: Option<&AwsAccess>,
    outbox: Arc<SqliteOutbox>,
    tasks: &Tasks,
) -> oneshot::Receiver<Foreign> {
    let (tell, told) = oneshot::channel();
    if let (Carrier::Sns, Some(access)) = (agent.carrier, access) {
        let (folder, access) = (agent.data_dir.clone(), access.clone());
        tasks.spawn("the look at the AWS account", async move {
            if let Some((held, given)) = compare(&access, &outbox).await {
                // The program may be stopping already.
                drop(tell.send(Foreign { folder, held, given }));
            }
        });
    }
    told
}

/// The ends of both accounts if they differ.
async fn compare(access: &AwsAccess, outbox: &SqliteOutbox) -> Option<(String, String)> {
    let mut pause = FIRST_PAUSE;
    for asked in 1..=QUESTIONS {
        if let Some(account) = sns::account(access).await {
            match outbox.learn_account(account.clone()).await {
                Ok(Account::Other(held)) => return Some((end(&held), end(&account))),
                Ok(Account::Same | Account::First) => return None,
                // The outbox has trouble, which it tells of itself.
                Err(_) => {}
            }
        } else if asked == 1 {
            tracing::info!(
                "AWS does not say yet which account the credentials belong to; sending goes on, and it is asked again"
            );
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    None
}

/// The last four digits.
fn end(account: &str) -> String {
    account.chars().skip(account.chars().count().saturating_sub(4)).collect()
}
