//! The data folder: what is damaged, foreign, exposed or gone in it is told, and nothing is promised on it.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use process::{Agent, Start};

/// A stopped agent's folder, in which one message was sent with an idempotency key.
fn used() -> tempfile::TempDir {
    let agent = Start::new().serve();
    assert_eq!(keyed(&agent).status, 200);
    agent.kill()
}

fn keyed(agent: &Agent) -> process::Answer {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "order 7")];
    agent.request("POST", "/v1/messages", &headers, r#"{"to":"+12065550100","body":"Hi"}"#)
}

fn send_async(agent: &Agent) -> process::Answer {
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    agent.request("POST", "/v1/messages", &headers, r#"{"to":"+12065550100","body":"Hi"}"#)
}

fn refusal(start: Start) -> String {
    let output = start.output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    log
}

/// The same, by `sms-agent check` too, in the same words, and without any change.
fn refusal_of(folder: &Path) -> String {
    let before = files(&folder.join("data"));
    let checked = refusal(Start::in_folder(folder).arg("check"));
    assert_eq!(files(&folder.join("data")), before, "check changes nothing");
    let log = refusal(Start::in_folder(folder));
    let error = |log: &str| log.lines().find(|line| line.starts_with("sms-agent: ")).map(str::to_owned);
    assert_eq!(error(&checked), error(&log), "check says what the start says");
    log
}

/// What there is in a folder, with its length, mode and time of change.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let told = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let (length, mode) = (metadata.len(), metadata.permissions().mode());
        format!("{:?} {length} {mode:o} {:?}", entry.file_name(), metadata.modified().unwrap())
    };
    let mut told: Vec<_> = entries.map(told).collect();
    told.sort();
    told
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn mode(path: &Path, bits: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
}

/// What happened to the folder, and what the error has to say.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

const DAMAGES: &[Damage] = &[
    ("outbox.db is a pipe", |data| swap(data, "outbox.db", fifo), &["outbox.db", "named pipe"]),
    ("outbox.db is a folder", |data| swap(data, "outbox.db", |path| fs::create_dir(path).unwrap()), &["a directory"]),
    ("outbox.db is a link", |data| swap(data, "outbox.db", link_to_file), &["symbolic link"]),
    ("outbox.db-wal is a pipe", |data| swap(data, "outbox.db-wal", fifo), &["outbox.db-wal", "named pipe"]),
    ("simulator.db is a pipe", |data| swap(data, "simulator.db", fifo), &["simulator.db", "named pipe"]),
    (
        "simulator.db is no database",
        |data| {
            fs::remove_file(data.join("simulator.db-wal")).unwrap();
            swap(data, "simulator.db", |path| fs::write(path, "no database".repeat(1000)).unwrap());
        },
        &["simulator.db", "is not a database", "may be deleted"],
    ),
    ("lock is a link", |data| swap(data, "lock", link_to_file), &["lock", "symbolic link"]),
    ("every user may write to the folder", |data| mode(data, 0o777), &["every user may write", "chmod o-w"]),
    ("the folder is a file", |data| swap_folder(data), &["agent.data_dir", "is a file and must be a folder"]),
    (
        "the key is another one",
        |data| fs::write(data.join("fingerprint-key"), "0a".repeat(32)).unwrap(),
        &["former key", "backup", ".replaced"],
    ),
    (
        "the key is zeroed",
        |data| fs::write(data.join("fingerprint-key"), [0; 65]).unwrap(),
        &["fingerprint-key", "hexadecimal"],
    ),
    (
        "the key is of zeros",
        |data| fs::write(data.join("fingerprint-key"), "0".repeat(64)).unwrap(),
        &["fingerprint-key", "random"],
    ),
    (
        "the key is short",
        |data| fs::write(data.join("fingerprint-key"), "0a1b").unwrap(),
        &["fingerprint-key", "cut short"],
    ),
    ("the key is gone", |data| fs::remove_file(data.join("fingerprint-key")).unwrap(), &["fingerprint-key is missing"]),
];

