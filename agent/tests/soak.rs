//! Many messages through one process: what it holds of memory, descriptors and disk does not grow with them.
//!
//! `SMS_SOAK_MESSAGES` says how many. How latency does over an hour is measured by `agent/benches/run soak`.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod load;
mod process;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use load::{ASYNC, Connection, JSON};
use process::{Agent, Start};
use serde_json::json;

const SENDERS: usize = 4;
/// Messages that one turn of a sender makes: a batch, and some that wait for their outcome or do not.
const A_TURN: u64 = 100;
const SINGLE: u64 = 10;
/// How much more memory there may be at the end than after a quarter: a leak of 300 bytes a message is more.
const MEMORY_KIB: u64 = 4096;
/// A message in the history with its indexes, and what one costs at most here.
const A_MESSAGE: u64 = 600;
/// The log is emptied when it has 8 MiB; with the work of those that write meanwhile it has less than this.
const LOG: u64 = 32 << 20;
/// What the simulator's file may have, whose phones keep a thousand.
const PHONES: u64 = 8 << 20;

#[test]
fn many_messages_later_memory_and_descriptors_are_as_before_and_the_files_hold_the_history_alone() {
    let messages = load::setting("SMS_SOAK_MESSAGES", 20_000);
    let agent = Start::new().env("SMS_SIMULATOR__DELIVERY_DELAY", "10ms").env("SMS_SIMULATOR__KEEP", "1000").serve();
    soak(&agent, "warm-up", messages / 4);
    let (memory, descriptors) = (memory(&agent), descriptors(&agent));
    soak(&agent, "soak", messages - messages / 4);
    let later = self::memory(&agent);
    println!("{messages} messages: {memory} KiB after a quarter, {later} KiB in the end, {descriptors} descriptors");
    assert!(later <= memory + MEMORY_KIB, "memory grew from {memory} to {later} KiB");
    agent.until("no descriptor is left over", |agent| self::descriptors(agent) <= descriptors);
    let size = |name: &str| std::fs::metadata(agent.data_dir().join(name)).map_or(0, |file| file.len());
    assert!(size("outbox.db-wal") <= LOG, "the log has {} bytes", size("outbox.db-wal"));
    assert!(size("outbox.db") <= messages * A_MESSAGE + (1 << 20), "the outbox has {} bytes", size("outbox.db"));
    let phones = size("simulator.db") + size("simulator.db-wal");
    assert!(phones <= PHONES, "the phones have {phones} bytes");
}

/// Sends so many and waits until nothing is to be done for any of them.
fn soak(agent: &Agent, name: &str, messages: u64) {
    let turns = AtomicU64::new(messages / A_TURN);
    let take = || turns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                while let Ok(turn) = take() {
                    one_turn(agent.address, &format!("{name} {turn}"));
                }
            });
        }
    });
    for open in ["queued", "sending", "sent"] {
        agent.until(&format!("nothing is {open}"), |agent| {
            let page = agent.get(&format!("/v1/messages?limit=1&status={open}")).json();
            page["messages"].as_array().unwrap().is_empty()
        });
    }
}

/// On a connection of its own.
fn one_turn(address: SocketAddr, turn: &str) {
    let mut connection = Connection::open(address).unwrap();
    let sms =
        |number: u64| json!({ "to": format!("+1206555{number:04}"), "body": "Your code is 424242", "reference": turn });
    let batch: Vec<_> = (SINGLE..A_TURN).map(sms).collect();
    let body = json!({ "messages": batch }).to_string();
    let answer = connection.request("POST", "/v1/messages/batch", &[JSON], &body).unwrap();
    assert!(answer.json()["results"].as_array().unwrap().iter().all(|result| result["status"] == 202), "{answer:?}");
    for number in 0..SINGLE {
        let key = format!("{turn} {number}");
        let headers = [JSON, if number % 2 == 0 { ASYNC } else { ("Idempotency-Key", &key) }];
        let answer = connection.request("POST", "/v1/messages", &headers, &sms(number).to_string()).unwrap();
        assert!(matches!(answer.status, 200 | 202), "{answer:?}");
    }
    assert_eq!(connection.request("GET", "/v1/messages?to=%2B12065550001", &[], "").unwrap().status, 200);
}

/// KiB of the process's own, as the kernel counts them.
fn memory(agent: &Agent) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn descriptors(agent: &Agent) -> usize {
    std::fs::read_dir(Path::new("/proc").join(agent.pid().to_string()).join("fd")).unwrap().count()
}
