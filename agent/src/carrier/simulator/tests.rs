//! The simulator as the dispatcher, the receipts and the API use it, on real files and paused time.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Simulator, uuid};
use crate::carrier::{Attempt, Carrier, Delivery, PublishError, Signal, Verdict};
use crate::clock::Clock;
use crate::message::{Code, IdSource, MessageId, PhoneNumber, Sender, SenderId, Sms, SmsType, Text, Timestamp};

const TIMEOUT: Duration = Duration::from_secs(5);
const DELAY: Duration = Duration::from_secs(1);
const SETTINGS: sms_config::Simulator =
    sms_config::Simulator { latency: Duration::ZERO, delivery_delay: DELAY, keep: 100 };

/// Tells tokio's time as the time of day.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_464_000_000).plus(self.0.elapsed())
    }
}

/// A folder of the test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sms-simulator-{}", uuid().unwrap()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

struct Bench {
    folder: Folder,
    clock: Arc<TokioClock>,
    ids: IdSource,
}

impl Bench {
    fn new() -> Self {
        Self { folder: Folder::new(), clock: Arc::new(TokioClock(Instant::now())), ids: IdSource::new() }
    }

    fn open(&self, settings: sms_config::Simulator) -> Simulator {
        let clock: Arc<dyn Clock> = Arc::<TokioClock>::clone(&self.clock);
        Simulator::open(settings, &self.folder.0, clock).unwrap()
    }

    fn id(&self) -> MessageId {
        self.ids.next(self.clock.now())
    }
}

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn sms(to: &str) -> Sms {
    Sms {
        to: number(to),
        text: Text::parse("Your code is 123456".to_owned()).unwrap(),
        kind: SmsType::Promotional,
        sender: Sender::Id(SenderId::parse("ACME").unwrap()),
        max_price_usd: None,
        entity_id: None,
        template_id: None,
    }
}

async fn publish(simulator: &Simulator, id: MessageId, to: &str, attempt: u32) -> Result<String, PublishError> {
    simulator.publish(Attempt { id, number: attempt, sms: &sms(to), timeout: TIMEOUT, deadline: None }).await
}

fn on_phone(simulator: &Simulator) -> Vec<String> {
    simulator.phone().page(None, 100, None).unwrap().messages.into_iter().map(|message| message.to).collect()
}

#[tokio::test(start_paused = true)]
async fn every_number_of_the_table_answers_as_the_table_says() {
    use Verdict::{NotSent, Rejected, Unknown};
    let bench = Bench::new();
    let simulator = bench.open(SETTINGS);
    let refused = [
        ("+15005550001", 1, Rejected, Code::CarrierRejected),
        ("+15005550001", 9, Rejected, Code::CarrierRejected),
        ("+15005550002", 1, Rejected, Code::OptedOut),
        ("+15005550003", 1, NotSent, Code::CarrierThrottled),
        ("+15005550003", 2, NotSent, Code::CarrierThrottled),
        ("+15005550004", 1, NotSent, Code::CarrierThrottled),
        ("+15005550004", 99, NotSent, Code::CarrierThrottled),
        ("+15005550005", 1, Rejected, Code::CarrierUnauthorized),
        ("+15005550006", 1, NotSent, Code::CarrierUnavailable),
        ("+15005550008", 1, Unknown, Code::OutcomeUnknown),
        ("+15005550008", 3, Unknown, Code::OutcomeUnknown),
    ];
    for (to, attempt, verdict, code) in refused {
        let failed = publish(&simulator, bench.id(), to, attempt).await.unwrap_err();
        assert_eq!((failed.verdict, failed.signal, failed.problem.code), (verdict, Signal::None, code), "{to}");
    }
    assert_eq!(on_phone(&simulator), [""; 0]);
    for (to, attempt) in [("+15005550003", 3), ("+15005550006", 2), ("+15005550007", 1), ("+12065550100", 1)] {
        assert!(publish(&simulator, bench.id(), to, attempt).await.is_ok(), "{to}");
    }
    assert_eq!(on_phone(&simulator), ["+12065550100", "+15005550006", "+15005550003"]);
}