fn swap(data: &Path, name: &str, make: impl FnOnce(&Path)) {
    let path = data.join(name);
    drop(fs::remove_file(&path));
    // Without its log an outbox that is another kind of file is what is looked at.
    make(&path);
}

fn link_to_file(path: &Path) {
    let target = path.parent().unwrap().parent().unwrap().join("theirs");
    fs::write(&target, "theirs").unwrap();
    mode(&target, 0o644);
    symlink(&target, path).unwrap();
}

fn swap_folder(data: &Path) {
    fs::rename(data, data.with_extension("away")).unwrap();
    fs::write(data, "").unwrap();
}

#[test]
fn every_damaged_start_ends_at_once_and_says_what_to_do() {
    for (what, damage, words) in DAMAGES {
        let folder = used();
        let data = folder.path().join("data");
        damage(&data);
        let log = refusal_of(folder.path());
        for word in *words {
            assert!(log.contains(word), "{what}: {word} is not in {log}");
        }
        assert!(!log.contains("os error 17"), "{what}: {log}");
        let theirs = folder.path().join("theirs");
        if theirs.exists() {
            assert_eq!(fs::metadata(&theirs).unwrap().permissions().mode() & 0o777, 0o644, "{what}");
        }
    }
}

#[test]
fn a_file_of_another_user_is_refused() {
    const FILES: [&str; 5] = ["lock", "outbox.db", "outbox.db-wal", "simulator.db", "fingerprint-key"];
    for name in FILES {
        let folder = used();
        if std::os::unix::fs::chown(folder.path().join("data").join(name), Some(4711), None).is_err() {
            // Only root can give files away.
            assert!(std::env::var_os("CI").is_none(), "this has to run as root");
            return;
        }
        let log = refusal(Start::in_folder(folder.path()));
        assert!(
            log.contains(name) && log.contains("belongs to another user") && log.contains("chown 0"),
            "{name}: {log}"
        );
    }
}

#[test]
fn a_key_that_every_user_may_read_is_closed_and_the_log_says_so() {
    let folder = used();
    let key = folder.path().join("data/fingerprint-key");
    for (open, closed) in [(0o666, 0o660), (0o604, 0o600)] {
        mode(&key, open);
        let agent = Start::in_folder(folder.path()).serve();
        assert_eq!(keyed(&agent).header("idempotency-replayed"), Some("true"));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, closed);
        let log = agent.whole_log();
        assert!(log.contains("every user had access to this file"), "{log}");
    }
}

fn check(folder: &Path) -> (Option<i32>, String) {
    let output = Start::in_folder(folder).arg("check").output();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn check_passes_what_a_start_takes_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check(folder.path()).0, Some(0), "nothing is there yet");
    assert!(!folder.path().join("data").exists());
    let folder = used();
    let data = folder.path().join("data");
    let before = files(&data);
    assert_eq!(check(folder.path()).0, Some(0), "after a kill");
    assert_eq!(files(&data), before);
    let agent = Start::in_folder(folder.path()).serve();
    let (status, log) = check(folder.path());
    assert!(status == Some(0) && log.contains("an agent runs on this data folder"), "{log}");
    assert_eq!(keyed(&agent).header("idempotency-replayed"), Some("true"), "the agent goes on");
    agent.terminate();
    let (status, _, ended) = agent.wait();
    assert_eq!(status.code(), Some(0));
    drop(ended);
    let before = files(&data);
    assert_eq!(check(folder.path()).0, Some(0), "after an orderly stop");
    assert_eq!(files(&data), before);
}

#[test]
fn an_outbox_of_a_newer_version_is_refused() {
    let folder = used();
    let connection = rusqlite::Connection::open(folder.path().join("data/outbox.db")).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    drop(connection);
    assert!(refusal_of(folder.path()).contains("a newer sms-agent wrote it"));
}

