//! The engine's history by its trait: pages that neither skip nor repeat, cancellation, and what is forgotten when.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod engine;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::{DAY, Engine, KEY, NOW};
use sms_agent::clock::Clock;
use sms_agent::message::{Code, PhoneNumber, Problem, Status, Timestamp};
use sms_agent::outbox::sqlite::{Options, SqliteOutbox};
use sms_agent::outbox::{
    Acceptance, Accepted, Canceled, Entry, Filter, Idempotency, Outbox, Outcome, Refusal, housekeeping,
};

const ONE: &str = "+12065550100";
const OTHER: &str = "+12065550101";

fn to(number: &str) -> Filter {
    Filter { to: PhoneNumber::parse(number).ok(), ..Filter::default() }
}

fn of(status: Status) -> Filter {
    Filter { status: Some(status), ..Filter::default() }
}

fn unknown_retry() -> Outcome {
    Outcome::Retry { at: NOW, problem: Problem::new(Code::OutcomeUnknown, "no answer"), unknown: true }
}

#[tokio::test]
async fn pages_follow_each_other_while_new_messages_arrive() {
    let engine = Engine::new(Options::default());
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, engine.queue(ONE, None).await);
    }
    let first = engine.outbox.page(Filter::default(), None, 2).await.unwrap();
    engine.queue(ONE, None).await;
    let second = engine.outbox.page(Filter::default(), first.next, 2).await.unwrap();
    let third = engine.outbox.page(Filter::default(), second.next, 2).await.unwrap();
    let seen: Vec<_> = [first, second, third.clone()].iter().flat_map(|page| page.messages.clone()).collect();
    assert_eq!(seen.iter().map(|message| message.id).collect::<Vec<_>>(), ids);
    assert_eq!(third.next, None, "there are no more");
}

