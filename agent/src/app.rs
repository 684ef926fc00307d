//! The composition root: builds the rooms, hands each what it needs, starts them and stops them in order.

mod account;
mod check;
mod error;
mod folder;

use std::sync::Arc;
use std::time::Duration;

use sms_config::{
    Agent, Aws, AwsAccess, AwsError, Carrier as CarrierSetting, ClientOptions, Credentials, Dispatch, Numbers,
    OnUnknown, Queue, Role, Settings, sends_sms, within,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

pub use self::check::check;
pub use self::folder::back_up;
use crate::admission::{AssignedNumbers, Door, Rooms, Rule};
use crate::api::{Api, Limits, Listener, Parts, Token};
use crate::carrier::Carrier;
use crate::carrier::simulator::Simulator;
use crate::carrier::sns::Sns;
use crate::clock::{Clock, Machine, ThisMachine};
use crate::dispatch::Dispatcher;
use crate::message::{SmsType, WallTime};
use crate::open_files;
use crate::outbox::sqlite::{Options, SqliteOutbox};
use crate::outbox::sqs::SqsOutbox;
use crate::outbox::{Outbox, housekeeping};
use crate::receipts;
use crate::tasks::Tasks;

pub use self::error::StartError;

/// How long one connection to AWS may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long it may take at most to give back what is in hand of a queue that several agents share.
const GIVING_BACK: Duration = Duration::from_secs(5);

/// What of the time of a stop is kept for that, if publishes in flight use up all the rest: a tenth, and no more than this.
const KEPT_FOR_GIVING_BACK: Duration = Duration::from_secs(1);

const DAY: Duration = Duration::from_secs(86_400);

/// How long connections may take to close once all that was asked is answered.
const CLOSING: Duration = Duration::from_secs(2);

/// Runs the agent until `stop` ends, either way, and all that was in flight is settled, or `agent.shutdown_timeout` is over.
/// `announce` hears each address once the agent serves.
///
/// # Errors
/// Why it could not start, and nothing serves then; or that the credentials are another account's than the outbox, after an
/// orderly stop; or that a part of the agent ended with a defect, likewise.
pub async fn run(
    settings: &Settings,
    stop: oneshot::Receiver<()>,
    announce: impl FnMut(String),
) -> Result<(), StartError> {
    if ThisMachine.wall() > WallTime::LAST {
        return Err(StartError::Clock);
    }
    let agent = &settings.agent;
    let limits = limits(settings);
    let access = match (agent.carrier, &agent.queue) {
        (CarrierSetting::Simulator, Queue::Sqlite) => None,
        _ => Some(aws(&settings.aws).await?),
    };
    if let Some(access) = &access {
        // The start does not wait for it: a source may come up later, and is found then.
        tokio::spawn(tell_of_credentials(access.credentials.clone()));
    }
    let tasks = Tasks::default();
    let rows = Arc::new(SqliteOutbox::open_for(
        &agent.data_dir,
        options(settings),
        Arc::new(ThisMachine),
        &folder::owner(settings, access.as_ref()),
        tasks.clone(),
    )?);
    let clock: Arc<dyn Clock> = rows.clock();
    let foreign = account::watch(agent, access.as_ref(), Arc::clone(&rows), &tasks);
    tasks.spawn("the timeline", rows.keep_time());
    let run = Arc::clone(&rows);
    // An outbox that does not tell is taken to have some: only where the file is gone does it matter.
    let key_in_use = rows.remembers_keys(clock.now()).await.unwrap_or(true);
    let fingerprints = folder::fingerprints(&agent.data_dir, &rows, key_in_use).await?;
    let (outbox, role): (Arc<dyn Outbox>, Role) = match (&agent.queue, &access) {
        (Queue::Sqs { url, role }, Some(access)) => {
            (Arc::new(SqsOutbox::new(rows, access, url, *role, Arc::clone(&clock))?), *role)
        }
        _ => (rows, Role::Both),
    };
    let simulator = match agent.carrier {
        CarrierSetting::Simulator => {
            Some(Arc::new(Simulator::open(settings.simulator, &agent.data_dir, Arc::clone(&clock))?))
        }
        CarrierSetting::Sns => None,
    };
    let carrier: Arc<dyn Carrier> = match (&simulator, &access) {
        (Some(simulator), _) => Arc::<Simulator>::clone(simulator),
        (None, Some(access)) => Arc::new(Sns::new(access)),
        (None, None) => return Err(AwsError::NoRegion.into()),
    };
    // With no publish in flight ever, the dispatcher only ends what waits too long.
    let concurrency = if role == Role::Accept { 0 } else { settings.dispatch.concurrency };
    let dispatching = Dispatch { concurrency, ..settings.dispatch };
    let dispatcher = Dispatcher::new(&dispatching, Arc::clone(&outbox), Arc::clone(&carrier), Arc::clone(&clock));
    let door = Door::new(Rooms {
        outbox: Arc::clone(&outbox),
        dispatcher: dispatcher.clone(),
        carrier,
        clock: Arc::clone(&clock),
        rules: rules(settings),
        give_up_after: settings.dispatch.give_up_after,
        publishes: role != Role::Accept,
    });
    let listeners: Vec<Listener> =
        agent.listen.iter().map(|listen| Listener::bind(listen, agent.socket_mode)).collect::<Result<_, _>>()?;
    let api = Api::new(Parts {
        intake: Arc::new(door.clone()),
        phone: simulator.as_ref().map(|simulator| simulator.phone()),
        token: agent.require_token.then(|| Token::open(&agent.token_file, is_in_data_dir(agent))).transpose()?,
        fingerprints,
        wait: agent.wait,
        takes_sends: role != Role::Dispatch,
        default_type: match agent.default_type {
            sms_config::SmsType::Transactional => SmsType::Transactional,
            sms_config::SmsType::Promotional => SmsType::Promotional,
        },
        addresses: listeners.iter().map(Listener::address).collect(),
    });
    tell_of_start(settings, access.as_ref());
    listeners.iter().map(Listener::address).for_each(announce);

    let dispatching = dispatcher.clone();
    tasks.spawn("the dispatcher", async move { dispatching.run().await });
    tasks.spawn("the retention", housekeeping::keep(Arc::clone(&outbox), Arc::clone(&clock)));
    if let Some(simulator) = simulator {
        tasks.spawn("the delivery reports", receipts::follow(simulator, Arc::clone(&outbox), clock));
    }
    let (close, closed) = oneshot::channel::<()>();
    let (end, served) = oneshot::channel::<()>();
    let serving = crate::api::run(listeners, Arc::clone(&api), limits, async { drop(closed.await) }, CLOSING);
    tasks.spawn("the listeners", async move {
        serving.await;
        drop(end);
    });

    let why: Option<StartError> = tokio::select! {
        _ = stop => None,
        Ok(foreign) = foreign => Some(foreign.into()),
        _ = tasks.defect() => Some(StartError::Defect),
    };
    tracing::info!("stopping: waiting for what is in flight");
    door.close();
    api.stop();
    dispatcher.stop();
    // Listening goes on meanwhile, so that whoever comes is told that the agent stops.
    let deadline = Instant::now() + agent.shutdown_timeout;
    // What is not being published is for the other agents, and need not wait for what is.
    let giving_back = tokio::spawn(outbox.release());
    let kept = if outbox.is_shared() { KEPT_FOR_GIVING_BACK.min(agent.shutdown_timeout / 10) } else { Duration::ZERO };
    let in_hand = async { tokio::join!(api.answered(), dispatcher.settled()) };
    // What SNS answered while this process was stopped is read, and not left in doubt.
    if within(agent.shutdown_timeout.saturating_sub(kept), in_hand).await.is_err() {
        tracing::warn!("the stop waits no longer: the outcome of a publish cut off is unknown until the next start");
    }
    dispatcher.halt();
    let given_back = async {
        drop(giving_back.await);
        outbox.release().await;
    };
    // What is written here takes a moment, and is not left out for a deadline that is over.
    let until = if outbox.is_shared() { deadline.min(Instant::now() + GIVING_BACK) } else { Instant::now() + CLOSING };
    if timeout_at(until, given_back).await.is_err() && outbox.is_shared() {
        tracing::warn!("messages in hand could not be given back to the queue: other agents see them a little later");
    }
    // Where the disk hangs, the next start looks at the log.
    drop(timeout_at(Instant::now() + CLOSING, run.end_run()).await);
    drop(close);
    // It only ends without a word: all connections are closed, or the listeners are gone.
    drop(served.await);
    why.map_or(Ok(()), Err)
}

/// One line with what decides where messages go and who may send them.
fn tell_of_start(settings: &Settings, access: Option<&AwsAccess>) {
    let agent = &settings.agent;
    let carrier = match agent.carrier {
        CarrierSetting::Simulator => "simulator (no phone is reached)",
        CarrierSetting::Sns => "sns",
    };
    let auth = if agent.require_token { "on" } else { "off" };
    let region = access.map(|access| &*access.region);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), carrier, region, auth, data_dir = %agent.data_dir.display(), "starting");
}

