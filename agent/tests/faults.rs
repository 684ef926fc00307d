//! The disk takes no more writes under load: in the middle of a transaction, of a page, of the log or of the file.
//!
//! A file that may not grow is an error of `write` that SQLite calls `SQLITE_IOERR_WRITE`, the same as of a failing disk.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod load;
mod process;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use load::{Random, Sender};
use process::{Agent, Start};

const SENDERS: u64 = 4;
const FAULTS: u64 = 5;
/// Requests that are made before a fault, and while it lasts.
const BETWEEN: u64 = 60;

/// Where the next commit is written in the log, whose file may be longer: its index has the number of the last frame
/// (SQLite's "WAL-mode File Format", the field `mxFrame`).
fn end_of_log(index: &Path) -> u64 {
    const HEADER: u64 = 32;
    const FRAME: u64 = 24 + 4096;
    let frames = std::fs::read(index).unwrap()[16..20].try_into().map(u32::from_ne_bytes).unwrap();
    HEADER + u64::from(frames) * FRAME
}

#[test]
fn write_errors_under_load_are_answered_for_what_they_are_and_heal_and_lose_nothing() {
    let seed = load::seed("SMS_FAULTS_SEED");
    println!("SMS_FAULTS_SEED={seed}");
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let start = |start: Start| {
        start
            .env("SMS_AGENT__WAIT", "300ms")
            .env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "150ms")
            .env("SMS_SIMULATOR__LATENCY", "3ms")
            .env("SMS_SIMULATOR__DELIVERY_DELAY", "20ms")
            .env("SMS_SIMULATOR__KEEP", "1000000")
            .serve()
    };
    let sender =
        |number| Sender::new(format!("s{number}"), seed + number).tolerating(&["outbox_unavailable", "internal"]);
    let mut senders: Vec<_> = (0..SENDERS).map(sender).collect();

    let agent = start(Start::surviving_full_files(folder.path()));
    let (over, requests) = (AtomicBool::new(false), AtomicU64::new(0));
    let log = std::thread::scope(|scope| {
        for sender in &mut senders {
            let (over, requests, address) = (&over, &requests, agent.address);
            scope.spawn(move || {
                sender.send_while(address, || {
                    requests.fetch_add(1, Ordering::Relaxed);
                    !over.load(Ordering::Relaxed)
                });
            });
        }
        let more = |agent: &Agent| {
            let begun = requests.load(Ordering::Relaxed);
            agent.until("requests are answered", |_| requests.load(Ordering::Relaxed) > begun + BETWEEN);
        };
        for _ in 0..FAULTS {
            more(&agent);
            // Somewhere in what is written next: the log, a page of it, or the file when the log is emptied.
            let end = end_of_log(&folder.path().join("data/outbox.db-shm"));
            agent.limit_files(&(end + random.below(30_000)).to_string());
            let fails = |agent: &Agent| {
                let answer = agent.get("/readyz");
                answer.status == 503 && answer.problem() == "outbox_unavailable"
            };
            agent.until("it is noticed", fails);
            // A log that is emptied meanwhile has room again below that place: from here on there is none anywhere.
            agent.limit_files("1");
            agent.until("it lasts", fails);
            more(&agent);
            assert_eq!(agent.get("/healthz").status, 200, "it is not dead");
            agent.limit_files("unlimited");
            agent.until("it takes writes again", |agent| agent.get("/readyz").status == 200);
        }
        more(&agent);
        // The last one does not pass: the agent is killed in it.
        agent.limit_files("1");
        more(&agent);
        over.store(true, Ordering::Relaxed);
        agent.cut_off()
    });
    assert!(log.contains("the disk of the outbox reports an error"), "{log}");
    assert!(log.contains("the outbox works again"), "{log}");
    assert!(!log.contains("panicked") && !log.contains("206555"), "{log}");
    assert!(senders.iter().any(|sender| !sender.refused.is_empty()), "the faults met nobody");

    let cut: HashMap<String, u32> =
        load::scene::in_flight(&folder.path().join("data/outbox.db")).into_iter().map(|id| (id, 1)).collect();
    let agent = start(Start::in_folder(folder.path()));
    let found = load::audit::compare(&agent, &mut senders, &cut);
    println!("{} promised, {} kept, {} cut off", found.promised, found.kept, found.cut);
}