#[tokio::test(start_paused = true)]
async fn only_the_opted_out_number_is_objected_to() {
    let simulator = Bench::new().open(SETTINGS);
    let (out, other) = (number("+15005550002"), number("+15005550001"));
    assert_eq!(simulator.objection(&out).unwrap().code, Code::OptedOut);
    assert_eq!((simulator.opted_out(&out).await, simulator.opted_out(&other).await), (Ok(true), Ok(false)));
    assert_eq!((simulator.objection(&other), simulator.ready().await), (None, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn latency_is_waited_for_and_silence_lasts_as_long_as_the_attempt_may() {
    let bench = Bench::new();
    let latency = Duration::from_millis(70);
    let simulator = bench.open(sms_config::Simulator { latency, ..SETTINGS });
    let start = Instant::now();
    publish(&simulator, bench.id(), "+12065550100", 1).await.unwrap();
    assert_eq!(start.elapsed(), latency);
    publish(&simulator, bench.id(), "+15005550008", 1).await.unwrap_err();
    assert_eq!(start.elapsed(), latency + TIMEOUT);

    let slow = bench.open(sms_config::Simulator { latency: TIMEOUT, ..SETTINGS });
    let failed = publish(&slow, bench.id(), "+12065550100", 1).await.unwrap_err();
    assert_eq!((failed.verdict, on_phone(&slow).len()), (Verdict::Unknown, 1));
}

#[tokio::test(start_paused = true)]
async fn the_phone_shows_all_of_a_message_and_one_that_was_sent_twice_twice() {
    let bench = Bench::new();
    let simulator = bench.open(SETTINGS);
    let id = bench.id();
    let first = publish(&simulator, id, "+12065550100", 1).await.unwrap();
    let second = publish(&simulator, id, "+12065550100", 2).await.unwrap();
    publish(&simulator, bench.id(), "+12065550101", 1).await.unwrap();
    let page = simulator.phone().page(Some(&number("+12065550100")), 10, None).unwrap();
    let names: Vec<_> = page.messages.iter().map(|message| (message.id, &message.message_id)).collect();
    assert_eq!(names, [(id, &second), (id, &first)]);
    assert!(first != second && first.len() == 36 && first.chars().nth(14) == Some('4'), "{first} {second}");
    let message = &page.messages[0];
    assert_eq!((message.to.as_str(), message.body.as_str()), ("+12065550100", "Your code is 123456"));
    assert_eq!((message.sender_id.as_deref(), message.kind, message.segments), (Some("ACME"), SmsType::Promotional, 1));
    assert_eq!(message.received_at, bench.clock.wall());
    assert!(!format!("{page:?}").contains("123456") && !format!("{page:?}").contains("2065550100"), "{page:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cursor_stays_where_it_is_while_messages_come_in_and_a_made_up_one_is_an_error() {
    let bench = Bench::new();
    let simulator = bench.open(SETTINGS);
    for to in ["+12065550101", "+12065550102", "+12065550103"] {
        publish(&simulator, bench.id(), to, 1).await.unwrap();
    }
    let phone = simulator.phone();
    let newest = phone.page(None, 2, None).unwrap();
    publish(&simulator, bench.id(), "+12065550104", 1).await.unwrap();
    let rest = phone.page(None, 2, newest.next_cursor.as_deref()).unwrap();
    assert_eq!(rest.messages.iter().map(|message| message.to.as_str()).collect::<Vec<_>>(), ["+12065550101"]);
    assert_eq!(rest.next_cursor, None);
    for bad in ["", "1", "000000000000000G", "+00000000000000f", "ffffffffffffffff", "0000000000000001\n"] {
        let problem = phone.page(None, 2, Some(bad)).unwrap_err();
        assert_eq!((problem.code, problem.parameter.as_deref()), (Code::InvalidParameter, Some("cursor")), "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_phones_keep_the_newest_and_the_file_does_not_grow_beyond_them_for_long() {
    let bench = Bench::new();
    let simulator = bench.open(sms_config::Simulator { keep: 10, ..SETTINGS });
    for n in 0..500 {
        publish(&simulator, bench.id(), &format!("+1206555{n:04}"), 1).await.unwrap();
    }
    let shown = on_phone(&simulator);
    assert_eq!((shown.len(), shown[0].as_str(), shown[9].as_str()), (10, "+12065550499", "+12065550490"));
    let file = rusqlite::Connection::open(bench.folder.0.join("simulator.db")).unwrap();
    let held: i64 = file.query_row("SELECT count(*) FROM received", [], |row| row.get(0)).unwrap();
    assert!(held <= 10 + 64, "{held}");
}

#[tokio::test(start_paused = true)]
async fn the_phones_survive_a_restart_and_only_their_owner_may_read_them() {
    let bench = Bench::new();
    publish(&bench.open(SETTINGS), bench.id(), "+12065550100", 1).await.unwrap();
    let path = bench.folder.0.join("simulator.db");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let again = bench.open(SETTINGS);
    publish(&again, bench.id(), "+12065550101", 1).await.unwrap();
    assert_eq!(on_phone(&again), ["+12065550101", "+12065550100"]);
    let beside = std::fs::metadata(path.with_extension("db-wal")).unwrap().permissions().mode() & 0o777;
    assert_eq!(beside, 0o600);
}

#[test]
fn a_file_that_is_no_database_or_of_a_newer_release_is_refused_with_a_remedy() {
    let bench = Folder::new();
    let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock::first(Arc::new(crate::clock::ThisMachine)));
    let path = bench.0.join("simulator.db");
    std::fs::write(&path, "no database, but long enough to be taken for the header of one, as SQLite reads it")
        .unwrap();
    let error = Simulator::open(SETTINGS, &bench.0, Arc::clone(&clock)).unwrap_err().to_string();
    assert!(error.contains("simulator.db") && error.contains("may be deleted"), "{error}");
    std::fs::remove_file(&path).unwrap();
    drop(Simulator::open(SETTINGS, &bench.0, Arc::clone(&clock)).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Simulator::open(SETTINGS, &bench.0, clock).unwrap_err().to_string();
    assert!(error.contains("newer release"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_report_is_given_once_when_its_time_has_come() {
    let bench = Bench::new();
    let simulator = bench.open(SETTINGS);
    let start = Instant::now();
    let (arrived, lost) = (bench.id(), bench.id());
    publish(&simulator, arrived, "+12065550100", 1).await.unwrap();
    publish(&simulator, lost, "+15005550007", 1).await.unwrap();
    let reports = simulator.due_reports(10).await;
    assert_eq!(start.elapsed(), DELAY);
    assert_eq!((reports[0].id, &reports[0].delivery), (arrived, &Delivery::Delivered));
    assert_eq!((reports.len(), reports[1].id), (2, lost));
    let Delivery::Undeliverable(problem) = &reports[1].delivery else { panic!("{reports:?}") };
    assert_eq!(problem.code, Code::Undeliverable);
    let more = tokio::time::timeout(Duration::from_secs(3600), simulator.due_reports(10)).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_reports_is_woken_by_a_new_one() {
    let bench = Bench::new();
    let simulator = Arc::new(bench.open(sms_config::Simulator { delivery_delay: Duration::ZERO, ..SETTINGS }));
    let waiting = tokio::spawn({
        let simulator = Arc::clone(&simulator);
        async move { simulator.due_reports(1).await }
    });
    tokio::task::yield_now().await;
    let id = bench.id();
    publish(&simulator, id, "+12065550100", 1).await.unwrap();
    let start = Instant::now();
    assert_eq!(waiting.await.unwrap()[0].id, id);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_was_given_back_comes_again_and_an_acknowledged_one_never() {
    let bench = Bench::new();
    let simulator = bench.open(SETTINGS);
    let (kept, done) = (bench.id(), bench.id());
    for id in [kept, done] {
        publish(&simulator, id, "+12065550100", 1).await.unwrap();
    }
    assert_eq!(simulator.due_reports(10).await.len(), 2);
    simulator.acknowledge(&[done]);
    simulator.retry_later(&[kept, done]);
    let start = Instant::now();
    let again = simulator.due_reports(10).await;
    assert_eq!((again.len(), again[0].id), (1, kept));
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn reports_survive_a_restart_until_they_are_acknowledged() {
    let bench = Bench::new();
    let (given, done, later) = (bench.id(), bench.id(), bench.id());
    {
        let simulator = bench.open(SETTINGS);
        for id in [given, done] {
            publish(&simulator, id, "+12065550100", 1).await.unwrap();
        }
        simulator.due_reports(10).await;
        simulator.acknowledge(&[done]);
        publish(&simulator, later, "+12065550100", 1).await.unwrap();
    }
    let simulator = bench.open(SETTINGS);
    let first = simulator.due_reports(10).await;
    let second = simulator.due_reports(10).await;
    assert_eq!((first.len(), first[0].id, second.len(), second[0].id), (1, given, 1, later));
}
