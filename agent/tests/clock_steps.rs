//! Whatever becomes of the clocks and of the machine, a message leaves, expires and is given up when it should, by the time
//! that has really passed.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use sms_agent::clock::{Clock, Machine};
use sms_agent::message::{
    Code, Draft, IdSource, MessageId, PhoneNumber, Problem, Sender, Sms, SmsType, Status, Text, WallTime,
};
use sms_agent::outbox::sqlite::{OpenError, Options, SqliteOutbox};
use sms_agent::outbox::{Acceptance, Accepted, Demand, Entry, Idempotency, Outbox, Outcome};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// The time of day when all begins.
const START: i64 = 1_795_464_000_000;
/// How long a message is tried.
const GIVE_UP_AFTER: i64 = DAY;

/// What is true of a machine, whatever its clocks say.
#[derive(Clone, Debug)]
struct Truth {
    /// Milliseconds since all began.
    now: i64,
    booted: i64,
    boots: u32,
    /// How far the wall clock is ahead.
    wrong_by: i64,
    /// Whether the system tells one boot from another.
    names_boots: bool,
}

#[derive(Clone)]
struct Turned(Arc<Mutex<Truth>>);

impl Turned {
    fn new(names_boots: bool) -> Self {
        let truth = Truth { now: 0, booted: -10 * MINUTE, boots: 1, wrong_by: 0, names_boots };
        Self(Arc::new(Mutex::new(truth)))
    }

    fn truth(&self) -> Truth {
        self.0.lock().unwrap().clone()
    }

    fn turn(&self, change: impl FnOnce(&mut Truth)) {
        change(&mut self.0.lock().unwrap());
    }

    fn pass(&self, millis: i64) {
        self.turn(|truth| truth.now += millis);
    }

    fn step(&self, millis: i64) {
        self.turn(|truth| truth.wrong_by += millis);
    }

    fn reboot(&self, millis: i64, wrong_by: i64) {
        self.turn(|truth| {
            truth.now += millis;
            // The last half minute of the time off is the new boot's.
            truth.booted = truth.now - millis.min(30 * SECOND);
            truth.boots += 1;
            truth.wrong_by = wrong_by;
        });
    }
}

impl Machine for Turned {
    fn wall(&self) -> WallTime {
        let truth = self.truth();
        WallTime::from_millis(START + truth.now + truth.wrong_by)
    }

    fn since_boot(&self) -> Duration {
        let truth = self.truth();
        Duration::from_millis(u64::try_from(truth.now - truth.booted).unwrap())
    }

    fn boot(&self) -> Option<String> {
        let truth = self.truth();
        truth.names_boots.then(|| truth.boots.to_string())
    }
}

struct Agent {
    machine: Turned,
    outbox: Arc<SqliteOutbox>,
    clock: Arc<dyn Clock>,
    ids: IdSource,
    folder: tempfile::TempDir,
}

