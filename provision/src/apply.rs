//! Carries a plan out: what is independent at once, what is not in the order that AWS needs.
//!
//! What is made or changed waits for what it needs; what goes waits for everything that needs it. A failure stops what
//! waits for it, and nothing else. What was done is told as it happens, so that nothing of it is lost with what fails.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::aws::CallError;
use crate::kinds::{ResourceKind, Update};
use crate::plan::{Action, Change, Plan};
use crate::resource::{Id, Kind};

/// Calls at once. IAM throttles an account far below what a machine can send.
const AT_ONCE: usize = 12;

/// What happened to one change.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// It began.
    Started(&'a Change),
    /// It is done.
    Done(&'a Change),
    /// It failed.
    Failed(&'a Change, &'a CallError),
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Done.
    pub done: Vec<Id>,
    /// Failed, and why.
    pub failed: Vec<(Id, CallError)>,
    /// Not begun, since what it waits for failed or the person stopped it.
    pub skipped: Vec<Id>,
}

/// Carries the plan out. `stopped` is asked before each change is begun: once true, what is under way is finished and
/// nothing else begins.
pub async fn apply(
    kinds: &[Box<dyn ResourceKind>],
    plan: &Plan,
    mut tell: impl FnMut(Event<'_>),
    stopped: impl Fn() -> bool,
) -> Outcome {
    let mut waiting: BTreeMap<&Id, &Change> = plan.changes.iter().map(|change| (&change.id, change)).collect();
    let blocks: BTreeMap<&Id, BTreeSet<&Id>> = plan.changes.iter().map(|one| (&one.id, waits_for(one, plan))).collect();
    let (mut outcome, mut ended) = (Outcome::default(), BTreeSet::new());
    let mut under_way = FuturesUnordered::new();
    loop {
        let free = |id: &Id| blocks.get(id).is_none_or(|blocks| blocks.iter().all(|one| ended.contains(one)));
        let room = AT_ONCE.saturating_sub(under_way.len());
        let begins: Vec<&Change> = match stopped() {
            true => Vec::new(),
            false => waiting.values().filter(|change| free(&change.id)).take(room).copied().collect(),
        };
        for change in begins {
            waiting.remove(&change.id);
            tell(Event::Started(change));
            under_way.push(async move { (change, carry_out(kinds, change).await) });
        }
        let Some((change, result)) = under_way.next().await else { break };
        match result {
            Ok(()) => {
                tell(Event::Done(change));
                ended.insert(&change.id);
                outcome.done.push(change.id.clone());
            }
            Err(error) => {
                tell(Event::Failed(change, &error));
                outcome.failed.push((change.id.clone(), error));
            }
        }
    }
    outcome.skipped = waiting.into_keys().cloned().collect();
    outcome
}

/// The other changes that have to be done before this one.
fn waits_for<'a>(change: &'a Change, plan: &'a Plan) -> BTreeSet<&'a Id> {
    let others = plan.changes.iter().filter(|other| other.id != change.id);
    match change.action {
        // The policy keeps the record of what the account was like, and goes last.
        Action::Delete if change.id.kind == Kind::IamPolicy => others.map(|other| &other.id).collect(),
        Action::Delete => others.filter(|other| other.needs.contains(&change.id)).map(|other| &other.id).collect(),
        _ => others
            .filter(|other| other.action != Action::Delete && change.needs.contains(&other.id))
            .map(|other| &other.id)
            .collect(),
    }
}

async fn carry_out(kinds: &[Box<dyn ResourceKind>], change: &Change) -> Result<(), CallError> {
    let Some(kind) = kinds.iter().find(|kind| kind.kind() == change.id.kind) else {
        return Err(CallError::other("none", change.id.to_string(), "this build cannot look after it"));
    };
    match (change.action, &change.wanted, &change.found) {
        (Action::Create, Some(wanted), _) => kind.create(&change.id, wanted).await,
        (Action::Update, Some(wanted), Some(found)) => {
            let changed = change.attributes.keys().cloned().collect();
            kind.update(Update { id: &change.id, wanted, found, changed: &changed }).await
        }
        (Action::Delete, _, Some(found)) => kind.delete(found).await,
        // A conflict is never carried out: whoever calls looks for them first.
        _ => Ok(()),
    }
}
