//! What was promised, held against what the history and the simulator's phone show.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Sender;
use super::sender::{Promise, REJECTED, SILENT, text};
use crate::process::Agent;

/// `dispatch.max_resends`, as it is by default.
const MAX_RESENDS: u32 = 2;

/// What an audit counted.
#[derive(Default)]
pub(crate) struct Figures {
    /// Messages that an answer promised.
    pub(crate) promised: usize,
    /// Messages in the history.
    pub(crate) kept: usize,
    /// Messages that were in a worker's hands when the agent was killed.
    pub(crate) cut: usize,
    /// Of these, the ones that a phone has more than once.
    pub(crate) doubled: usize,
}

/// Waits until all that can happen has happened, then compares. `cut` has the messages that were in a worker's hands
/// at a kill, and at how many.
pub(crate) fn compare(agent: &Agent, senders: &mut [Sender], cut: &HashMap<String, u32>) -> Figures {
    for sender in &mut *senders {
        sender.ask_again(agent.address);
    }
    // A message goes to and fro between these until it ends, so that none of them says anything by itself.
    let open = ["queued", "sending", "sent"];
    let mut history = Vec::new();
    agent.until("all has ended", |agent| {
        let is_empty = |open: &&str| {
            let page = agent.get(&format!("/v1/messages?limit=1&status={open}")).json();
            page["messages"].as_array().unwrap().is_empty()
        };
        open.iter().all(is_empty) && {
            history = agent.pages("/v1/messages");
            history.iter().all(|message| !open.contains(&message["status"].as_str().unwrap()))
        }
    });
    let mut phone: HashMap<String, Vec<Value>> = HashMap::new();
    for received in agent.pages("/v1/simulator/messages") {
        phone.entry(word(&received, "id")).or_default().push(received);
    }
    let taken_back: HashSet<_> = senders.iter().flat_map(|sender| &sender.taken_back).collect();
    let mut by_reference: HashMap<String, Value> = HashMap::new();
    let mut doubled = 0;
    for message in &history {
        let received = phone.remove(&word(message, "id")).unwrap_or_default();
        doubled += usize::from(received.len() > 1);
        let cuts = cut.get(&word(message, "id")).copied().unwrap_or(0);
        consistent(message, &received, cuts);
        if message["status"] == "unknown" {
            // What ends a message that may have gone out already leaves it unknown.
            let ended = message["to"] == REJECTED
                || message["expires_at"].is_string()
                || taken_back.contains(&word(message, "reference"));
            let known = message["to"] != SILENT && cuts <= if ended { 0 } else { MAX_RESENDS };
            assert!(!known, "given up too early: {message}, cut off {cuts} times");
        }
        let twin = by_reference.insert(word(message, "reference"), message.clone());
        assert!(twin.is_none(), "one request made two messages: {twin:?} and {message}");
    }
    assert!(phone.is_empty(), "a phone has what the history has not: {phone:?}");
    for sender in senders.iter() {
        for (reference, promise) in &sender.promised {
            kept(promise, by_reference.get(reference));
        }
        let refused = sender.refused.iter().find(|reference| by_reference.contains_key(*reference));
        assert!(refused.is_none(), "refused, and accepted all the same: {refused:?}");
        let keyed: HashSet<_> = sender.keyed().collect();
        for reference in keyed {
            let promised = sender.promised.contains_key(reference);
            assert_eq!(by_reference.contains_key(reference), promised, "{reference}: a key's messages are all told of");
        }
    }
    Figures {
        promised: senders.iter().map(|sender| sender.promised.len()).sum(),
        kept: history.len(),
        cut: cut.len(),
        doubled,
    }
}

/// What the phone received is what the message says, and a second time only where nobody could know better.
fn consistent(message: &Value, received: &[Value], cuts: u32) {
    let times = u32::try_from(received.len()).unwrap();
    let told = || format!("{message}, on a phone {times} times, cut off {cuts} times");
    match message["status"].as_str().unwrap() {
        "delivered" => assert!(times >= 1, "lost: {}", told()),
        "failed" | "expired" | "canceled" => assert_eq!(times, 0, "{}", told()),
        "unknown" => {}
        _ => panic!("it did not end: {}", told()),
    }
    if times > 1 {
        assert!(times <= 1 + cuts, "doubled without need: {}", told());
        assert_eq!(message["possible_duplicate"], true, "{}", told());
    }
    for sms in received {
        assert_eq!(sms["to"], message["to"]);
        assert_eq!(sms["body"], text(&word(message, "reference")));
    }
}

fn kept(promise: &Promise, message: Option<&Value>) {
    let message = message.unwrap_or_else(|| panic!("lost: {promise:?}"));
    assert_eq!(message["id"], promise.id, "{message}");
    if let Some(end) = &promise.end {
        assert_eq!(message["status"], end.as_str(), "{message}");
    }
}

fn word(message: &Value, member: &str) -> String {
    message[member].as_str().unwrap().to_owned()
}
