//! The SQLite engine by its trait: what it has answered survives, and a message is in one worker's hands at a time.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::time::Duration;

use sms_agent::message::{
    Code, Draft, IdSource, MessageId, PhoneNumber, Problem, Sender, Sms, SmsType, Status, Text, Timestamp, WallTime,
};
use sms_agent::outbox::sqlite::{OpenError, Options, SqliteOutbox};
use sms_agent::outbox::{
    Acceptance, Accepted, Allowance, Claims, Demand, Entry, Idempotency, Outbox, Outcome, Rest, Swept,
};

const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);
const KEY: Idempotency = Idempotency { key: [7; 32], fingerprint: [1; 32] };

fn open(folder: &Path) -> SqliteOutbox {
    SqliteOutbox::open(folder, Options { idempotency_ttl: Duration::from_secs(60), ..Options::default() }).unwrap()
}

fn entry(ids: &IdSource, kind: SmsType, words: &str) -> Entry {
    let sms = Sms {
        to: PhoneNumber::parse("+12065550100").unwrap(),
        text: Text::parse(words.to_owned()).unwrap(),
        kind,
        sender: Sender::Account,
        max_price_usd: None,
        entity_id: None,
        template_id: None,
    };
    Entry {
        id: ids.next(NOW),
        draft: Draft { sms, expires_in: None, reference: Some("order 7".to_owned()) },
        at: NOW,
        give_up_at: NOW.plus(Duration::from_secs(86_400)),
        claimed: false,
        trace: None,
    }
}

async fn accept(outbox: &SqliteOutbox, entry: Entry) -> MessageId {
    let id = entry.id;
    let accepted = outbox
        .accept(Acceptance { entries: vec![entry], refusals: Vec::new(), key: None, durable: false })
        .await
        .unwrap();
    assert!(matches!(accepted, Accepted::New(messages) if messages.len() == 1));
    id
}

async fn claim(outbox: &SqliteOutbox, messages: usize) -> Claims {
    outbox.claim(NOW, Demand { messages, segments: None, to_probe: false }).await.unwrap()
}

async fn status(outbox: &SqliteOutbox, id: MessageId) -> Status {
    outbox.message(id).await.unwrap().unwrap().status
}

#[tokio::test]
async fn what_was_accepted_is_there_after_the_outbox_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let id = {
        let outbox = open(folder.path());
        accept(&outbox, entry(&IdSource::new(), SmsType::Transactional, "Hello")).await
    };
    let outbox = reopen(folder.path()).await;
    let message = outbox.message(id).await.unwrap().unwrap();
    assert_eq!((message.status, message.attempts), (Status::Queued, 0));
    assert_eq!(message.reference.as_deref(), Some("order 7"));
    assert_eq!(claim(&outbox, 9).await.claims[0].sms.text.as_str(), "Hello");
}

/// The log's keeper holds the writer, and so the file, a moment longer than the outbox.
async fn reopen(folder: &Path) -> SqliteOutbox {
    loop {
        match SqliteOutbox::open(folder, Options { idempotency_ttl: Duration::from_secs(60), ..Options::default() }) {
            Ok(outbox) => return outbox,
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn transactional_leaves_before_promotional_and_the_older_before_the_newer() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let promotional = accept(&outbox, entry(&ids, SmsType::Promotional, "Sale")).await;
    let older = accept(&outbox, entry(&ids, SmsType::Transactional, "Code 1")).await;
    let newer = accept(&outbox, entry(&ids, SmsType::Transactional, "Code 2")).await;
    let first = claim(&outbox, 1).await;
    assert_eq!((first.claims[0].id, first.rest), (older, Rest::More));
    let rest = claim(&outbox, 5).await;
    assert_eq!(rest.claims.iter().map(|claim| claim.id).collect::<Vec<_>>(), [newer, promotional]);
    assert_eq!(rest.rest, Rest::Idle(None));
    assert!(claim(&outbox, 5).await.claims.is_empty(), "a message is in one worker's hands at a time");
}

#[tokio::test]
async fn a_claim_takes_no_more_segments_than_the_pace_allows() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    for _ in 0..3 {
        accept(&outbox, entry(&ids, SmsType::Transactional, "Hello")).await;
    }
    let demand = Demand { messages: 9, segments: Some(Allowance { now: 2, full: 20 }), to_probe: false };
    let claims = outbox.claim(NOW, demand).await.unwrap();
    assert_eq!((claims.claims.len(), claims.rest), (2, Rest::Paced(1)));
}

#[tokio::test]
async fn a_retry_waits_for_its_time_and_an_unknown_outcome_marks_the_next_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let id = accept(&outbox, entry(&ids, SmsType::Transactional, "Hello")).await;
    claim(&outbox, 1).await;
    let at = NOW.plus(Duration::from_secs(5));
    let problem = Problem::new(Code::OutcomeUnknown, "no answer");
    let retry = Outcome::Retry { at, problem: problem.clone(), unknown: true };
    let message = outbox.settle(id, retry, NOW, false).await.unwrap().unwrap();
    assert_eq!(
        (message.status, message.next_attempt_at),
        (Status::Queued, Some(WallTime::from_millis(at.as_millis())))
    );
    assert_eq!((message.error, message.possible_duplicate), (Some(problem), false));
    assert_eq!(claim(&outbox, 1).await.rest, Rest::Idle(Some(at)));
    let claims = outbox.claim(at, Demand { messages: 1, segments: None, to_probe: false }).await.unwrap();
    assert_eq!((claims.claims[0].attempt, claims.claims[0].unknowns), (2, 1));
    assert!(outbox.message(id).await.unwrap().unwrap().possible_duplicate);
}