impl Agent {
    fn new(machine: Turned) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outbox = SqliteOutbox::open_on(folder.path(), Options::default(), Arc::new(machine.clone())).unwrap();
        Self { clock: outbox.clock(), machine, outbox: Arc::new(outbox), ids: IdSource::new(), folder }
    }

    /// The next process.
    async fn restarted(self) -> Self {
        let Self { machine, outbox, clock, folder, .. } = self;
        drop((outbox, clock));
        let outbox = reopened(folder.path(), &machine).await;
        Self { clock: outbox.clock(), machine, outbox: Arc::new(outbox), ids: IdSource::new(), folder }
    }

    fn now(&self) -> i64 {
        self.machine.truth().now
    }

    async fn accept(&self, expires_in: Option<i64>, key: Option<Idempotency>) -> Accepted {
        let at = self.clock.now();
        let sms = Sms {
            to: PhoneNumber::parse("+12065550100").unwrap(),
            text: Text::parse("sesame".to_owned()).unwrap(),
            kind: SmsType::Transactional,
            sender: Sender::Account,
            max_price_usd: None,
            entity_id: None,
            template_id: None,
        };
        let expires_in = expires_in.map(|millis| u32::try_from(millis / SECOND).unwrap());
        let entry = Entry {
            id: self.ids.next(at),
            draft: Draft { sms, expires_in, reference: None },
            at,
            give_up_at: at.plus(Duration::from_millis(GIVE_UP_AFTER as u64)),
            claimed: false,
            trace: None,
        };
        let acceptance = Acceptance { entries: vec![entry], refusals: Vec::new(), key, durable: false };
        self.outbox.accept(acceptance).await.unwrap()
    }

    async fn send(&self, expires_in: Option<i64>) -> MessageId {
        let Accepted::New(messages) = self.accept(expires_in, None).await else { panic!("it is new") };
        messages[0].id
    }

    /// Ends what is late, as the dispatcher does, and answers with it.
    async fn sweep(&self) -> Vec<(MessageId, Status)> {
        let swept = self.outbox.sweep(self.clock.now()).await.unwrap();
        swept.ended.iter().map(|message| (message.id, message.status)).collect()
    }

    async fn claim(&self) -> Vec<MessageId> {
        let demand = Demand { messages: 100, segments: None, to_probe: false };
        let claims = self.outbox.claim(self.clock.now(), demand).await.unwrap().claims;
        claims.iter().map(|claim| claim.id).collect()
    }

    async fn settle(&self, id: MessageId, outcome: Outcome) {
        assert!(self.outbox.settle(id, outcome, self.clock.now(), false).await.unwrap().is_some());
    }

    async fn retry(&self, id: MessageId, millis: i64) {
        let at = self.clock.now().plus(Duration::from_millis(u64::try_from(millis).unwrap()));
        let problem = Problem::new(Code::CarrierUnavailable, "no answer");
        self.settle(id, Outcome::Retry { at, problem, unknown: false }).await;
    }

    async fn status(&self, id: MessageId) -> Status {
        self.outbox.message(id).await.unwrap().unwrap().status
    }

    fn execute(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.folder.path().join("outbox.db")).unwrap();
        assert!(connection.execute(sql, ()).unwrap() > 0, "{sql}");
    }
}

