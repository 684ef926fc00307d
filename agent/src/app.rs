//! The composition root: builds the rooms, hands each what it needs, starts them and stops them in order.

use std::sync::Arc;
use std::time::Duration;

use sms_config::{
    Aws, AwsAccess, AwsError, Carrier as CarrierSetting, ClientOptions, Numbers, Queue, Settings, sends_sms,
};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::admission::{AssignedNumbers, Door, Rooms, Rule};
use crate::api::{Api, BindError, Fingerprints, Listener, Parts, SecretError, Token};
use crate::carrier::Carrier;
use crate::carrier::simulator::{Simulator, StoreError};
use crate::carrier::sns::Sns;
use crate::clock::{Clock, SystemClock};
use crate::dispatch::Dispatcher;
use crate::message::SmsType;
use crate::outbox::sqlite::{OpenError, Options, SqliteOutbox};
use crate::outbox::{Outbox, housekeeping};
use crate::receipts;

/// How long one connection to AWS may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

const DAY: Duration = Duration::from_secs(86_400);

/// How long connections may take to close once all that was asked is answered.
const CLOSING: Duration = Duration::from_secs(2);

/// Why the agent does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OpenError),
    /// The simulator's file.
    #[error(transparent)]
    Simulator(#[from] StoreError),
    /// The token or the key of the fingerprints.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// An address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The AWS set-up.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// An engine that this program does not have.
    #[error("agent.queue: this sms-agent has the engine \"sqlite\" only")]
    Queue,
}

/// Runs the agent until `stop` ends, either way, and all that was in flight is settled, or `agent.shutdown_timeout` is over.
/// `announce` hears each address once the agent serves.
///
/// # Errors
/// Why it could not start; nothing serves then.
pub async fn run(
    settings: &Settings,
    stop: oneshot::Receiver<()>,
    announce: impl FnMut(String),
) -> Result<(), StartError> {
    if settings.agent.queue != Queue::Sqlite {
        return Err(StartError::Queue);
    }
    let agent = &settings.agent;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let options = Options {
        keep_text: settings.outbox.keep_text,
        idempotency_ttl: settings.outbox.idempotency_ttl,
        keep: DAY * settings.outbox.keep_days,
        max_queued: settings.outbox.max_queued,
    };
    let outbox = Arc::new(SqliteOutbox::open(&agent.data_dir, options)?);
    // An outbox that does not tell is taken to have some: only where the file is gone does it matter.
    let key_in_use = outbox.remembers_keys(clock.now()).await.unwrap_or(true);
    let outbox: Arc<dyn Outbox> = outbox;
    let simulator = match agent.carrier {
        CarrierSetting::Simulator => {
            Some(Arc::new(Simulator::open(settings.simulator, &agent.data_dir, Arc::clone(&clock))?))
        }
        CarrierSetting::Sns => None,
    };
    let carrier: Arc<dyn Carrier> = match &simulator {
        Some(simulator) => Arc::<Simulator>::clone(simulator),
        None => Arc::new(sns(&settings.aws).await?),
    };
    let dispatcher = Dispatcher::new(&settings.dispatch, Arc::clone(&outbox), Arc::clone(&carrier), Arc::clone(&clock));
    let door = Door::new(Rooms {
        outbox: Arc::clone(&outbox),
        dispatcher: dispatcher.clone(),
        carrier,
        clock: Arc::clone(&clock),
        rules: rules(settings),
        give_up_after: settings.dispatch.give_up_after,
    });
    let api = Api::new(Parts {
        intake: Arc::new(door.clone()),
        phone: simulator.as_ref().map(|simulator| simulator.phone()),
        token: agent.require_token.then(|| Token::open(&agent.token_file)).transpose()?,
        fingerprints: Fingerprints::open(&agent.data_dir.join("fingerprint-key"), key_in_use)?,
        wait: agent.wait,
        default_type: match agent.default_type {
            sms_config::SmsType::Transactional => SmsType::Transactional,
            sms_config::SmsType::Promotional => SmsType::Promotional,
        },
    });
    let listeners: Vec<Listener> =
        agent.listen.iter().map(|listen| Listener::bind(listen, agent.socket_mode)).collect::<Result<_, _>>()?;
    listeners.iter().map(Listener::address).for_each(announce);

    let dispatching = dispatcher.clone();
    tokio::spawn(async move { dispatching.run().await });
    tokio::spawn(housekeeping::keep(Arc::clone(&outbox), Arc::clone(&clock)));
    if let Some(simulator) = simulator {
        tokio::spawn(receipts::follow(simulator, outbox, clock));
    }
    let (close, closed) = oneshot::channel::<()>();
    let serving = tokio::spawn(crate::api::run(listeners, Arc::clone(&api), async { drop(closed.await) }, CLOSING));

    drop(stop.await);
    tracing::info!("stopping: waiting for what is in flight");
    door.close();
    dispatcher.stop();
    // Listening goes on meanwhile, so that whoever comes is told that the agent stops.
    let in_hand = async { tokio::join!(api.answered(), dispatcher.settled()) };
    if timeout(agent.shutdown_timeout, in_hand).await.is_err() {
        tracing::warn!("the stop waits no longer: the outcome of a publish cut off is unknown until the next start");
    }
    dispatcher.halt();
    drop(close);
    if serving.await.is_err() {
        tracing::error!("the listeners ended with a defect of the agent's own");
    }
    Ok(())
}

async fn sns(settings: &Aws) -> Result<Sns, StartError> {
    // The publish's own time-out is the dispatcher's, attempt by attempt; so are the retries.
    let options = ClientOptions { connect_timeout: CONNECT_TIMEOUT, operation_attempt_timeout: None, retries: 0 };
    let access = AwsAccess::load(settings, options).await?;
    if !sends_sms(&access.region) {
        tracing::warn!(region = access.region, "this region is not known to send SMS");
    }
    Ok(Sns::new(&access))
}

fn rules(settings: &Settings) -> Vec<Box<dyn Rule>> {
    match settings.agent.numbers {
        Numbers::Possible => Vec::new(),
        Numbers::Assigned => vec![Box::new(AssignedNumbers)],
    }
}
