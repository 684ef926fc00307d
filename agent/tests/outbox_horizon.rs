//! What a power cut may leave in doubt, and what it may not. The machine goes down here by way of the files: as they were
//! when the disk last had to have them, and under another start of the machine.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod engine;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use engine::{Engine, NOW, ids_where, rebooted, reopen};
use sms_agent::message::{MessageId, SmsType, Status};
use sms_agent::outbox::sqlite::{Options, SqliteOutbox};
use sms_agent::outbox::{Canceled, Claim, Demand, Entry, Outbox};

/// As many as the horizon covers of a lane.
const AHEAD: usize = 64;
/// In a worker's hands, or to be published as what may have been.
const IN_DOUBT: &str = "status = 1 OR doubtful";

async fn claims(outbox: &SqliteOutbox, messages: usize) -> Vec<Claim> {
    outbox.claim(NOW, Demand { messages, segments: None, to_probe: false }).await.unwrap().claims
}

async fn claim(outbox: &SqliteOutbox, messages: usize) -> Vec<MessageId> {
    claims(outbox, messages).await.iter().map(|claim| claim.id).collect()
}

fn set(ids: &[MessageId]) -> BTreeSet<MessageId> {
    ids.iter().copied().collect()
}

/// So many more messages that wait, and their IDs in the order in which they leave.
async fn wait(engine: &Engine, messages: usize, change: impl Fn(&mut Entry)) -> Vec<MessageId> {
    let mut entries: Vec<_> = (0..messages).map(|_| engine.entry("+12065550100", None)).collect();
    entries.iter_mut().for_each(change);
    let ids = entries.iter().map(|entry| entry.id).collect();
    engine.accept(entries, None).await;
    ids
}

/// An outbox in which so many messages wait.
async fn waiting(messages: usize) -> (Engine, Vec<MessageId>) {
    let engine = Engine::new(Options::default());
    let ids = wait(&engine, messages, |_| ()).await;
    (engine, ids)
}

