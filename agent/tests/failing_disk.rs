//! A disk that fails to sync or to read, and what is left of promises when the process is killed or the power goes.
//!
//! The disk is a model in C that is preloaded into the real program: see `data/failing_disk.c`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::path::{Path, PathBuf};
use std::process::Command;

use process::{Agent, Start};
use serde_json::Value;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// The model, and the folder in which the agent's data lies.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/failing_disk.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(folder.path().join("disk.so"))
            .arg(source)
            .arg("-ldl")
            .status();
        assert!(built.unwrap().success());
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join("disk").join(name)
    }

    fn agent(&self) -> Agent {
        let start = Start::in_folder(self.0.path()).env("LD_PRELOAD", self.0.path().join("disk.so"));
        start.env("FAILING_DISK", self.0.path().join("disk")).serve()
    }

    /// The agent on a disk that is sound.
    fn agent_after(&self) -> Agent {
        Start::in_folder(self.0.path()).serve()
    }

    /// Syncs fail: so many, or all until [`Disk::heal`].
    fn fail(&self, errno: i32, how: &str, times: u32) {
        // In one step, since the agent reads it at any moment.
        std::fs::write(self.file("sync.new"), format!("{errno} {how} {times}")).unwrap();
        std::fs::rename(self.file("sync.new"), self.file("sync")).unwrap();
    }

    fn heal(&self) {
        for name in ["sync", "read"] {
            drop(std::fs::remove_file(self.file(name)));
        }
    }

    /// The files become what the disk has of them, in another start of the machine.
    fn cut_power(&self) {
        let data = self.0.path().join("data");
        for name in ["outbox.db", "outbox.db-wal"] {
            std::fs::copy(self.file(name), data.join(name)).unwrap();
        }
        drop(std::fs::remove_file(data.join("outbox.db-shm")));
        let outbox = rusqlite::Connection::open(data.join("outbox.db")).unwrap();
        assert_eq!(outbox.execute("UPDATE boot SET id = 'another'", ()).unwrap(), 1);
    }
}

