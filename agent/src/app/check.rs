//! `sms-agent check`: what would keep the agent from starting, seen without making or changing anything.

use sms_config::{Carrier, Queue, Settings};
use tokio::time::timeout;

use super::folder::{self, owner};
use super::{StartError, aws, is_in_data_dir, tell_of_credentials};
use crate::api::{Listener, Token};
use crate::carrier::simulator::Simulator;
use crate::clock::{Machine, ThisMachine};
use crate::message::{Timestamp, WallTime};
use crate::outbox::sqlite::inspect;
use crate::outbox::sqs::SqsOutbox;

/// Looks for what would keep [`super::run`] from starting. An agent that runs on the same data folder is no such thing:
/// changed settings are checked beside it.
///
/// # Errors
/// The first such thing, in the words of the start.
pub async fn check(settings: &Settings) -> Result<(), StartError> {
    let now = ThisMachine.wall();
    if now > WallTime::LAST {
        return Err(StartError::Clock);
    }
    let agent = &settings.agent;
    let access = match (agent.carrier, &agent.queue) {
        (Carrier::Simulator, Queue::Sqlite) => None,
        _ => Some(aws(&settings.aws).await?),
    };
    if let (Queue::Sqs { url, .. }, Some(access)) = (&agent.queue, &access) {
        SqsOutbox::check(access, url)?;
    }
    let now = Timestamp::from_millis(now.as_millis());
    let outbox = inspect(&agent.data_dir, &owner(settings, access.as_ref()), now, settings.outbox.idempotency_ttl)?;
    folder::check_key(&agent.data_dir, &outbox)?;
    if agent.carrier == Carrier::Simulator {
        Simulator::check(&agent.data_dir)?;
    }
    if agent.require_token && agent.token_file.exists() {
        Token::open(&agent.token_file, is_in_data_dir(agent))?;
    }
    if outbox.in_use {
        tracing::info!(
            "an agent runs on this data folder: its log and the addresses of agent.listen were not checked, and it keeps its \
             settings until it is restarted"
        );
    } else {
        agent.listen.iter().try_for_each(Listener::check)?;
    }
    if let Some(access) = access {
        // What it waits for may hang; without credentials the agent starts all the same.
        let told = timeout(settings.dispatch.attempt_timeout, tell_of_credentials(access.credentials));
        if told.await.is_err() {
            tracing::warn!("no AWS credentials yet: their source has not answered in time");
        }
    }
    Ok(())
}