#[test]
fn an_address_that_is_taken_is_refused_by_check_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for check in [false, true] {
        let start = Start::new().env("SMS_AGENT__LISTEN", &address);
        let log = refusal(if check { start.arg("check") } else { start });
        assert!(log.contains("cannot listen on") && log.contains("agent.listen"), "{check}: {log}");
    }
}

#[test]
fn a_folder_that_a_group_may_write_to_is_taken() {
    let folder = used();
    mode(&folder.path().join("data"), 0o2775);
    assert_eq!(Start::in_folder(folder.path()).serve().get("/readyz").status, 200);
}

#[test]
fn another_key_counts_once_the_operator_says_so() {
    let folder = used();
    let data = folder.path().join("data");
    fs::write(data.join("fingerprint-key"), "0a1b".repeat(16)).unwrap();
    assert!(refusal_of(folder.path()).contains("fingerprint-key.replaced"));
    fs::write(data.join("fingerprint-key.replaced"), "").unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(keyed(&agent).header("idempotency-replayed"), None);
    drop(agent);
    assert!(!data.join("fingerprint-key.replaced").exists());
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(keyed(&agent).header("idempotency-replayed"), Some("true"));
}

#[test]
fn removing_the_lock_file_lets_no_second_agent_in() {
    let agent = Start::new().serve();
    fs::remove_file(agent.data_dir().join("lock")).unwrap();
    let log = refusal(Start::in_folder(agent.data_dir().parent().unwrap()));
    assert!(log.contains("another sms-agent"), "{log}");
    assert_eq!(agent.send("+12065550100").status, 200, "the first one goes on");
}

#[test]
fn an_outbox_that_is_removed_or_replaced_promises_nothing_until_it_is_back() {
    for name in ["outbox.db", "outbox.db-wal"] {
        for is_replaced in [false, true] {
            let agent = Start::new().serve();
            assert_eq!(send_async(&agent).status, 202);
            let (path, away) = (agent.data_dir().join(name), agent.data_dir().join("away"));
            fs::rename(&path, &away).unwrap();
            if is_replaced {
                fs::copy(&away, &path).unwrap();
            }
            let ready = agent.get("/readyz");
            assert_eq!((ready.status, ready.problem().as_str()), (503, "outbox_unavailable"), "{name}");
            let refused = send_async(&agent);
            assert_eq!((refused.status, refused.problem().as_str()), (503, "outbox_unavailable"), "{name}");
            assert!(refused.json()["detail"].as_str().unwrap().contains("Move the same files back"), "{refused:?}");
            fs::rename(&away, &path).unwrap();
            agent.until("it is ready again", |agent| agent.get("/readyz").status == 200);
            assert_eq!(send_async(&agent).status, 202, "{name}");
        }
    }
}

#[test]
fn an_outbox_whose_folder_is_removed_under_load_stops_accepting_within_seconds() {
    let agent = Start::new().serve();
    fs::remove_dir_all(agent.data_dir()).unwrap();
    agent.until("sends are refused", |agent| send_async(agent).status == 503);
    assert_eq!(agent.get("/healthz").status, 200);
}

fn back_up(folder: &Path, to: &Path) -> std::process::Output {
    Start::in_folder(folder).arg("backup").arg(to.to_str().unwrap()).output()
}