#[tokio::test]
async fn an_outcome_that_cannot_follow_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let id = accept(&outbox, entry(&ids, SmsType::Transactional, "Hello")).await;
    assert!(outbox.settle(id, Outcome::Sent("a".to_owned()), NOW, false).await.unwrap().is_none(), "not claimed");
    claim(&outbox, 1).await;
    assert!(outbox.settle(id, Outcome::Delivered, NOW, false).await.unwrap().is_none(), "not sent");
    let sent = outbox.settle(id, Outcome::Sent("a".to_owned()), NOW, false).await.unwrap().unwrap();
    assert_eq!((sent.status, sent.provider_id.as_deref()), (Status::Sent, Some("a")));
    assert!(outbox.settle(id, Outcome::Sent("b".to_owned()), NOW, false).await.unwrap().is_none(), "sent already");
    let delivered = outbox.settle(id, Outcome::Delivered, NOW, true).await.unwrap().unwrap();
    assert_eq!((delivered.status, delivered.provider_id.as_deref()), (Status::Delivered, Some("a")));
}

#[tokio::test]
async fn what_waits_too_long_ends_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let mut short = entry(&ids, SmsType::Transactional, "Code");
    short.draft.expires_in = Some(10);
    let short = accept(&outbox, short).await;
    let long = accept(&outbox, entry(&ids, SmsType::Transactional, "Hello")).await;
    let Swept { ended, next } = outbox.sweep(NOW).await.unwrap();
    assert!(ended.is_empty());
    assert_eq!(next, Some(NOW.plus(Duration::from_secs(10))));
    let Swept { ended, next } = outbox.sweep(NOW.plus(Duration::from_secs(10))).await.unwrap();
    assert_eq!(
        ended.iter().map(|message| (message.id, message.status)).collect::<Vec<_>>(),
        [(short, Status::Expired)]
    );
    let Swept { ended, next: next_end } = outbox.sweep(next.unwrap()).await.unwrap();
    assert_eq!(ended.iter().map(|message| (message.id, message.status)).collect::<Vec<_>>(), [(long, Status::Failed)]);
    assert_eq!(next_end, None);
}

#[tokio::test]
async fn one_key_makes_one_message_however_many_race_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let racing = (0..20).map(|_| {
        let entries = vec![entry(&ids, SmsType::Transactional, "Hello")];
        outbox.accept(Acceptance { entries, refusals: Vec::new(), key: Some(KEY), durable: true })
    });
    let answers = futures_util::future::join_all(racing).await;
    let new: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer.as_ref().unwrap() {
            Accepted::New(messages) => Some(messages[0].id),
            _ => None,
        })
        .collect();
    assert_eq!(new.len(), 1);
    for answer in answers {
        match answer.unwrap() {
            Accepted::Replay(ids, _) => assert_eq!(ids, new),
            Accepted::New(_) => {}
            Accepted::KeyReused | Accepted::Full => panic!("the bodies are the same and there is room"),
        }
    }
    assert_eq!(claim(&outbox, 99).await.claims.len(), 1);
}

#[tokio::test]
async fn a_key_is_remembered_with_its_body_until_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let entries = vec![entry(&ids, SmsType::Transactional, "Hello")];
    outbox.accept(Acceptance { entries, refusals: Vec::new(), key: Some(KEY), durable: false }).await.unwrap();
    assert!(matches!(outbox.replay(KEY, NOW).await.unwrap(), Some(Accepted::Replay(..))));
    let other = Idempotency { fingerprint: [2; 32], ..KEY };
    assert!(matches!(outbox.replay(other, NOW).await.unwrap(), Some(Accepted::KeyReused)));
    let sent = claim(&outbox, 1).await.claims[0].id;
    outbox.settle(sent, Outcome::Sent("a".to_owned()), NOW, false).await.unwrap();
    assert!(outbox.replay(KEY, NOW.plus(Duration::from_secs(60))).await.unwrap().is_none());
}

