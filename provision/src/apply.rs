//! Carries a plan out: what is independent at once, what is not in the order that AWS needs.
//!
//! What is made or changed waits for what it needs; what goes waits for everything that needs it. A failure stops what
//! waits for it, and nothing else. What was done is told as it happens, so that nothing of it is lost with what fails.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use tracing::field::Empty;
use tracing::{Instrument, Span};

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
    let (mut outcome, mut ended, mut failed) = (Outcome::default(), BTreeSet::new(), BTreeSet::new());
    let mut under_way = FuturesUnordered::new();
    loop {
        let free = |id: &Id| blocks.get(id).is_none_or(|blocks| blocks.iter().all(|one| ended.contains(one)));
        let was_tried = |id: &Id| !blocks.contains_key(id) || ended.contains(id) || failed.contains(id);
        let may_begin = |change: &&Change| free(&change.id) && change.after.iter().all(was_tried);
        let room = AT_ONCE.saturating_sub(under_way.len());
        let mut begins: Vec<&Change> = waiting.values().copied().filter(may_begin).take(room).collect();
        if begins.is_empty() && under_way.is_empty() {
            // What is to be tried before these waits for something that failed.
            begins = waiting.values().copied().filter(|change| free(&change.id)).take(room).collect();
        }
        if stopped() {
            begins.clear();
        }
        for change in begins {
            waiting.remove(&change.id);
            tell(Event::Started(change));
            let span = span(change);
            under_way.push(async move { (change, carry_out(kinds, change, &span).instrument(span.clone()).await) });
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
                failed.insert(&change.id);
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

/// The span of a change. Names of resources are the settings' own; addresses and values stay out of it.
fn span(change: &Change) -> Span {
    tracing::info_span!(
        target: "sms_provision::trace",
        "change",
        otel.name = format!("{:?} {}", change.action, change.id.kind.noun()),
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        rpc.method = Empty,
        aws.request_id = Empty,
    )
}

async fn carry_out(kinds: &[Box<dyn ResourceKind>], change: &Change, span: &Span) -> Result<(), CallError> {
    let result = call(kinds, change).await;
    if let Err(error) = &result {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", error.code.as_deref().unwrap_or("_OTHER"));
        span.record("rpc.method", error.action);
        if let Some(id) = &error.request_id {
            span.record("aws.request_id", &**id);
        }
    }
    result
}

async fn call(kinds: &[Box<dyn ResourceKind>], change: &Change) -> Result<(), CallError> {
    let Some(kind) = kinds.iter().find(|kind| kind.kind() == change.id.kind) else {
        return Err(CallError::other(
            "none",
            change.id.to_string(),
            "this build cannot look after it; use one of the version that made it",
        ));
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::{Arc, Mutex};

    use serde_json::json;

    use super::*;
    use crate::aws::Place;
    use crate::kinds::Answer;
    use crate::resource::{Attributes, Found, Resource};

    /// Notes what begins and ends, and fails at some names. It lets others go first while it is under way.
    struct Noting {
        kind: Kind,
        log: Arc<Mutex<Vec<String>>>,
    }

    impl Noting {
        fn act<'a>(&'a self, what: &'static str, name: &'a str) -> Answer<'a, ()> {
            let note = move |word: &str| self.log.lock().unwrap().push(format!("{word} {what} {name}"));
            Box::pin(async move {
                note("begin");
                tokio::task::yield_now().await;
                note("end");
                if name.starts_with("bad") { Err(CallError::other("iam:X", name, "no")) } else { Ok(()) }
            })
        }
    }

    impl ResourceKind for Noting {
        fn kind(&self) -> Kind {
            self.kind
        }

        fn read<'a>(&'a self, _: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn create<'a>(&'a self, id: &'a Id, _: &'a Attributes) -> Answer<'a, ()> {
            self.act("create", &id.name)
        }

        fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
            self.act("update", &update.id.name)
        }

        fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
            self.act("delete", &found.id.name)
        }
    }

    fn id(name: &str) -> Id {
        Id::new(if name.contains("policy") { Kind::IamPolicy } else { Kind::SqsQueue }, name)
    }

    fn change(action: Action, name: &str, needs: &[&str]) -> Change {
        Change {
            action,
            id: id(name),
            attributes: BTreeMap::from([("a".to_owned(), crate::plan::Difference { old: json!(1), new: json!(2) })]),
            wanted: (action != Action::Delete).then(Attributes::new),
            found: (action != Action::Create).then(|| Found::ours(id(name), Attributes::new())),
            needs: needs.iter().map(|name| id(name)).collect(),
            after: Vec::new(),
            owner: None,
        }
    }

    async fn run(changes: Vec<Change>, stopped: impl Fn() -> bool) -> (Outcome, Vec<String>) {
        let log = Arc::default();
        let kind = |kind| Box::new(Noting { kind, log: Arc::clone(&log) }) as Box<dyn ResourceKind>;
        let place = Place { account: String::new(), partition: String::new(), region: String::new() };
        let plan = Plan {
            place,
            name: String::new(),
            changes,
            unchanged: 0,
            blocked: Vec::new(),
            beyond: Vec::new(),
            notes: Vec::new(),
            refused: BTreeSet::new(),
            barred: BTreeMap::new(),
        };
        let outcome = apply(&[kind(Kind::IamPolicy), kind(Kind::SqsQueue)], &plan, |_| {}, stopped).await;
        let log = log.lock().unwrap().clone();
        (outcome, log)
    }

    fn before(log: &[String], first: &str, second: &str) -> bool {
        let at = |line: &str| log.iter().position(|one| one == line).unwrap();
        at(first) < at(second)
    }

    #[tokio::test]
    async fn what_needs_something_waits_for_it_and_what_needs_nothing_does_not() {
        let changes = vec![
            change(Action::Create, "a needs b", &["b"]),
            change(Action::Update, "b", &[]),
            change(Action::Create, "c", &[]),
        ];
        let (outcome, log) = run(changes, || false).await;
        assert_eq!(outcome.done.len(), 3);
        assert!(before(&log, "end update b", "begin create a needs b"), "{log:?}");
        assert!(before(&log, "begin create c", "end update b"), "{log:?}");
    }

    #[tokio::test]
    async fn what_goes_waits_for_all_that_needs_it_and_the_policy_for_everything() {
        let changes = vec![
            change(Action::Delete, "a", &[]),
            change(Action::Update, "b needs a", &["a"]),
            change(Action::Delete, "c needs a", &["a"]),
            change(Action::Delete, "policy", &[]),
        ];
        let (_, log) = run(changes, || false).await;
        assert!(before(&log, "end update b needs a", "begin delete a"), "{log:?}");
        assert!(before(&log, "end delete c needs a", "begin delete a"), "{log:?}");
        assert_eq!(log.last().unwrap(), "end delete policy");
        assert!(before(&log, "end delete a", "begin delete policy"), "{log:?}");
    }

    #[tokio::test]
    async fn a_failure_stops_what_waits_for_it_and_nothing_else() {
        let changes = vec![
            change(Action::Create, "bad", &[]),
            change(Action::Create, "needs bad", &["bad"]),
            change(Action::Create, "needs that", &["needs bad"]),
            change(Action::Create, "other", &[]),
        ];
        let (outcome, _) = run(changes, || false).await;
        assert_eq!(outcome.failed.iter().map(|(id, _)| id.name.as_str()).collect::<Vec<_>>(), ["bad"]);
        assert_eq!(outcome.done, [id("other")]);
        assert_eq!(outcome.skipped, [id("needs bad"), id("needs that")]);
    }

    #[tokio::test]
    async fn what_comes_after_something_waits_for_it_and_goes_on_if_it_fails_or_cannot_begin() {
        let after = |name: &str, first: &str| Change { after: vec![id(first)], ..change(Action::Create, name, &[]) };
        let changes = vec![
            after("a", "other"),
            after("b", "bad"),
            after("c", "needs bad"),
            after("d", "as it should be"),
            change(Action::Create, "other", &[]),
            change(Action::Create, "bad", &[]),
            change(Action::Create, "needs bad", &["bad"]),
        ];
        let (outcome, log) = run(changes, || false).await;
        assert!(before(&log, "end create other", "begin create a"), "{log:?}");
        assert!(before(&log, "end create bad", "begin create b"), "{log:?}");
        assert_eq!((outcome.done.len(), outcome.skipped), (5, vec![id("needs bad")]));
    }

    #[tokio::test]
    async fn a_stop_finishes_what_is_under_way_and_begins_nothing_else() {
        let asked = Cell::new(0);
        let stopped = || {
            asked.set(asked.get() + 1);
            asked.get() > 1
        };
        let changes = vec![change(Action::Create, "a", &[]), change(Action::Create, "b", &["a"])];
        let (outcome, _) = run(changes, stopped).await;
        assert_eq!((outcome.done, outcome.skipped), (vec![id("a")], vec![id("b")]));
    }
}