/// Raises the limit of open files, and sees to it that connections leave enough of them for everything else.
fn limits(settings: &Settings) -> Limits {
    let (files, wanted) = (open_files::raise(), settings.agent.max_connections as usize);
    let limits = open_files::limits(files, settings.dispatch.concurrency, settings.agent.listen.len(), wanted);
    if limits.connections < wanted {
        tracing::warn!(
            "with a limit of {files} open files, each address serves {} connections at a time instead of \
             agent.max_connections = {wanted}: raise the hard limit (ulimit -Hn, LimitNOFILE=), or lower the setting",
            limits.connections
        );
    }
    limits
}

/// Whether the token is where the agent keeps what is its own.
fn is_in_data_dir(agent: &Agent) -> bool {
    let folder = agent.token_file.parent().and_then(|folder| folder.canonicalize().ok());
    folder.is_some_and(|folder| agent.data_dir.canonicalize().is_ok_and(|data_dir| folder.starts_with(data_dir)))
}

fn options(settings: &Settings) -> Options {
    Options {
        keep_text: settings.outbox.keep_text,
        idempotency_ttl: settings.outbox.idempotency_ttl,
        keep: DAY * settings.outbox.keep_days,
        max_queued: settings.outbox.max_queued,
        forwards: settings.agent.queue != Queue::Sqlite,
        ahead: settings.dispatch.on_unknown == OnUnknown::Resend && settings.dispatch.max_resends > 0,
    }
}