async fn reopened(folder: &Path, machine: &Turned) -> SqliteOutbox {
    loop {
        match SqliteOutbox::open_on(folder, Options::default(), Arc::new(machine.clone())) {
            Ok(outbox) => return outbox,
            // The log's keeper holds the file a moment longer.
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[derive(Clone, Debug)]
enum Event {
    Accept(Option<i64>),
    Pass(i64),
    /// The machine sleeps, or the wall clock is set, or both at once.
    Step {
        asleep: i64,
        by: i64,
    },
    /// The wall clock is put right.
    Correct,
    Restart(i64),
    Reboot {
        off: i64,
        wrong_by: i64,
    },
    /// What is due is claimed; every second one is published, the rest is to be tried again.
    Work {
        pause: i64,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let wrong = || prop_oneof![Just(-25 * HOUR), Just(-HOUR), Just(0), Just(HOUR), Just(2 * DAY), -DAY..DAY];
    let expiry = prop_oneof![Just(None), (1_i64..600).prop_map(|seconds| Some(seconds * SECOND)), Just(Some(DAY))];
    prop_oneof![
        4 => expiry.prop_map(Event::Accept),
        3 => (1..2 * MINUTE).prop_map(Event::Pass),
        1 => (1..30 * HOUR).prop_map(Event::Pass),
        2 => (0..HOUR, wrong()).prop_map(|(asleep, by)| Event::Step { asleep, by }),
        1 => Just(Event::Correct),
        2 => (SECOND..2 * HOUR).prop_map(Event::Restart),
        2 => (MINUTE..2 * DAY, wrong()).prop_map(|(off, wrong_by)| Event::Reboot { off, wrong_by }),
        5 => (0..MINUTE).prop_map(|pause| Event::Work { pause }),
    ]
}

/// What must be known of a message.
#[derive(Clone, Debug)]
struct Known {
    accepted: i64,
    shown: i64,
    due: i64,
    expires: Option<i64>,
    is_open: bool,
    /// How far the wall clock was ahead when the last boot in which the message waited ended: it is the only witness of
    /// the time until the next one began.
    gap: Option<i64>,
    /// A wall clock that was wrong over an earlier boot has made it look younger, or older.
    younger: bool,
    older: bool,
}

impl Known {
    /// Whether nobody can know that it is late.
    fn may_go_out_late(&self, wrong_by: i64) -> bool {
        self.younger || self.gap.is_some_and(|then| wrong_by < then)
    }

    /// Whether the wall clock says that it is late.
    fn may_expire_early(&self, wrong_by: i64) -> bool {
        self.older || self.gap.is_some_and(|then| wrong_by > then)
    }
}

#[derive(Default)]
struct Model {
    messages: BTreeMap<MessageId, Known>,
    started: i64,
}

impl Model {
    /// The process ends, and with it the boot, as far as anybody can tell.
    fn lose_the_boot(&mut self, wrong_by: i64) {
        for known in self.messages.values_mut() {
            known.younger |= known.gap.is_some_and(|then| wrong_by < then);
            known.older |= known.gap.is_some_and(|then| wrong_by > then);
            known.gap = Some(wrong_by);
        }
    }

    fn end(&mut self, id: MessageId, status: Status, truth: &Truth) {
        let known = self.messages.get_mut(&id).unwrap();
        assert!(std::mem::take(&mut known.is_open), "it was ended before");
        match status {
            Status::Expired => {
                let early = known.expires.is_none_or(|expires| truth.now < expires);
                assert!(!early || known.may_expire_early(truth.wrong_by), "it expired early: {known:?} {truth:?}");
            }
            _ => assert!(truth.now >= known.accepted + GIVE_UP_AFTER, "it was given up early: {known:?} {truth:?}"),
        }
    }

    fn publish(&self, id: MessageId, truth: &Truth) {
        let known = &self.messages[&id];
        let late = known.expires.is_some_and(|expires| truth.now >= expires);
        assert!(!late || known.may_go_out_late(truth.wrong_by), "a stale code goes out: {known:?} {truth:?}");
    }

    /// What is due and in time has left, what is late has ended.
    fn nothing_is_left_behind(&self, truth: &Truth) {
        for known in self.messages.values().filter(|known| known.is_open) {
            let is_certain = known.gap.is_none();
            let ends = known.expires.unwrap_or(i64::MAX).min(known.accepted + GIVE_UP_AFTER);
            assert!(!is_certain || truth.now < ends, "it was not ended: {known:?} {truth:?}");
            // After a boot, what was scheduled before it is due within the longest pause.
            let due = if is_certain { known.due } else { known.due.max(self.started + MINUTE) };
            assert!(truth.now < due, "it stands still: {known:?} {truth:?}");
        }
    }
}

async fn happen(mut agent: Agent, model: &mut Model, event: Event) -> Agent {
    let before = agent.machine.truth();
    match event {
        Event::Accept(expires_in) => {
            let id = agent.send(expires_in).await;
            assert!(model.messages.last_key_value().is_none_or(|(last, _)| *last < id), "names rise");
            let known = Known {
                accepted: before.now,
                shown: START + before.now + before.wrong_by,
                due: before.now,
                expires: expires_in.map(|millis| before.now + millis),
                is_open: true,
                gap: None,
                younger: false,
                older: false,
            };
            model.messages.insert(id, known);
        }
        Event::Pass(millis) => agent.machine.pass(millis),
        Event::Step { asleep, by } => {
            agent.machine.pass(asleep);
            // A smaller one is a clock that is slewed.
            agent.machine.step(if by.abs() < SECOND { 0 } else { by });
        }
        Event::Correct => agent.machine.step(-before.wrong_by),
        Event::Restart(millis) => {
            if !before.names_boots {
                model.lose_the_boot(before.wrong_by);
            }
            agent.machine.pass(millis);
            agent = agent.restarted().await;
            model.started = agent.now();
        }
        Event::Reboot { off, wrong_by } => {
            model.lose_the_boot(before.wrong_by);
            agent.machine.reboot(off, wrong_by);
            agent = agent.restarted().await;
            model.started = agent.now();
        }
        Event::Work { pause } => {
            let truth = agent.machine.truth();
            for (place, id) in agent.claim().await.into_iter().enumerate() {
                model.publish(id, &truth);
                let known = model.messages.get_mut(&id).unwrap();
                if place % 2 == 0 {
                    known.is_open = false;
                    agent.settle(id, Outcome::Sent("sns".to_owned())).await;
                } else {
                    known.due = truth.now + pause.max(1);
                    agent.retry(id, pause.max(1)).await;
                }
            }
            model.nothing_is_left_behind(&truth);
        }
    }
    let truth = agent.machine.truth();
    // Twice: the first one may have found that the wall clock was set.
    for _ in 0..2 {
        for (id, status) in agent.sweep().await {
            model.end(id, status, &truth);
        }
    }
    agent
}

async fn agree(agent: &Agent, model: &Model) {
    let truth = agent.machine.truth();
    assert_eq!(agent.clock.wall().as_millis(), START + truth.now + truth.wrong_by);
    for (id, known) in &model.messages {
        let message = agent.outbox.message(*id).await.unwrap().unwrap();
        assert_eq!(message.created_at.as_millis(), known.shown, "what people have seen stays");
        assert_eq!(message.status.is_settled(), !known.is_open);
        if let (Some(expires), Some(shown), None) = (known.expires, message.expires_at, known.gap) {
            assert_eq!(shown.as_millis(), START + expires + truth.wrong_by);
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_clocks_do_messages_leave_and_end_by_the_time_that_has_passed(
        names_boots in prop_oneof![3 => Just(true), 1 => Just(false)],
        events in prop::collection::vec(event(), 1..40),
    ) {
        run(async {
            let mut agent = Agent::new(Turned::new(names_boots));
            let mut model = Model::default();
            for event in events {
                agent = happen(agent, &mut model, event).await;
                agree(&agent, &model).await;
            }
        });
    }
}

/// An agent in which one message waits without an end of its own, and one that expires in ten minutes.
async fn with_two() -> (Agent, MessageId, MessageId) {
    let agent = Agent::new(Turned::new(true));
    let (lasting, code) = (agent.send(None).await, agent.send(Some(10 * MINUTE)).await);
    (agent, lasting, code)
}

#[test]
fn a_code_that_ran_out_while_the_machine_was_off_behind_its_clock_expires_when_that_is_set() {
    run(async {
        let (agent, lasting, code) = with_two().await;
        agent.machine.reboot(HOUR, -25 * HOUR);
        let agent = agent.restarted().await;
        assert_eq!(agent.sweep().await, [], "nobody can know");
        agent.machine.step(25 * HOUR);
        agent.sweep().await;
        assert_eq!((agent.status(lasting).await, agent.status(code).await), (Status::Queued, Status::Expired));
        assert_eq!(agent.claim().await, [lasting]);
    });
}

#[test]
fn a_code_that_looks_stale_by_a_wrong_clock_does_not_go_out_and_nothing_else_is_given_up() {
    run(async {
        let (agent, lasting, code) = with_two().await;
        agent.machine.reboot(MINUTE, 2 * DAY);
        let agent = agent.restarted().await;
        assert_eq!(agent.sweep().await, [(code, Status::Expired)]);
        agent.machine.step(-2 * DAY);
        assert_eq!(agent.claim().await, [lasting]);
        agent.machine.pass(GIVE_UP_AFTER);
        agent.retry(lasting, MINUTE).await;
        assert_eq!(agent.sweep().await, [(lasting, Status::Failed)], "it had its time");
    });
}

/// What came in since the machine was started is known exactly.
#[test]
fn a_clock_that_is_set_moves_only_what_came_before_the_boot() {
    run(async {
        let (agent, ..) = with_two().await;
        agent.machine.reboot(MINUTE, -25 * HOUR);
        let agent = agent.restarted().await;
        let young = agent.send(Some(10 * MINUTE)).await;
        agent.machine.step(49 * HOUR);
        agent.sweep().await;
        assert_eq!(agent.status(young).await, Status::Queued);
        agent.machine.pass(10 * MINUTE);
        assert_eq!(agent.sweep().await, [(young, Status::Expired)]);
    });
}

/// A clock that is years ahead must not have a repetition sent again, nor the history forgotten.
#[test]
fn a_clock_that_is_years_ahead_at_boot_forgets_neither_keys_nor_history() {
    run(async {
        let agent = Agent::new(Turned::new(true));
        let key = Idempotency { key: [7; 32], fingerprint: [1; 32] };
        assert!(matches!(agent.accept(None, Some(key)).await, Accepted::New(_)));
        let id = agent.claim().await[0];
        agent.settle(id, Outcome::Sent("sns".to_owned())).await;
        agent.machine.reboot(MINUTE, 20_000 * DAY);
        let agent = agent.restarted().await;
        let mut next = None;
        while let Some(after) = agent.outbox.forget(agent.clock.now(), next).await.unwrap() {
            next = Some(after);
        }
        assert_eq!(agent.status(id).await, Status::Sent);
    });
}

/// As an agent left it that decided by the wall clock: accepted and scheduled two days ahead.
#[test]
fn what_an_older_agent_wrote_by_a_clock_that_was_ahead_is_healed() {
    run(async {
        let (agent, lasting, code) = with_two().await;
        agent.claim().await;
        agent.retry(lasting, MINUTE).await;
        agent.retry(code, MINUTE).await;
        agent.execute("DELETE FROM timeline");
        let columns = ["created_at", "updated_at", "due_at", "expires_at", "give_up_at", "ends_at"];
        let ahead = columns.map(|column| format!("{column} = {column} + {}", 2 * DAY)).join(", ");
        agent.execute(&format!("UPDATE message SET accepted_at = NULL, {ahead}"));
        let agent = agent.restarted().await;
        assert_eq!(agent.claim().await, [lasting, code], "they are due");
        agent.retry(code, MINUTE).await;
        agent.machine.pass(10 * MINUTE);
        assert_eq!(agent.sweep().await, [(code, Status::Expired)]);
        agent.retry(lasting, MINUTE).await;
        agent.machine.pass(GIVE_UP_AFTER);
        assert_eq!(agent.sweep().await, [(lasting, Status::Failed)]);
    });
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_is_noticed_while_nothing_else_happens() {
    let (agent, _, code) = with_two().await;
    agent.machine.reboot(HOUR, -25 * HOUR);
    let agent = agent.restarted().await;
    let keeping = tokio::spawn(agent.outbox.keep_time());
    let expired = || {
        let connection = rusqlite::Connection::open(agent.folder.path().join("outbox.db")).unwrap();
        let sql = "SELECT expires_at < at FROM message, timeline WHERE id = ?1";
        connection.query_row(sql, [code.to_bytes()], |row| row.get::<_, bool>(0)).unwrap()
    };
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!expired());
    agent.machine.step(25 * HOUR);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(expired());
    keeping.abort();
}

#[test]
fn an_agent_that_does_nothing_writes_no_time_down() {
    run(async {
        let agent = Agent::new(Turned::new(true));
        let changes = || {
            let connection = rusqlite::Connection::open(agent.folder.path().join("outbox.db")).unwrap();
            connection.query_row("SELECT since_boot FROM timeline", (), |row| row.get::<_, i64>(0)).unwrap()
        };
        let begun = changes();
        agent.machine.pass(DAY);
        assert_eq!(changes(), begun);
        agent.send(None).await;
        let busy = changes();
        agent.machine.pass(SECOND);
        agent.send(None).await;
        assert_eq!(changes(), busy, "not with every message");
        assert_eq!(busy - begun, DAY);
    });
}