/// Sends and asks for no outcome: what is accepted is on the disk.
fn send(agent: &Agent, reference: &str) -> process::Answer {
    let body = format!(r#"{{"to":"+12065550100","body":"Hello","reference":"{reference}"}}"#);
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    agent.request("POST", "/v1/messages", &headers, &body)
}

fn promised(agent: &Agent, reference: &str) -> String {
    let answer = send(agent, reference);
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// The messages of the history with that reference.
fn known(agent: &Agent, reference: &str) -> usize {
    agent.get(&format!("/v1/messages?reference={reference}")).json()["messages"].as_array().unwrap().len()
}

fn is_ready(agent: &Agent) -> bool {
    agent.get("/readyz").status == 200
}

/// Sends until a sync has failed and then some, and says what was answered, by reference.
fn refused(agent: &Agent, name: &str) -> Vec<(String, String)> {
    let answer = |n: u32| {
        let reference = format!("{name}-{n}");
        let answer = send(agent, &reference);
        assert!(matches!(answer.status, 500 | 503), "{answer:?}");
        (reference, answer.problem())
    };
    (0..5).map(answer).collect()
}

#[test]
fn what_is_refused_while_syncs_fail_is_not_sent_after_a_kill() {
    for (errno, how) in [(EIO, "drop"), (ENOSPC, "keep")] {
        let disk = Disk::new();
        let agent = disk.agent();
        let first = promised(&agent, "first");
        agent.wait_for(&first, &["delivered"]);
        disk.fail(errno, how, 0);
        let refused = refused(&agent, "refused");
        assert_eq!(refused[0].1, "internal", "the disk did not take it back either: nothing is promised");
        assert!(refused[1..].iter().all(|(_, code)| code == "outbox_unavailable"), "{refused:?}");
        assert!(!is_ready(&agent));
        let log = agent.cut_off();
        assert!(!log.contains("works again") && !log.contains("damaged"), "{log}");

        let agent = disk.agent_after();
        agent.until("it is ready", is_ready);
        let last = promised(&agent, "last");
        agent.wait_for(&last, &["delivered"]);
        assert_eq!(known(&agent, "first"), 1);
        for (reference, _) in refused {
            assert_eq!(known(&agent, &reference), 0, "{reference} was refused");
        }
        assert_eq!(agent.phone().len(), 2);
    }
}

#[test]
fn what_is_refused_for_one_sync_that_failed_is_refused_for_good() {
    for how in ["drop", "keep"] {
        let disk = Disk::new();
        let agent = disk.agent();
        promised(&agent, "first");
        agent.until("nothing is written", |agent| agent.phone().len() == 1);
        disk.fail(EIO, how, 1);
        let answer = send(&agent, "again");
        // What else the agent writes may have met it.
        let (refusals, promises) = if answer.status == 202 {
            (0, 1)
        } else {
            assert_eq!(answer.problem(), "outbox_unavailable", "the disk has taken it back");
            promised(&agent, "again");
            (1, 1)
        };
        agent.cut_off();
        disk.cut_power();
        let agent = disk.agent_after();
        agent.until("it is ready", is_ready);
        assert_eq!(known(&agent, "again"), promises, "{how}, {refusals} refused");
    }
}

#[test]
fn what_is_promised_after_syncs_had_failed_survives_a_power_cut() {
    for how in ["drop", "keep"] {
        let disk = Disk::new();
        let agent = disk.agent();
        let mut promises = vec!["before".to_owned()];
        promised(&agent, "before");
        let mut refusals = Vec::new();
        for round in 0..3 {
            // Their outcomes are written without a sync of their own, and the failing one is to sync them all.
            for _ in 0..5 {
                assert_eq!(agent.send("+12065550101").status, 200);
            }
            disk.fail(EIO, how, 0);
            refusals.extend(refused(&agent, &format!("refused-{round}")));
            assert!(!is_ready(&agent));
            disk.heal();
            agent.until("it is ready, with nothing to do", is_ready);
            for n in 0..3 {
                let reference = format!("promised-{round}-{n}");
                promised(&agent, &reference);
                promises.push(reference);
            }
        }
        agent.cut_off();
        disk.cut_power();
        let agent = disk.agent_after();
        agent.until("it is ready", is_ready);
        for reference in promises {
            assert_eq!(known(&agent, &reference), 1, "{reference} was promised ({how})");
        }
        for (reference, _) in refusals {
            assert_eq!(known(&agent, &reference), 0, "{reference} was refused ({how})");
        }
        let history = agent.pages("/v1/messages");
        let duplicates = history.iter().filter(|message| message["attempts"].as_u64() > Some(1)).count();
        let marked = history.iter().filter(|message| message["possible_duplicate"] == Value::Bool(true)).count();
        assert!(duplicates <= marked, "an unmarked duplicate");
    }
}

#[test]
fn a_process_after_one_that_died_of_failing_syncs_promises_nothing_on_top_of_what_the_disk_lacks() {
    let disk = Disk::new();
    let agent = disk.agent();
    promised(&agent, "before");
    for _ in 0..5 {
        assert_eq!(agent.send("+12065550101").status, 200);
    }
    disk.fail(EIO, "drop", 0);
    refused(&agent, "refused");
    agent.cut_off();
    disk.heal();
    let agent = disk.agent();
    promised(&agent, "after");
    agent.cut_off();
    disk.cut_power();
    let agent = disk.agent_after();
    assert_eq!((known(&agent, "before"), known(&agent, "after")), (1, 1));
    assert_eq!(known(&agent, "refused-0"), 0);
}

#[test]
fn readiness_tells_of_syncs_that_fail_though_nothing_is_sent_and_of_their_end() {
    let disk = Disk::new();
    let agent = disk.agent();
    agent.until("it is ready", is_ready);
    disk.fail(EIO, "drop", 0);
    agent.until("it is not ready", |agent| {
        let answer = agent.get("/readyz");
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        answer.status == 503 && answer.problem() == "outbox_unavailable"
    });
    assert_eq!(agent.get("/healthz").status, 200);
    disk.heal();
    agent.until("it is ready again", is_ready);
    let id = promised(&agent, "after");
    agent.wait_for(&id, &["delivered"]);
}

#[test]
fn a_disk_that_fails_to_read_is_not_called_a_damaged_file_and_is_over_when_it_reads_again() {
    let disk = Disk::new();
    let agent = disk.agent();
    let id = promised(&agent, "before");
    agent.wait_for(&id, &["delivered"]);
    std::fs::write(disk.file("read"), EIO.to_string()).unwrap();
    let mut details = String::new();
    agent.until("it is not ready", |agent| {
        send(agent, "meanwhile");
        agent.get("/v1/messages");
        let answer = agent.get("/readyz");
        details.push_str(&answer.body);
        answer.status == 503
    });
    assert!(!details.contains(".recover") && !details.contains("empty outbox"), "{details}");
    disk.heal();
    agent.until("it is ready again", is_ready);
    let id = promised(&agent, "after");
    agent.wait_for(&id, &["delivered"]);
    assert_eq!((known(&agent, "before"), known(&agent, "after")), (1, 1));
    agent.terminate();
    let (status, log, _) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains(".recover"), "{log}");
}

#[test]
fn a_start_on_a_disk_that_fails_to_read_says_so_and_advises_nothing_that_loses_messages() {
    let disk = Disk::new();
    let agent = disk.agent();
    promised(&agent, "before");
    agent.cut_off();
    std::fs::write(disk.file("read"), EIO.to_string()).unwrap();
    let start = Start::in_folder(disk.0.path()).env("LD_PRELOAD", disk.0.path().join("disk.so"));
    let ended = start.env("FAILING_DISK", disk.0.path().join("disk")).output();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("outbox.db") && !said.contains("empty outbox") && !said.contains(".recover"), "{said}");
    disk.heal();
    assert_eq!(known(&disk.agent(), "before"), 1);
}
