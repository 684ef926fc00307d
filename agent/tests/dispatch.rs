//! The dispatcher against a carrier that does as it is told, over the real outbox, in paused time.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sms_agent::admission::{Door, Intake, Rooms, Submission};
use sms_agent::carrier::{Attempt, Carrier, PublishError, Signal, Verdict};
use sms_agent::clock::Clock;
use sms_agent::dispatch::Dispatcher;
use sms_agent::message::{
    Code, Draft, Message, MessageId, PhoneNumber, Problem, Sender, Sms, SmsType, Status, Text, Timestamp,
};
use sms_agent::outbox::sqlite::{Options, SqliteOutbox};
use sms_agent::outbox::{Filter, Outbox};
use sms_config::{Dispatch, OnUnknown};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A timeline that moves with tokio's, and on while the machine sleeps.
struct TestClock {
    start: Instant,
    asleep: Mutex<Duration>,
}

impl TestClock {
    fn new() -> Self {
        Self { start: Instant::now(), asleep: Mutex::default() }
    }

    fn sleep(&self, time: Duration) {
        *self.asleep.lock().unwrap() += time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_464_000_000).plus(self.start.elapsed() + *self.asleep.lock().unwrap())
    }
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Taken,
    Fails(Verdict, Signal),
    Hangs,
    TimesOut,
    Panics,
}

/// Answers by its script, then takes everything. Remembers which text it was asked to publish when.
struct Scripted {
    script: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<(String, Duration)>>,
    /// What it answers to a knock, and when it was asked that.
    knocks: Mutex<VecDeque<Answer>>,
    knocked: Mutex<Vec<Duration>>,
    start: Instant,
    /// One permit a publish that hangs: given when it is let go.
    hanging: Semaphore,
}

impl Carrier for Scripted {
    fn publish<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<String, PublishError>> {
        async move {
            let words = attempt.sms.text.as_str().to_owned();
            self.asked.lock().unwrap().push((words, self.start.elapsed()));
            let answer = self.script.lock().unwrap().pop_front().unwrap_or(Answer::Taken);
            match answer {
                Answer::Taken => Ok(format!("provider-{}", attempt.id)),
                Answer::Fails(verdict, signal) => {
                    let problem = Problem::new(Code::CarrierUnavailable, "scripted");
                    Err(PublishError { verdict, signal, problem })
                }
                Answer::Hangs => {
                    self.hanging.acquire().await.unwrap().forget();
                    Ok("late".to_owned())
                }
                Answer::TimesOut => {
                    tokio::time::sleep(attempt.timeout).await;
                    let problem = Problem::new(Code::OutcomeUnknown, "no answer");
                    Err(PublishError { verdict: Verdict::Unknown, signal: Signal::Unreachable, problem })
                }
                Answer::Panics => panic!("scripted"),
            }
        }
        .boxed()
    }