#[test]
fn a_backup_under_load_is_whole_and_private_and_what_waits_in_it_is_marked_when_it_is_restored() {
    let agent = Start::new().env("SMS_DISPATCH__SEGMENTS_PER_SECOND", "1").serve();
    let folder = agent.data_dir().parent().unwrap().to_owned();
    let copy = folder.join("copy.db");
    let before: Vec<String> = (0..5).map(|_| send_async(&agent).json()["id"].as_str().unwrap().to_owned()).collect();
    let output = std::thread::scope(|scope| {
        let load = scope.spawn(|| (0..50).all(|_| send_async(&agent).status == 202));
        let output = back_up(&folder, &copy);
        assert!(load.join().unwrap(), "a backup is in nobody's way");
        output
    });
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("messages") && told.contains("fingerprint-key"), "{told}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let again = back_up(&folder, &copy);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing else is left");

    let folder = agent.kill();
    let data = folder.path().join("data");
    for name in ["outbox.db", "outbox.db-wal", "outbox.db-shm"] {
        drop(fs::remove_file(data.join(name)));
    }
    fs::rename(&copy, data.join("outbox.db")).unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    for id in &before[1..] {
        let message = agent.wait_for(id, &["sent", "delivered"]);
        assert_eq!(message["possible_duplicate"], true, "{message}");
    }
    let log = agent.whole_log();
    assert!(log.contains("restored from a backup"), "{log}");
}

#[test]
fn what_waits_in_a_restored_backup_is_unknown_where_the_settings_hold_it() {
    let agent = Start::new().env("SMS_AGENT__WAIT", "100ms").serve();
    let id = agent.send("+15005550004").json()["id"].as_str().unwrap().to_owned();
    let folder = agent.kill();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy.db"));
    assert!(back_up(folder.path(), &copy).status.success(), "of an agent that was killed too");
    for name in ["outbox.db", "outbox.db-wal", "outbox.db-shm"] {
        drop(fs::remove_file(data.join(name)));
    }
    fs::rename(&copy, data.join("outbox.db")).unwrap();
    let agent = Start::in_folder(folder.path()).env("SMS_DISPATCH__ON_UNKNOWN", "hold").serve();
    assert_eq!(agent.wait_for(&id, &["unknown"])["status"], "unknown");
}

#[test]
fn a_lost_log_and_a_copy_of_the_file_alone_are_refused_until_the_operator_says_so() {
    let agent = Start::new().env("SMS_AGENT__WAIT", "100ms").serve();
    let id = agent.send("+15005550004").json()["id"].as_str().unwrap().to_owned();
    let folder = agent.kill();
    let data = folder.path().join("data");
    fs::rename(data.join("outbox.db-wal"), data.join("away-outbox.db-wal")).unwrap();
    let alone = tempfile::tempdir().unwrap();
    fs::create_dir(alone.path().join("data")).unwrap();
    fs::copy(data.join("outbox.db"), alone.path().join("data/outbox.db")).unwrap();
    for folder in [folder.path(), alone.path()] {
        let log = refusal(Start::in_folder(folder));
        assert!(
            log.contains("lost its -wal file") && log.contains("sms-agent backup") && log.contains(".lost"),
            "{log}"
        );
    }
    // With the log all is there again.
    fs::rename(data.join("away-outbox.db-wal"), data.join("outbox.db-wal")).unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(agent.get(&format!("/v1/messages/{id}")).json()["possible_duplicate"], false);
    drop(agent);

    fs::remove_file(data.join("outbox.db-wal")).unwrap();
    assert!(refusal(Start::in_folder(folder.path())).contains("lost its -wal file"));
    fs::write(data.join("outbox.db-wal.lost"), "").unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    assert!(!data.join("outbox.db-wal.lost").exists());
    agent.until("it is marked", |agent| agent.get(&format!("/v1/messages/{id}")).json()["possible_duplicate"] == true);
}

#[test]
fn after_an_orderly_stop_the_file_alone_is_whole_and_an_older_one_put_back_is_marked() {
    let stopped = |agent: Agent| {
        agent.terminate();
        let (status, log, folder) = agent.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        folder
    };
    let agent = Start::new().env("SMS_AGENT__WAIT", "100ms").serve();
    let id = agent.send("+15005550004").json()["id"].as_str().unwrap().to_owned();
    let folder = stopped(agent).unwrap();
    let data = folder.path().join("data");
    fs::copy(data.join("outbox.db"), folder.path().join("older.db")).unwrap();
    for name in ["outbox.db-wal", "outbox.db-shm"] {
        drop(fs::remove_file(data.join(name)));
    }
    let path = format!("/v1/messages/{id}");
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(agent.get(&path).json()["possible_duplicate"], false, "it is the same file");
    stopped(agent);

    for name in ["outbox.db-wal", "outbox.db-shm"] {
        drop(fs::remove_file(data.join(name)));
    }
    fs::copy(folder.path().join("older.db"), data.join("outbox.db")).unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    agent.until("it is marked", |agent| agent.get(&path).json()["possible_duplicate"] == true);
    let log = agent.whole_log();
    assert!(log.contains("restored from a backup or a copy"), "{log}");
}

