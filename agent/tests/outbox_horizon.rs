//! What a power cut may leave in doubt, and what it may not. The machine goes down here by way of the files: as they were
//! when the disk last had to have them, and under another start of the machine.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod engine;

use std::collections::BTreeSet;
use std::path::Path;

use engine::{Engine, NOW, rebooted, reopen};
use sms_agent::message::{MessageId, SmsType};
use sms_agent::outbox::sqlite::{Options, SqliteOutbox};
use sms_agent::outbox::{Claim, Demand, Outbox, Rest};

/// As many as the horizon covers.
const AHEAD: usize = 64;

async fn claim(outbox: &SqliteOutbox, messages: usize) -> Vec<MessageId> {
    let claims = outbox.claim(NOW, Demand { messages, segments: None, to_probe: false }).await.unwrap();
    claims.claims.iter().map(|claim| claim.id).collect()
}

/// The messages that are taken for cut off.
async fn interrupted(outbox: &SqliteOutbox) -> BTreeSet<MessageId> {
    outbox.interrupted().await.unwrap().into_iter().map(|Claim { id, .. }| id).collect()
}

/// An outbox in which so many messages wait, and their IDs in the order in which they leave.
async fn waiting(messages: usize) -> (Engine, Vec<MessageId>) {
    let engine = Engine::new(Options::default());
    let entries: Vec<_> = (0..messages).map(|_| engine.entry("+12065550100", None)).collect();
    let ids = entries.iter().map(|entry| entry.id).collect();
    engine.accept(entries, None).await;
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
async fn claims_that_the_disk_did_not_have_are_taken_for_cut_off_when_the_machine_went_down() {
    let (engine, ids) = waiting(200).await;
    assert_eq!(claim(&engine.outbox, 5).await, ids[..5], "these wait for the disk");
    let files = copied(engine.folder.path());
    // None of these is in the copy.
    for n in 0..10 {
        assert_eq!(claim(&engine.outbox, 3).await, ids[5 + 3 * n..][..3], "in their order");
    }
    rebooted(files.path());
    let after = reopen(files.path(), Options::default()).await;
    let cut_off = interrupted(&after).await;
    assert_eq!(cut_off, ids[..5 + AHEAD].iter().copied().collect(), "those, and the others within the horizon");
    assert_eq!(claim(&after, 1).await, ids[5 + AHEAD..][..1], "what is beyond it was surely not published");
    let message = after.message(ids[6]).await.unwrap().unwrap();
    assert_eq!((message.attempts, message.possible_duplicate), (1, false), "that is said once it is sent again");
}

#[tokio::test]
async fn when_the_process_died_only_what_was_claimed_is_taken_for_cut_off() {
    let (engine, ids) = waiting(200).await;
    claim(&engine.outbox, 5).await;
    claim(&engine.outbox, 3).await;
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(interrupted(&engine.outbox).await, ids[..8].iter().copied().collect());
    // Nor does the horizon of that process count any more.
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(interrupted(&engine.outbox).await.len(), 8);
}

#[tokio::test]
async fn after_a_stop_in_order_nothing_that_waits_is_in_doubt() {
    let (engine, ids) = waiting(200).await;
    claim(&engine.outbox, 5).await;
    claim(&engine.outbox, 3).await;
    engine.outbox.release().await;
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert_eq!(interrupted(&engine.outbox).await, ids[..8].iter().copied().collect());
}

#[tokio::test]
async fn the_horizon_moves_on_before_it_is_reached() {
    let (engine, ids) = waiting(400).await;
    let mut claimed = Vec::new();
    while claimed.len() < ids.len() {
        let some = claim(&engine.outbox, 7).await;
        claimed.extend(some);
        // Whatever moves the horizon has its turn.
        tokio::task::yield_now().await;
        let files = copied(engine.folder.path());
        rebooted(files.path());
        let after = reopen(files.path(), Options::default()).await;
        let in_doubt = interrupted(&after).await;
        assert!(claimed.iter().all(|id| in_doubt.contains(id)), "a claim that nothing tells of");
        assert!(in_doubt.len() <= claimed.len() + AHEAD, "{} of {}", in_doubt.len(), claimed.len());
    }
    assert_eq!(claimed, ids);
}

#[tokio::test]
async fn a_message_that_goes_before_all_others_is_not_passed_by() {
    let engine = Engine::new(Options::default());
    let mut entries: Vec<_> = (0..100).map(|_| engine.entry("+12065550100", None)).collect();
    entries.iter_mut().for_each(|entry| entry.draft.sms.kind = SmsType::Promotional);
    engine.accept(entries, None).await;
    claim(&engine.outbox, 5).await;
    let urgent = engine.entry("+12065550101", None);
    let id = urgent.id;
    engine.accept(vec![urgent], None).await;
    assert_eq!(claim(&engine.outbox, 2).await[0], id);
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert!(interrupted(&engine.outbox).await.contains(&id));
}

#[tokio::test]
async fn what_was_taken_back_or_tried_later_is_as_it_was_said_to_be() {
    let (engine, ids) = waiting(20).await;
    claim(&engine.outbox, 5).await;
    engine.outbox.cancel(ids[6], NOW).await.unwrap();
    engine.reboot();
    let engine = engine.reopened(Options::default()).await;
    assert!(!interrupted(&engine.outbox).await.contains(&ids[6]), "it was canceled");
    let claims = engine.outbox.claim(NOW, Demand { messages: 1, segments: None, to_probe: false }).await.unwrap();
    assert_eq!((claims.claims.len(), claims.rest), (0, Rest::Idle(None)), "all others are in doubt");
}