    fn knock(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        async move {
            self.knocked.lock().unwrap().push(self.start.elapsed());
            let answer = self.knocks.lock().unwrap().pop_front().unwrap_or(Answer::Taken);
            match answer {
                Answer::Fails(verdict, signal) => {
                    let problem = Problem::new(Code::CarrierUnauthorized, "scripted knock");
                    Err(PublishError { verdict, signal, problem })
                }
                Answer::Panics => panic!("scripted"),
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn objection(&self, _: &PhoneNumber) -> Option<Problem> {
        None
    }

    fn opted_out<'a>(&'a self, _: &'a PhoneNumber) -> BoxFuture<'a, Result<bool, Problem>> {
        std::future::ready(Ok(false)).boxed()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Problem>> {
        std::future::ready(Ok(())).boxed()
    }
}

struct Agent {
    door: Door,
    dispatcher: Dispatcher,
    outbox: Arc<dyn Outbox>,
    carrier: Arc<Scripted>,
    clock: Arc<TestClock>,
    _folder: tempfile::TempDir,
}

fn settings() -> Dispatch {
    Dispatch {
        segments_per_second: None,
        concurrency: 4,
        attempt_timeout: Duration::from_secs(5),
        max_attempts: None,
        give_up_after: Duration::from_secs(86_400),
        on_unknown: OnUnknown::Resend,
        max_resends: 2,
    }
}

fn agent(settings: Dispatch, script: impl IntoIterator<Item = Answer>) -> Agent {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { idempotency_ttl: Duration::from_secs(60), ..Options::default() };
    let outbox: Arc<dyn Outbox> = Arc::new(SqliteOutbox::open(folder.path(), options).unwrap());
    let carrier = Arc::new(Scripted {
        script: Mutex::new(script.into_iter().collect()),
        asked: Mutex::default(),
        knocks: Mutex::default(),
        knocked: Mutex::default(),
        start: Instant::now(),
        hanging: Semaphore::new(0),
    });
    let turned = Arc::new(TestClock::new());
    let clock: Arc<dyn Clock> = Arc::<TestClock>::clone(&turned);
    let as_carrier: Arc<dyn Carrier> = Arc::<Scripted>::clone(&carrier);
    let dispatcher = Dispatcher::new(&settings, Arc::clone(&outbox), Arc::clone(&as_carrier), Arc::clone(&clock));
    let door = Door::new(Rooms {
        outbox: Arc::clone(&outbox),
        dispatcher: dispatcher.clone(),
        carrier: as_carrier,
        clock,
        rules: Vec::new(),
        give_up_after: settings.give_up_after,
        publishes: true,
    });
    let running = dispatcher.clone();
    tokio::spawn(async move { running.run().await });
    Agent { door, dispatcher, outbox, carrier, clock: turned, _folder: folder }
}

fn sms(to: &str, words: &str, kind: SmsType) -> Sms {
    Sms {
        to: PhoneNumber::parse(to).unwrap(),
        text: Text::parse(words.to_owned()).unwrap(),
        kind,
        sender: Sender::Account,
        max_price_usd: None,
        entity_id: None,
        template_id: None,
    }
}

impl Agent {
    async fn send(&self, words: &str, wait: Option<Duration>) -> Message {
        self.submit(words, SmsType::Transactional, None, wait).await
    }

    async fn submit(&self, words: &str, kind: SmsType, expires_in: Option<u32>, wait: Option<Duration>) -> Message {
        let sms = sms("+12065550100", words, kind);
        self.hand_in(Draft { sms, expires_in, reference: None }, wait).await
    }

    async fn hand_in(&self, draft: Draft, wait: Option<Duration>) -> Message {
        self.door.submit(Submission { draft, key: None, wait, trace: None }).await.unwrap().message
    }

    async fn settled(&self, id: MessageId) -> Message {
        loop {
            let mut watch = self.dispatcher.watch(id);
            let message = self.outbox.message(id).await.unwrap().unwrap();
            if message.status.is_settled() {
                return message;
            }
            watch.outcome().await;
        }
    }

    fn asked(&self) -> Vec<String> {
        self.carrier.asked.lock().unwrap().iter().map(|(words, _)| words.clone()).collect()
    }
}

const LONG: Option<Duration> = Some(Duration::from_secs(600));

#[tokio::test(start_paused = true)]
async fn a_sender_who_waits_gets_the_outcome_after_as_many_retries_as_it_takes() {
    let slow = Answer::Fails(Verdict::NotSent, Signal::None);
    let agent = agent(settings(), [slow, slow]);
    let message = agent.send("Hello", LONG).await;
    assert_eq!((message.status, message.attempts, message.error), (Status::Sent, 3, None));
    assert_eq!(message.provider_id, Some(format!("provider-{}", message.id)));
    assert!(!message.possible_duplicate);
}

#[tokio::test(start_paused = true)]
async fn a_sender_whose_wait_runs_out_is_told_how_far_it_is_and_the_message_goes_on() {
    let agent = agent(settings(), [Answer::Hangs]);
    let message = agent.send("Hello", Some(Duration::from_secs(10))).await;
    assert_eq!((message.status, message.attempts), (Status::Sending, 1));
    agent.carrier.hanging.add_permits(1);
    assert_eq!(agent.settled(message.id).await.status, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_sent_again_twice_and_then_left_unknown() {
    let agent = agent(settings(), [Answer::Fails(Verdict::Unknown, Signal::None); 9]);
    let message = agent.send("Hello", LONG).await;
    assert_eq!((message.status, message.attempts, message.possible_duplicate), (Status::Unknown, 3, true));
    assert_eq!(message.error.unwrap().code, Code::OutcomeUnknown);
    assert_eq!(agent.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_on_hold_is_never_sent_again() {
    let hold = Dispatch { on_unknown: OnUnknown::Hold, ..settings() };
    let agent = agent(hold, [Answer::Panics]);
    let message = agent.send("Hello", LONG).await;
    assert_eq!((message.status, message.attempts, message.possible_duplicate), (Status::Unknown, 1, false));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_given_up_after_its_attempts_and_fails_with_the_last_problem() {
    let few = Dispatch { max_attempts: NonZeroU32::new(2), ..settings() };
    let agent = agent(few, [Answer::Fails(Verdict::NotSent, Signal::None); 9]);
    let message = agent.send("Hello", LONG).await;
    assert_eq!((message.status, message.attempts), (Status::Failed, 2));
    assert_eq!(message.error.unwrap().code, Code::CarrierUnavailable);
}

#[tokio::test(start_paused = true)]
async fn hanging_publishes_do_not_stop_the_others() {
    let agent = agent(settings(), [Answer::Hangs, Answer::Hangs, Answer::Hangs]);
    for number in 0..3 {
        agent.send(&format!("hangs {number}"), Some(Duration::from_millis(1))).await;
    }
    for number in 0..20 {
        assert_eq!(agent.send(&format!("flows {number}"), LONG).await.status, Status::Sent);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_time_out_together_stop_nobody_while_others_are_answered() {
    let agent = agent(Dispatch { concurrency: 64, ..settings() }, [Answer::TimesOut; 6]);
    for number in 0..6 {
        agent.send(&format!("hangs {number}"), Some(Duration::from_millis(1))).await;
    }
    for number in 0..40 {
        let begun = Instant::now();
        assert_eq!(agent.send(&format!("flows {number}"), LONG).await.status, Status::Sent);
        assert!(begun.elapsed() < Duration::from_millis(100), "{number}: {:?}", begun.elapsed());
        assert!(agent.door.ready().await.is_ok());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_answered_another_message_asks_each_time() {
    let agent = agent(Dispatch { concurrency: 64, ..settings() }, [Answer::TimesOut; 8]);
    for number in 0..6 {
        agent.send(&format!("hangs {number}"), Some(Duration::from_millis(1))).await;
    }
    // The first that asks for all is one of them, while nothing else waits.
    while agent.asked().len() < 7 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for number in 1..3 {
        let sms = sms(&format!("+1206555010{number}"), &format!("waits {number}"), SmsType::Transactional);
        agent.hand_in(Draft { sms, expires_in: None, reference: None }, None).await;
    }
    while agent.asked().len() < 9 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = agent.asked();
    assert_eq!(asked.get(7..9).unwrap(), ["waits 1", "waits 2"], "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_expires_while_it_waits_is_never_published() {
    let one = Dispatch { concurrency: 1, ..settings() };
    let agent = agent(one, [Answer::Hangs]);
    agent.send("hangs", Some(Duration::from_millis(1))).await;
    let stale = agent.submit("stale", SmsType::Transactional, Some(30), LONG).await;
    assert_eq!((stale.status, stale.attempts), (Status::Expired, 0));
    agent.carrier.hanging.add_permits(1);
    assert_eq!(agent.send("next", LONG).await.status, Status::Sent);
    assert_eq!(agent.asked(), ["hangs", "next"]);
}

#[tokio::test(start_paused = true)]
async fn the_pace_counts_segments_and_holds_for_queued_and_for_waiting_messages() {
    let paced = Dispatch { segments_per_second: NonZeroU32::new(10), ..settings() };
    let agent = agent(paced, []);
    let start = Instant::now();
    let two_segments = "x".repeat(200);
    let mut queued = Vec::new();
    for _ in 0..30 {
        queued.push(agent.send(&two_segments, None).await.id);
    }
    for id in queued {
        agent.settled(id).await;
    }
    assert_eq!(agent.send("one more", LONG).await.status, Status::Sent);
    let seconds = start.elapsed().as_secs_f64();
    assert!((5.0..5.5).contains(&seconds), "61 segments at 10 a second, 10 of them at once, took {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn while_the_account_is_refused_one_message_asks_for_all_and_then_all_go_in_order() {
    let refused = Answer::Fails(Verdict::NotSent, Signal::Refused);
    let agent = agent(Dispatch { concurrency: 1, ..settings() }, [refused; 6]);
    let probe = agent.send("probe", None).await;
    let mut others = Vec::new();
    for (words, kind) in
        [("sale", SmsType::Promotional), ("code 1", SmsType::Transactional), ("code 2", SmsType::Transactional)]
    {
        others.push(agent.submit(words, kind, None, None).await.id);
    }
    assert_eq!(agent.settled(probe.id).await.attempts, 6 + 1, "the oldest asks for all");
    for id in others {
        assert_eq!(agent.settled(id).await.attempts, 1, "the rest keep their attempts");
    }
    let asked = agent.asked();
    assert_eq!(asked.get(6..).unwrap(), ["probe", "code 1", "code 2", "sale"], "{asked:?}");
    assert!(agent.door.ready().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_next_attempt_is_told_while_it_is_to_come_and_not_of_who_waits_for_a_turn() {
    let throttled = Answer::Fails(Verdict::NotSent, Signal::None);
    let agent =
        agent(settings(), [throttled; 12].into_iter().chain([Answer::Fails(Verdict::NotSent, Signal::Refused); 99]));
    let id = agent.send("throttled", Some(Duration::from_millis(1))).await.id;
    let clock = Arc::clone(&agent.clock);
    let look = async |id| agent.door.message(id).await.unwrap().unwrap();
    let (mut told, mut refused) = (0, None);
    while refused.is_none() {
        tokio::time::sleep(Duration::from_millis(40)).await;
        let message = look(id).await;
        if let Some(at) = message.next_attempt_at {
            assert!(at > clock.wall() && message.status == Status::Queued);
            told += 1;
        }
        refused = agent.dispatcher.obstacle();
    }
    assert!(told > 0);
    let waits = agent.send("waits", None).await;
    assert_eq!((waits.status, waits.attempts, waits.next_attempt_at), (Status::Queued, 0, None));
    tokio::time::sleep(Duration::from_secs(5)).await;
    for (id, asked) in [(id, true), (waits.id, false)] {
        let message = look(id).await;
        assert_eq!((message.attempts > 0, message.next_attempt_at), (asked, None));
    }
    let page = agent.door.page(Filter::default(), None, 9).await.unwrap();
    assert!(page.messages.iter().all(|message| message.next_attempt_at.is_none()));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_and_a_permission_denied_show_until_a_publish_succeeds() {
    let agent = agent(settings(), [Answer::Fails(Verdict::Rejected, Signal::NotPermitted)]);
    assert!(agent.door.ready().await.is_ok());
    assert_eq!(agent.send("denied", LONG).await.status, Status::Failed);
    assert_eq!(agent.door.ready().await.unwrap_err().code, Code::CarrierUnavailable);
    assert_eq!(agent.send("allowed", LONG).await.status, Status::Sent);
    assert!(agent.door.ready().await.is_ok());
}

/// A send that goes on in the background; returns once the carrier was asked for the `nth` time.
async fn sending(agent: &Arc<Agent>, words: &'static str, nth: usize) -> JoinHandle<Message> {
    let sending = tokio::spawn({
        let agent = Arc::clone(agent);
        async move { agent.send(words, LONG).await }
    });
    while agent.asked().len() < nth {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sending
}

#[tokio::test(start_paused = true)]
async fn a_stop_publishes_what_somebody_waits_for_and_leaves_the_rest_in_the_queue() {
    let agent = Arc::new(agent(Dispatch { concurrency: 1, ..settings() }, [Answer::Hangs]));
    let flying = sending(&agent, "flying", 1).await;
    let left = agent.send("nobody waits", None).await;
    let queued = sending(&agent, "awaited", 1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    agent.dispatcher.stop();
    assert!(agent.dispatcher.settled().now_or_never().is_none());
    agent.carrier.hanging.add_permits(1);
    agent.dispatcher.settled().await;
    assert_eq!(flying.await.unwrap().status, Status::Sent);
    assert_eq!(queued.await.unwrap().status, Status::Sent);
    assert_eq!(agent.asked(), ["flying", "awaited"]);
    assert_eq!(agent.outbox.message(left.id).await.unwrap().unwrap().status, Status::Queued);
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_on_with_the_retries_of_what_somebody_waits_for_at_the_pace_and_in_order() {
    let slow = Answer::Fails(Verdict::NotSent, Signal::None);
    let agent = agent(Dispatch { concurrency: 1, segments_per_second: NonZeroU32::new(1), ..settings() }, [slow; 3]);
    let agent = Arc::new(agent);
    let begun = Instant::now();
    let first = sending(&agent, "first", 1).await;
    let second = sending(&agent, "second", 1).await;
    agent.dispatcher.stop();
    agent.dispatcher.settled().await;
    for sender in [first, second] {
        assert_eq!(sender.await.unwrap().status, Status::Sent);
    }
    assert_eq!(agent.asked().len(), 5);
    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_settled_once_those_who_waited_have_gone() {
    let agent = Arc::new(agent(settings(), [Answer::Fails(Verdict::NotSent, Signal::Refused); 99]));
    let waiting = sending(&agent, "never sent", 1).await;
    agent.dispatcher.stop();
    assert!(agent.dispatcher.settled().now_or_never().is_none());
    waiting.abort();
    agent.dispatcher.settled().await;
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_a_stop_whoever_still_waits_is_told_how_far_it_is() {
    let agent = Arc::new(agent(settings(), [Answer::Fails(Verdict::NotSent, Signal::None); 99]));
    let waiting = sending(&agent, "never sent", 2).await;
    agent.dispatcher.stop();
    while agent.asked().len() < 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    agent.dispatcher.halt();
    let message = waiting.await.unwrap();
    assert_eq!((message.status, message.attempts), (Status::Queued, 5));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(agent.asked().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_hangs_up_changes_nothing() {
    let agent = agent(settings(), []);
    let sms = sms("+12065550100", "Hello", SmsType::Transactional);
    let draft = Draft { sms, expires_in: None, reference: None };
    let submission = Submission { draft, key: None, wait: LONG, trace: None };
    assert!(agent.door.submit(submission).now_or_never().is_none(), "it was asked once and dropped");
    assert_eq!(agent.send("after", LONG).await.status, Status::Sent);
    assert_eq!(agent.asked(), ["Hello", "after"]);
}

/// Timers stand still while the machine sleeps.
#[tokio::test(start_paused = true)]
async fn what_ran_out_while_the_machine_slept_is_ended_soon_after() {
    let refused = Answer::Fails(Verdict::NotSent, Signal::Refused);
    let agent = agent(settings(), [refused; 100]);
    let code = agent.submit("code", SmsType::Transactional, Some(3600), None).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(agent.outbox.message(code.id).await.unwrap().unwrap().status, Status::Queued);
    agent.clock.sleep(Duration::from_secs(2 * 3600));
    let woken = Instant::now();
    assert_eq!(agent.settled(code.id).await.status, Status::Expired);
    assert!(woken.elapsed() <= Duration::from_secs(15), "{:?}", woken.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_fell_due_while_the_machine_slept_goes_soon_after() {
    let agent = agent(settings(), [Answer::Fails(Verdict::NotSent, Signal::None); 30]);
    let message = agent.send("Hello", None).await;
    // Until the pause is one of some seconds at least.
    let left = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let message = agent.outbox.message(message.id).await.unwrap().unwrap();
        let now = agent.clock.wall();
        if let Some(left) = message.next_attempt_at.map(|at| at.since(now)).filter(|left| left.as_secs() >= 10) {
            break left;
        }
    };
    let asked = agent.asked().len();
    agent.clock.sleep(left);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(agent.asked().len(), asked + 1);
}

const REFUSED: Answer = Answer::Fails(Verdict::NotSent, Signal::Refused);

#[tokio::test(start_paused = true)]
async fn an_agent_with_nothing_to_send_becomes_ready_again_once_the_carrier_lets_it_in() {
    let agent = agent(settings(), [REFUSED; 99]);
    agent.carrier.knocks.lock().unwrap().extend([REFUSED, Answer::Panics, REFUSED]);
    let only = agent.submit("only", SmsType::Transactional, Some(1), Some(Duration::from_millis(500))).await;
    assert_eq!(agent.door.ready().await.unwrap_err().code, Code::CarrierUnavailable);
    assert_eq!(agent.settled(only.id).await.status, Status::Expired);
    while agent.door.ready().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let knocked = agent.carrier.knocked.lock().unwrap().clone();
    assert_eq!(knocked.len(), 4, "one question at a time, at the pace of the breaker: {knocked:?}");
    assert!(knocked[0] >= Duration::from_secs(1), "a message that waits asks for all: {knocked:?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(agent.carrier.knocked.lock().unwrap().len(), 4, "nobody asks a carrier that lets us in");
    agent.carrier.script.lock().unwrap().clear();
    assert_eq!(agent.send("next", LONG).await.status, Status::Sent);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_lets_nobody_in_is_asked_no_more_than_about_once_a_minute() {
    let agent = agent(settings(), [REFUSED; 99]);
    agent.carrier.knocks.lock().unwrap().extend([REFUSED; 999]);
    let only = agent.submit("only", SmsType::Transactional, Some(1), Some(Duration::from_millis(500))).await;
    assert_eq!(agent.settled(only.id).await.status, Status::Expired);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    for _ in 0..1000 {
        assert_eq!(agent.door.ready().await.unwrap_err().code, Code::CarrierUnauthorized);
    }
    let knocked = agent.carrier.knocked.lock().unwrap().len();
    assert!((60..600).contains(&knocked), "{knocked} in an hour, whatever readiness is asked");
}

#[tokio::test(start_paused = true)]
async fn a_permission_denied_is_forgotten_after_a_while_if_nobody_sends() {
    let agent = agent(settings(), [Answer::Fails(Verdict::Rejected, Signal::NotPermitted)]);
    assert_eq!(agent.send("denied", LONG).await.status, Status::Failed);
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(agent.door.ready().await.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(agent.door.ready().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn five_publishes_that_break_down_open_the_breaker_and_no_slot_is_lost() {
    let agent = agent(Dispatch { max_resends: 0, concurrency: 1, ..settings() }, [Answer::Panics; 5]);
    for n in 0..5 {
        assert_eq!(agent.send("breaks", LONG).await.status, Status::Unknown, "{n}");
    }
    assert!(agent.dispatcher.obstacle().is_some());
    while agent.door.ready().await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(agent.send("goes", LONG).await.status, Status::Sent);
    agent.dispatcher.stop();
    agent.dispatcher.settled().await;
}