#[tokio::test]
async fn a_message_that_cannot_be_written_spoils_none_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, ids) = (open(folder.path()), IdSource::new());
    let twice = entry(&ids, SmsType::Transactional, "Hello");
    accept(&outbox, twice.clone()).await;
    let good = entry(&ids, SmsType::Transactional, "Hello");
    let good_id = good.id;
    let one =
        |entry| outbox.accept(Acceptance { entries: vec![entry], refusals: Vec::new(), key: None, durable: false });
    let (bad, good) = tokio::join!(one(twice), one(good));
    assert_eq!(bad.unwrap_err().code, Code::OutboxUnavailable);
    good.unwrap();
    assert_eq!(status(&outbox, good_id).await, Status::Queued);
}

#[tokio::test]
async fn what_was_in_a_workers_hands_is_found_again_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let ids = IdSource::new();
    let claimed = {
        let outbox = open(folder.path());
        accept(&outbox, entry(&ids, SmsType::Transactional, "one")).await;
        accept(&outbox, entry(&ids, SmsType::Promotional, "two")).await;
        claim(&outbox, 1).await.claims[0].id
    };
    let outbox = reopen(folder.path()).await;
    let interrupted = outbox.interrupted().await.unwrap();
    assert_eq!(interrupted.iter().map(|claim| (claim.id, claim.attempt)).collect::<Vec<_>>(), [(claimed, 1)]);
}

#[tokio::test]
async fn a_second_agent_on_the_folder_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let Err(error) = SqliteOutbox::open(folder.path(), Options::default()) else {
        panic!("two agents work on one folder")
    };
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains("agent.data_dir"), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox.db");
    std::fs::write(&path, [b'x'; 8192]).unwrap();
    let Err(error) = SqliteOutbox::open(folder.path(), Options::default()) else { panic!("it opened a damaged file") };
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("outbox.db") && error.to_string().contains(".recover"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), [b'x'; 8192]);
}

#[tokio::test]
async fn a_file_that_was_emptied_is_refused_and_one_of_a_first_start_cut_off_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("outbox.db");
    std::fs::write(&path, "").unwrap();
    std::fs::write(folder.path().join("lock"), "").unwrap();
    drop(open(folder.path()));
    let _kept = reopen(folder.path()).await;
    for (sign, content) in [("fingerprint-key", "00"), ("simulator.db", "SQLite format 3"), ("outbox.db-wal", "x")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        std::fs::write(&path, "").unwrap();
        std::fs::write(folder.path().join(sign), content).unwrap();
        let Err(error) = SqliteOutbox::open(folder.path(), Options::default()) else { panic!("made anew: {sign}") };
        assert!(matches!(error, OpenError::Emptied { .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains("outbox.db") && told.contains(sign) && told.contains("backup"), "{told}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        std::fs::remove_file(&path).unwrap();
        if sign == "outbox.db-wal" {
            // It may hold all that there was.
            let gone = SqliteOutbox::open(folder.path(), Options::default());
            assert!(matches!(gone, Err(OpenError::Emptied { .. })));
            assert_eq!(std::fs::read(folder.path().join(sign)).unwrap(), content.as_bytes());
        }
        std::fs::remove_file(folder.path().join(sign)).unwrap();
        open(folder.path());
    }
}

/// By `.cargo/config.toml`; a build that does not read it is right too, and slower.
#[test]
fn sqlite_is_built_to_sync_the_data_of_a_file_and_not_its_times() {
    assert!(option_env!("LIBSQLITE3_FLAGS").is_some_and(|flags| flags.contains("-DHAVE_FDATASYNC=1")));
}

#[tokio::test]
async fn the_text_of_a_settled_message_is_in_none_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let ids = IdSource::new();
    {
        let outbox = open(folder.path());
        for number in 0..300 {
            let id = accept(&outbox, entry(&ids, SmsType::Transactional, &format!("sesame {number}"))).await;
            claim(&outbox, 1).await;
            outbox.settle(id, Outcome::Sent(format!("provider {number}")), NOW, false).await.unwrap();
        }
        outbox.empty_log().await.unwrap();
    }
    let mut read = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"sesame"), "a text is left in a file");
        read += bytes.len();
    }
    assert!(read > 8192);
}

#[tokio::test]
async fn in_a_folder_that_is_open_to_others_the_files_are_not() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let outbox = open(folder.path());
    accept(&outbox, entry(&IdSource::new(), SmsType::Transactional, "Hello")).await;
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 4, "the file, its log, its index, the lock: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}