async fn aws(settings: &Aws) -> Result<AwsAccess, StartError> {
    // The publish's own time-out is the dispatcher's, attempt by attempt; so are the retries.
    let options = ClientOptions { connect_timeout: CONNECT_TIMEOUT, operation_attempt_timeout: None, retries: 0 };
    let access = AwsAccess::load(settings, options).await?;
    if !sends_sms(&access.region) {
        tracing::warn!(region = access.region, "this region is not known to send SMS");
    }
    // No error: it may be mended later, and is found then.
    if let Some(trouble) = access.credentials.profile_trouble().await {
        tracing::warn!("{trouble}");
    }
    if let Some(surprise) = access.credentials.surprise() {
        tracing::warn!("{surprise}");
    }
    Ok(access)
}

/// Says whether there are credentials, and where they come from.
async fn tell_of_credentials(credentials: Credentials) {
    let source = credentials.source().await;
    match credentials.ready().await {
        Ok(()) => tracing::info!(source, "AWS credentials are there"),
        Err(why) => tracing::warn!(source, "no AWS credentials yet: {why}"),
    }
}

fn rules(settings: &Settings) -> Vec<Box<dyn Rule>> {
    match settings.agent.numbers {
        Numbers::Possible => Vec::new(),
        Numbers::Assigned => vec![Box::new(AssignedNumbers)],
    }
}