#[test]
fn a_stop_that_is_cut_short_by_a_second_signal_loses_no_log() {
    let agent = Start::new().env("SMS_SIMULATOR__LATENCY", "10m").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "5m").serve();
    let id = send_async(&agent).json()["id"].as_str().unwrap().to_owned();
    agent.wait_for(&id, &["sending"]);
    agent.terminate();
    agent.until("it stops", |agent| agent.get("/readyz").status == 503);
    agent.signal("INT");
    let (status, _, folder) = agent.wait();
    assert_eq!(status.code(), Some(1));
    let folder = folder.unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(agent.wait_for(&id, &["sent", "delivered"])["possible_duplicate"], true);
}

#[test]
fn an_outbox_that_another_program_has_read_after_a_kill_is_taken() {
    let folder = used();
    let data = folder.path().join("data");
    let reader = rusqlite::Connection::open(data.join("outbox.db")).unwrap();
    reader.query_row("SELECT count(*) FROM message", (), |_| Ok(())).unwrap();
    drop(reader);
    assert!(!data.join("outbox.db-wal").exists(), "it moved the log into the file");
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(keyed(&agent).header("idempotency-replayed"), Some("true"));
}

/// What happened to a log after a kill.
type Loss = (&'static str, fn(&Path));

const LOSSES: &[Loss] = &[
    ("it is empty", |log| fs::write(log, "").unwrap()),
    ("the end of its last commit is missing", |log| cut(log, committed(log) - 1)),
    ("its header is missing", |log| overwrite(log, 0)),
    ("something in it is overwritten", |log| overwrite(log, 32 + 24 + 4096 + 100)),
    ("it and its index are missing", |log| {
        fs::remove_file(log).unwrap();
        fs::remove_file(log.with_extension("db-shm")).unwrap();
    }),
];

/// The length of what was committed to a log. The kill may have left a part of another commit behind it.
fn committed(log: &Path) -> u64 {
    let index = fs::read(log.with_extension("db-shm")).unwrap();
    let frames = u32::from_ne_bytes(*index[16..].first_chunk().unwrap());
    32 + u64::from(frames) * (24 + 4096)
}

fn cut(path: &Path, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn overwrite(path: &Path, place: u64) {
    use std::os::unix::fs::FileExt;
    fs::File::options().write(true).open(path).unwrap().write_all_at(&[0xff; 32], place).unwrap();
}

#[test]
fn a_log_that_lost_anything_after_a_kill_is_refused_until_the_operator_says_so() {
    for (what, lose) in LOSSES {
        let agent = Start::new().env("SMS_AGENT__WAIT", "100ms").serve();
        let path = format!("/v1/messages/{}", agent.send("+15005550004").json()["id"].as_str().unwrap());
        assert_eq!(send_async(&agent).status, 202);
        let folder = agent.kill();
        let data = folder.path().join("data");
        lose(&data.join("outbox.db-wal"));
        let log = refusal_of(folder.path());
        assert!(log.contains("lost its -wal file or a part of it"), "{what}: {log}");
        assert!(refusal(Start::in_folder(folder.path())).contains("-wal"), "{what}: the refusal changes nothing");
        fs::write(data.join("outbox.db-wal.lost"), "").unwrap();
        let agent = Start::in_folder(folder.path()).serve();
        assert!([200, 404].contains(&agent.get(&path).status), "{what}: it goes on with what there is");
    }
}

#[test]
fn a_log_that_was_emptied_before_a_kill_has_lost_nothing() {
    let agent = Start::new().serve();
    assert_eq!(keyed(&agent).status, 200);
    let path = agent.data_dir().join("outbox.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    // As a replicator does, while the agent runs.
    agent.until("no other reader is in the way", |_| {
        other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, u32>(0)).unwrap() == 0
    });
    assert_eq!(agent.get("/readyz").status, 200, "it was emptied as it should be");
    let folder = agent.kill();
    drop(other);
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(keyed(&agent).header("idempotency-replayed"), Some("true"));
}

#[test]
fn an_older_copy_of_the_file_from_the_same_run_is_refused() {
    let agent = Start::new().serve();
    assert_eq!(keyed(&agent).status, 200);
    let (data, older) = (agent.data_dir(), agent.data_dir().join("../older.db"));
    fs::copy(data.join("outbox.db"), &older).unwrap();
    assert_eq!(send_async(&agent).status, 202);
    let folder = agent.kill();
    let data = folder.path().join("data");
    for name in ["outbox.db", "outbox.db-wal", "outbox.db-shm"] {
        fs::remove_file(data.join(name)).unwrap();
    }
    fs::rename(folder.path().join("older.db"), data.join("outbox.db")).unwrap();
    let log = refusal(Start::in_folder(folder.path()));
    assert!(log.contains("a copy that was made of it alone"), "{log}");
}

#[test]
fn a_log_that_is_cut_under_a_running_agent_promises_nothing_more_and_is_refused_afterwards() {
    for length in [0, 40] {
        let agent = Start::new().serve();
        assert_eq!(send_async(&agent).status, 202);
        cut(&agent.data_dir().join("outbox.db-wal"), length);
        for _ in 0..3 {
            let refused = send_async(&agent);
            assert_eq!((refused.status, refused.problem().as_str()), (503, "outbox_unavailable"), "at once");
        }
        let ready = agent.get("/readyz");
        assert_eq!((ready.status, ready.problem().as_str()), (503, "outbox_unavailable"));
        assert!(ready.json()["detail"].as_str().unwrap().contains("was cut"), "{ready:?}");
        let folder = agent.kill();
        assert!(refusal(Start::in_folder(folder.path())).contains("a part of it"));
    }
}

/// As `cp -a` makes one.
fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("cp").arg("-a").arg(folder.join("data")).arg(copy.path()).status();
    assert!(status.unwrap().success());
    copy
}

#[test]
fn what_waits_in_a_copy_of_the_whole_folder_is_marked_unless_the_operator_says_that_it_was_moved() {
    for ends_in_order in [false, true] {
        let agent = Start::new().env("SMS_AGENT__WAIT", "100ms").serve();
        let path = format!("/v1/messages/{}", agent.send("+15005550004").json()["id"].as_str().unwrap());
        let folder = if ends_in_order {
            agent.terminate();
            agent.wait().2.unwrap()
        } else {
            agent.kill()
        };
        let (copy, moved) = (copy_of(folder.path()), copy_of(folder.path()));
        let agent = Start::in_folder(copy.path()).serve();
        agent.until("it is marked", |agent| agent.get(&path).json()["possible_duplicate"] == true);
        assert!(agent.whole_log().contains("restored from a backup or a copy"));

        fs::write(moved.path().join("data/outbox.db.moved"), "").unwrap();
        let agent = Start::in_folder(moved.path()).serve();
        assert_eq!(agent.get(&path).json()["possible_duplicate"], false, "{ends_in_order}");
        assert!(!moved.path().join("data/outbox.db.moved").exists(), "it counts for one start");
        let agent = Start::in_folder(folder.path()).serve();
        assert_eq!(agent.get(&path).json()["possible_duplicate"], false, "it is the same folder");
    }
}