/// The files as they are now.
fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["outbox.db", "outbox.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[tokio::test]
async fn claims_that_the_disk_did_not_have_are_in_doubt_when_the_machine_went_down() {
    let (engine, ids) = waiting(200).await;
    assert_eq!(claim(&engine.outbox, 5).await, ids[..5], "these wait for the disk");
    let files = copied(engine.folder.path());
    // None of these is in the copy.
    for n in 0..10 {
        assert_eq!(claim(&engine.outbox, 3).await, ids[5 + 3 * n..][..3], "in their order");
    }
    rebooted(files.path());
    let after = reopen(files.path(), Options::default()).await;
    assert_eq!(ids_where(files.path(), "status = 1"), set(&ids[..5]));
    assert_eq!(
        ids_where(files.path(), "doubtful"),
        set(&ids[5..5 + AHEAD]),
        "those, and the others within the horizon"
    );
    let again = claims(&after, AHEAD + 1).await;
    assert_eq!(again.iter().map(|claim| claim.id).collect::<Vec<_>>(), ids[5..=5 + AHEAD], "in their order");
    for (n, claim) in again.iter().enumerate() {
        let message = after.message(claim.id).await.unwrap().unwrap();
        let told = (message.attempts, message.possible_duplicate, claim.unknowns);
        assert_eq!(told, (1, n < AHEAD, 0), "it says so, and has used up none of its resends");
    }
}

#[tokio::test]
async fn when_the_process_died_only_what_was_claimed_is_in_doubt() {
    let (engine, ids) = waiting(200).await;
    claim(&engine.outbox, 5).await;
    claim(&engine.outbox, 3).await;
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(engine.ids_where(IN_DOUBT), set(&ids[..8]));
    // Nor does the horizon of that process count any more.
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(engine.ids_where(IN_DOUBT), set(&ids[..8]));
}

#[tokio::test]
async fn after_a_stop_in_order_nothing_that_waits_is_in_doubt() {
    let (engine, ids) = waiting(200).await;
    claim(&engine.outbox, 5).await;
    claim(&engine.outbox, 3).await;
    engine.outbox.release().await;
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(engine.ids_where(IN_DOUBT), set(&ids[..8]));
}

#[tokio::test]
async fn the_horizon_moves_on_before_it_is_reached() {
    let (engine, ids) = waiting(400).await;
    claim(&engine.outbox, 5).await;
    let reached = || engine.count("SELECT max(seq) FROM horizon");
    assert_eq!(reached(), 5 + AHEAD);
    claim(&engine.outbox, AHEAD - 10).await;
    let moved = async {
        while reached() == 5 + AHEAD {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), moved).await.expect("it stands where it was");
    assert_eq!(claim(&engine.outbox, 1).await, ids[AHEAD - 5..][..1], "before what it covered was all claimed");
}

#[tokio::test]
async fn wherever_the_machine_goes_down_the_disk_tells_of_every_claim_and_of_few_others() {
    let (engine, ids) = waiting(400).await;
    let mut claimed = Vec::new();
    while claimed.len() < ids.len() {
        let some = claim(&engine.outbox, 7).await;
        claimed.extend(some);
        // Whatever moves the horizon has its turn.
        tokio::task::yield_now().await;
        let files = copied(engine.folder.path());
        rebooted(files.path());
        drop(reopen(files.path(), Options::default()).await);
        let in_doubt = ids_where(files.path(), IN_DOUBT);
        assert!(claimed.iter().all(|id| in_doubt.contains(id)), "a claim that nothing tells of");
        assert!(in_doubt.len() <= claimed.len() + AHEAD, "{} of {}", in_doubt.len(), claimed.len());
    }
    assert_eq!(claimed, ids);
}

#[tokio::test]
async fn a_message_that_goes_before_all_others_is_not_passed_by() {
    let engine = Engine::new(Options::default());
    wait(&engine, 100, |entry| entry.draft.sms.kind = SmsType::Promotional).await;
    claim(&engine.outbox, 5).await;
    let urgent = wait(&engine, 1, |_| ()).await[0];
    assert_eq!(claim(&engine.outbox, 2).await[0], urgent);
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert!(engine.ids_where("status = 1").contains(&urgent));
}

/// They lie before all that was there, by their times.
#[tokio::test]
async fn what_came_after_a_clock_was_set_back_is_not_in_doubt_for_it() {
    let (engine, _) = waiting(100).await;
    claim(&engine.outbox, 5).await;
    let an_hour_earlier = sms_agent::message::Timestamp::from_millis(NOW.as_millis() - 3_600_000);
    let later = wait(&engine, 100, |entry| entry.at = an_hour_earlier).await;
    assert_eq!(claim(&engine.outbox, 1).await, later[..1]);
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    let in_doubt = engine.ids_where("doubtful");
    assert!(in_doubt.len() <= 2 * AHEAD && !in_doubt.contains(later.last().unwrap()), "{}", in_doubt.len());
}

#[tokio::test]
async fn what_may_have_gone_out_is_not_called_canceled_or_expired() {
    let (engine, ids) = waiting(20).await;
    claim(&engine.outbox, 5).await;
    engine.outbox.cancel(ids[6], NOW).await.unwrap();
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(engine.status(ids[6]).await, Some(Status::Canceled), "it was before");
    let Some(Canceled::Done(canceled)) = engine.outbox.cancel(ids[7], NOW).await.unwrap() else { panic!("it waits") };
    assert_eq!(canceled.status, Status::Unknown);
    let ended = engine.outbox.sweep(NOW.plus(Duration::from_secs(2 * 86_400))).await.unwrap().ended;
    assert!(ended.len() == 13 && ended.iter().all(|message| message.status == Status::Unknown), "{ended:?}");
}

#[tokio::test]
async fn where_nothing_in_doubt_is_to_go_out_there_is_no_horizon() {
    let options = Options { ahead: false, ..Options::default() };
    let engine = Engine::new(options);
    let ids = wait(&engine, 100, |_| ()).await;
    claim(&engine.outbox, 5).await;
    engine.reboot();
    let engine = engine.reopened(options).await;
    assert_eq!(engine.ids_where(IN_DOUBT), set(&ids[..5]));
}

/// Other agents know nothing of doubts: they are told of an unknown outcome, whenever a queue elsewhere takes over.
#[tokio::test]
async fn what_is_in_doubt_stays_so_when_a_queue_elsewhere_takes_over() {
    let (engine, ids) = waiting(20).await;
    claim(&engine.outbox, 5).await;
    engine.reboot();
    let engine = engine.reopened(Options { forwards: true, ..Options::default() }).await;
    assert_eq!(engine.ids_where("doubtful"), set(&ids[5..]));
}