#[tokio::test]
async fn a_last_page_that_is_full_leads_nowhere() {
    let engine = Engine::new(Options::default());
    for _ in 0..4 {
        engine.queue(ONE, None).await;
    }
    assert_eq!(engine.pages(&Filter::default(), 2).await.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn each_filter_and_all_of_them_find_what_they_name_and_nothing_else() {
    let engine = Engine::new(Options::default());
    let sent = engine.send(ONE, Some("order 7")).await;
    let delivered = engine.send(OTHER, Some("order 7")).await;
    engine.settle(delivered, Outcome::Delivered).await.unwrap();
    let sending = engine.queue(ONE, None).await;
    engine.claim(1).await;
    let queued = engine.queue(ONE, Some("order 8")).await;
    let order = |reference: &str| Filter { reference: Some(reference.to_owned()), ..Filter::default() };
    for (filter, found) in [
        (Filter::default(), vec![queued, sending, delivered, sent]),
        (to(ONE), vec![queued, sending, sent]),
        (to(OTHER), vec![delivered]),
        (order("order 7"), vec![delivered, sent]),
        (order("order"), vec![]),
        (of(Status::Queued), vec![queued]),
        (of(Status::Sending), vec![sending]),
        (of(Status::Sent), vec![sent]),
        (of(Status::Delivered), vec![delivered]),
        (of(Status::Failed), vec![]),
        (Filter { status: Some(Status::Sent), ..to(ONE) }, vec![sent]),
        (Filter { status: Some(Status::Sent), ..order("order 7") }, vec![sent]),
        (Filter { to: to(OTHER).to, ..order("order 8") }, vec![]),
    ] {
        for limit in [1, 50] {
            assert_eq!(engine.pages(&filter, limit).await.concat(), found, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_page_of_several_filters_looks_at_so_much_and_leads_on() {
    let engine = Engine::new(Options::default());
    let oldest = engine.queue(ONE, None).await;
    engine.claim(1).await;
    for _ in 0..15 {
        let entries = (0..100).map(|_| engine.entry(ONE, None)).collect();
        engine.accept(entries, None).await;
    }
    let pages = engine.pages(&Filter { status: Some(Status::Sending), ..to(ONE) }, 50).await;
    assert_eq!(pages, [vec![], vec![oldest]]);
}

#[tokio::test]
async fn what_is_queued_is_canceled_for_good_and_its_text_erased() {
    let engine = Engine::new(Options::default());
    let id = engine.queue(ONE, None).await;
    let Some(Canceled::Done(message)) = engine.outbox.cancel(id, NOW).await.unwrap() else { panic!("it is queued") };
    assert_eq!((message.status, message.next_attempt_at), (Status::Canceled, None));
    assert_eq!(message.error.unwrap().code, Code::Canceled);
    assert!(engine.claim(9).await.is_empty());
    assert_eq!(engine.count("SELECT count(*) FROM message WHERE words IS NOT NULL"), 0);
    let again = engine.outbox.cancel(id, NOW).await.unwrap();
    assert!(matches!(again, Some(Canceled::TooLate(message)) if message.status == Status::Canceled));
}

#[tokio::test]
async fn what_is_claimed_or_unknown_to_all_is_not_canceled() {
    let engine = Engine::new(Options::default());
    let id = engine.queue(ONE, None).await;
    engine.claim(1).await;
    let late = engine.outbox.cancel(id, NOW).await.unwrap();
    assert!(matches!(late, Some(Canceled::TooLate(message)) if message.status == Status::Sending));
    assert!(engine.outbox.cancel(engine.ids.next(NOW), NOW).await.unwrap().is_none());
}

#[tokio::test]
async fn a_claim_and_a_cancellation_that_race_never_both_have_it() {
    let engine = Engine::new(Options::default());
    for _ in 0..50 {
        let id = engine.queue(ONE, None).await;
        let (claims, canceled) = tokio::join!(engine.claim(1), engine.outbox.cancel(id, NOW));
        let canceled = matches!(canceled.unwrap(), Some(Canceled::Done(_)));
        assert_eq!(claims.len() + usize::from(canceled), 1);
    }
}

#[tokio::test]
async fn what_may_have_gone_out_ends_as_unknown_whether_canceled_or_swept() {
    let engine = Engine::new(Options::default());
    let ids = [engine.queue(ONE, None).await, engine.queue(ONE, None).await];
    engine.claim(2).await;
    for id in ids {
        engine.settle(id, unknown_retry()).await.unwrap();
    }
    let Some(Canceled::Done(canceled)) = engine.outbox.cancel(ids[0], NOW).await.unwrap() else { panic!("queued") };
    let swept = engine.outbox.sweep(NOW.plus(DAY)).await.unwrap().ended.remove(0);
    for message in [canceled, swept] {
        assert_eq!((message.status, message.error.unwrap().code), (Status::Unknown, Code::OutcomeUnknown));
    }
    assert_eq!(engine.count("SELECT count(*) FROM message WHERE words IS NOT NULL"), 0);
}

#[tokio::test]
async fn more_than_may_wait_is_refused_and_so_is_what_leaves_at_once_while_no_more_may_come_back() {
    let options = Options { max_queued: 3, ..Options::default() };
    let engine = Engine::new(options);
    let some = |count: usize| (0..count).map(|_| engine.entry(ONE, None)).collect::<Vec<_>>();
    assert!(matches!(engine.accept(some(4), None).await, Accepted::Full), "wholly");
    assert_eq!(engine.count("SELECT count(*) FROM message"), 0);
    assert!(matches!(engine.accept(some(3), Some(KEY)).await, Accepted::New(_)));
    let other = Idempotency { key: [8; 32], ..KEY };
    assert!(matches!(engine.accept(some(1), Some(other)).await, Accepted::Full));
    assert!(engine.outbox.replay(other, NOW).await.unwrap().is_none(), "the key is free for the next try");
    assert!(matches!(engine.accept(some(1), Some(KEY)).await, Accepted::Replay(..)), "a replay is free");
    let at_once = || Entry { claimed: true, ..engine.entry(ONE, None) };
    assert!(matches!(engine.accept(vec![at_once()], None).await, Accepted::Full), "it may come back");
    let claimed = engine.claim(1).await.remove(0);
    engine.send(ONE, None).await;
    engine.settle(claimed.id, unknown_retry()).await.unwrap();
    assert!(matches!(engine.accept(vec![at_once()], None).await, Accepted::Full), "a retry waits like any other");
    let engine = engine.reopened(options).await;
    assert!(matches!(engine.accept(vec![engine.entry(ONE, None)], None).await, Accepted::Full), "after a restart");
    engine.claim(1).await;
    assert!(matches!(engine.accept(vec![engine.entry(ONE, None)], None).await, Accepted::New(_)));
}

#[tokio::test]
async fn a_transaction_that_is_undone_counts_nothing() {
    let engine = Engine::new(Options { max_queued: 2, ..Options::default() });
    let twice = engine.entry(ONE, None);
    engine.accept(vec![twice.clone()], None).await;
    for _ in 0..5 {
        let entries = vec![twice.clone()];
        let acceptance = Acceptance { entries, refusals: Vec::new(), key: None, durable: false };
        assert_eq!(engine.outbox.accept(acceptance).await.unwrap_err().code, Code::OutboxUnavailable);
    }
    engine.queue(ONE, None).await;
    assert!(matches!(engine.accept(vec![engine.entry(ONE, None)], None).await, Accepted::Full));
}

#[tokio::test]
async fn what_is_settled_is_forgotten_after_its_days_and_what_waits_is_not() {
    let engine = Engine::new(Options { keep: 2 * DAY, ..Options::default() });
    let waiting = engine.queue(ONE, None).await;
    for _ in 0..300 {
        engine.send(ONE, Some("order 7")).await;
    }
    engine.forget_all(NOW.plus(2 * DAY)).await;
    assert_eq!(engine.count("SELECT count(*) FROM message"), 301, "not before");
    let step = engine.outbox.forget(NOW.plus(3 * DAY), None).await.unwrap();
    assert!(step.is_some() && engine.count("SELECT count(*) FROM message") > 1, "in steps");
    engine.forget_all(NOW.plus(3 * DAY)).await;
    assert_eq!(engine.pages(&Filter::default(), 9).await, [vec![waiting]]);
}

#[tokio::test]
async fn a_key_does_not_lapse_while_a_message_of_its_waits() {
    let engine = Engine::new(Options { idempotency_ttl: DAY, ..Options::default() });
    let entries =
        vec![Entry { claimed: true, ..engine.entry("+12065550100", None) }, engine.entry("+12065550101", None)];
    let (sent, waits) = (entries[0].id, entries[1].id);
    engine.accept(entries, Some(KEY)).await;
    engine.settle(sent, Outcome::Sent("sns".to_owned())).await;
    let later = NOW.plus(3 * DAY);
    assert!(engine.outbox.remembers_keys(later).await.unwrap());
    for _ in 0..2 {
        assert!(matches!(engine.outbox.replay(KEY, later).await.unwrap(), Some(Accepted::Replay(..))));
        let other = Idempotency { fingerprint: [2; 32], ..KEY };
        assert!(matches!(engine.outbox.replay(other, later).await.unwrap(), Some(Accepted::KeyReused)));
        engine.forget_all(later).await;
    }
    assert_eq!(engine.claim(1).await.first().unwrap().id, waits);
    engine.settle(waits, Outcome::Sent("sns".to_owned())).await;
    let later = NOW.plus(5 * DAY);
    assert!(engine.outbox.replay(KEY, later).await.unwrap().is_none());
    assert!(!engine.outbox.remembers_keys(later).await.unwrap());
    engine.forget_all(later).await;
    assert_eq!(engine.count("SELECT count(*) FROM idempotency"), 0);
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_time_with_what_was_refused_under_it() {
    let engine = Engine::new(Options { idempotency_ttl: Duration::from_secs(60), ..Options::default() });
    let refusal = Refusal { position: 0, problem: Problem::new(Code::InvalidBody, "`body` is missing.").of("body") };
    let entries = vec![engine.entry(ONE, None)];
    let acceptance = Acceptance { entries, refusals: vec![refusal.clone()], key: Some(KEY), durable: true };
    engine.outbox.accept(acceptance).await.unwrap();
    engine.forget_all(NOW.plus(Duration::from_secs(59))).await;
    let Some(Accepted::Replay(ids, refusals)) = engine.outbox.replay(KEY, NOW).await.unwrap() else {
        panic!("a replay")
    };
    assert_eq!((ids.len(), refusals), (1, vec![refusal]));
    engine.claim(1).await;
    engine.settle(ids[0], Outcome::Sent("sns".to_owned())).await;
    engine.forget_all(NOW.plus(Duration::from_secs(60))).await;
    assert_eq!(engine.count("SELECT (SELECT count(*) FROM idempotency) + (SELECT count(*) FROM refusal)"), 0);
    assert_eq!(engine.count("SELECT count(*) FROM message"), 1);
}

#[tokio::test]
async fn a_message_is_kept_beyond_its_days_as_long_as_its_key_is_remembered() {
    let engine = Engine::new(Options { keep: DAY, idempotency_ttl: 3 * DAY, ..Options::default() });
    let entries = (0..2).map(|_| Entry { claimed: true, ..engine.entry(ONE, None) }).collect::<Vec<_>>();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    engine.accept(entries, Some(KEY)).await;
    for id in &ids {
        engine.settle(*id, Outcome::Sent("sns".to_owned())).await;
    }
    engine.send(ONE, None).await;
    engine.forget_all(NOW.plus(2 * DAY)).await;
    let replayed = engine.outbox.replay(KEY, NOW.plus(2 * DAY)).await.unwrap();
    assert!(matches!(replayed, Some(Accepted::Replay(replayed, _)) if replayed == ids));
    assert_eq!(engine.pages(&Filter::default(), 9).await.concat(), [ids[1], ids[0]], "that without a key is gone");
    engine.forget_all(NOW.plus(3 * DAY)).await;
    assert_eq!(engine.count("SELECT (SELECT count(*) FROM idempotency) + (SELECT count(*) FROM message)"), 0);
}

struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test(start_paused = true)]
async fn the_house_is_kept_at_start_and_once_an_hour_and_not_in_between() {
    let engine = Engine::new(Options { keep: DAY, ..Options::default() });
    for _ in 0..600 {
        engine.send(ONE, None).await;
    }
    let clock = Arc::new(Turned(AtomicI64::new(NOW.plus(2 * DAY).as_millis())));
    let outbox: Arc<dyn Outbox> = Arc::<SqliteOutbox>::clone(&engine.outbox);
    let keeping = tokio::spawn(housekeeping::keep(outbox, clock));
    let messages = || engine.count("SELECT count(*) FROM message");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(messages(), 0);
    engine.send(ONE, None).await;
    tokio::time::sleep(Duration::from_secs(3500)).await;
    assert_eq!(messages(), 1);
    tokio::time::sleep(Duration::from_secs(200)).await;
    assert_eq!(messages(), 0);
    keeping.abort();
}
