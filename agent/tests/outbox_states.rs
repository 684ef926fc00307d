//! Whatever happens in whatever order, a message ends in a state that it may be in, and its text is there exactly as
//! long as it may still be published.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod engine;

use std::collections::BTreeMap;

use engine::{DAY, Engine, NOW};
use proptest::prelude::*;
use sms_agent::message::{Code, MessageId, Problem, Status};
use sms_agent::outbox::sqlite::Options;
use sms_agent::outbox::{Accepted, Canceled, Entry, Outbox, Outcome};

const MAX_QUEUED: usize = 3;

/// Messages are named by how long ago they were accepted.
#[derive(Clone, Debug)]
enum Event {
    Accept { claimed: bool, expires: bool },
    Claim,
    Sent(usize),
    Failed(usize),
    Retry(usize, bool),
    Reported(usize, bool),
    Cancel(usize),
    Sweep { last: bool },
    Crash,
    PowerCut,
    Forget,
}

fn event() -> impl Strategy<Value = Event> {
    let which = 0..4_usize;
    prop_oneof![
        4 => (any::<bool>(), any::<bool>()).prop_map(|(claimed, expires)| Event::Accept { claimed, expires }),
        4 => Just(Event::Claim),
        2 => which.clone().prop_map(Event::Sent),
        1 => which.clone().prop_map(Event::Failed),
        3 => (which.clone(), any::<bool>()).prop_map(|(which, unknown)| Event::Retry(which, unknown)),
        1 => (which.clone(), any::<bool>()).prop_map(|(which, arrived)| Event::Reported(which, arrived)),
        2 => which.prop_map(Event::Cancel),
        1 => any::<bool>().prop_map(|last| Event::Sweep { last }),
        1 => Just(Event::Crash),
        1 => Just(Event::PowerCut),
        1 => Just(Event::Forget),
    ]
}

/// What must be known of a message.
#[derive(Clone, Copy, Debug)]
struct Known {
    status: Status,
    attempts: u32,
    unknowns: u32,
    /// The machine went down while it waited, and may have been about to leave.
    doubtful: bool,
    expires: bool,
}

impl Known {
    fn may_have_gone_out(self) -> bool {
        self.unknowns > 0 || self.doubtful
    }
}

/// The outbox as it must be.
#[derive(Default)]
struct Model(BTreeMap<MessageId, Known>);

impl Model {
    fn nth(&self, which: usize) -> Option<MessageId> {
        self.0.keys().rev().nth(which).copied()
    }

    fn queued(&self) -> usize {
        self.0.values().filter(|known| known.status == Status::Queued).count()
    }

    /// Moves a message on, if it is in that status. True: it was.
    fn step(&mut self, id: MessageId, from: Status, to: Status) -> bool {
        let known = self.0.get_mut(&id).unwrap();
        let follows = known.status == from;
        if follows {
            known.status = to;
        }
        follows
    }
}

fn problem() -> Problem {
    Problem::new(Code::CarrierThrottled, "slow down")
}

async fn happen(mut engine: Engine, model: &mut Model, event: Event) -> Engine {
    let options = Options { max_queued: MAX_QUEUED as u64, keep: 2 * DAY, ..Options::default() };
    match event {
        Event::Accept { claimed, expires } => {
            let mut entry = Entry { claimed, ..engine.entry("+12065550100", None) };
            entry.draft.expires_in = expires.then_some(60);
            let id = entry.id;
            let accepted = engine.accept(vec![entry], None).await;
            if model.queued() >= MAX_QUEUED {
                assert!(matches!(accepted, Accepted::Full));
                return engine;
            }
            assert!(matches!(accepted, Accepted::New(_)));
            let status = if claimed { Status::Sending } else { Status::Queued };
            model.0.insert(id, Known { status, attempts: claimed.into(), unknowns: 0, doubtful: false, expires });
        }
        Event::Claim => {
            for claim in engine.claim(1).await {
                assert!(model.step(claim.id, Status::Queued, Status::Sending), "only what waits is handed out");
                let known = model.0.get_mut(&claim.id).unwrap();
                known.attempts += 1;
                assert_eq!((claim.attempt, claim.unknowns), (known.attempts, known.unknowns));
                assert_eq!(claim.doubtful, known.doubtful);
                assert_eq!(claim.sms.text.as_str(), "sesame");
            }
        }
        Event::Sent(which) => settle(&engine, model, which, Outcome::Sent("a".to_owned()), Status::Sent).await,
        Event::Failed(which) => settle(&engine, model, which, Outcome::Failed(problem()), Status::Failed).await,
        Event::Retry(which, unknown) => {
            let outcome = Outcome::Retry { at: NOW, problem: problem(), unknown };
            settle(&engine, model, which, outcome, Status::Queued).await;
        }
        Event::Reported(which, true) => settle(&engine, model, which, Outcome::Delivered, Status::Delivered).await,
        Event::Reported(which, false) => {
            settle(&engine, model, which, Outcome::Undeliverable(problem()), Status::Failed).await;
        }
        Event::Cancel(which) => {
            let Some(id) = model.nth(which) else { return engine };
            let unknown = model.0[&id].may_have_gone_out();
            let ended = if unknown { Status::Unknown } else { Status::Canceled };
            match engine.outbox.cancel(id, NOW).await.unwrap().unwrap() {
                Canceled::Done(_) => assert!(model.step(id, Status::Queued, ended)),
                Canceled::TooLate(message) => assert_ne!(message.status, Status::Queued),
            }
        }
        Event::Sweep { last } => {
            let now = NOW.plus(if last { DAY } else { std::time::Duration::from_secs(60) });
            let late: Vec<MessageId> = model
                .0
                .iter()
                .filter(|(_, known)| known.status == Status::Queued && (known.expires || last))
                .map(|(id, _)| *id)
                .collect();
            let mut ended: Vec<_> =
                engine.outbox.sweep(now).await.unwrap().ended.iter().map(|message| message.id).collect();
            ended.sort_unstable_by_key(|id| id.to_bytes());
            assert_eq!(ended, late);
            for id in late {
                let known = model.0[&id];
                let status = match known {
                    known if known.may_have_gone_out() => Status::Unknown,
                    Known { expires: true, .. } => Status::Expired,
                    _ => Status::Failed,
                };
                model.step(id, Status::Queued, status);
            }
        }
        Event::Crash => {
            engine = engine.reopened(options).await;
            let mut cut = engine.outbox.interrupted().await.unwrap();
            cut.sort_unstable_by_key(|claim| claim.id.to_bytes());
            let sending = model.0.iter().filter(|(_, known)| known.status == Status::Sending);
            let sending: Vec<_> = sending.map(|(id, known)| (*id, known.attempts)).collect();
            assert_eq!(cut.iter().map(|claim| (claim.id, claim.attempt)).collect::<Vec<_>>(), sending);
        }
        Event::PowerCut => {
            engine.reboot();
            engine = engine.reopened(options).await;
            let sending = model.0.values().filter(|known| known.status == Status::Sending).count();
            assert_eq!(engine.outbox.interrupted().await.unwrap().len(), sending, "what was claimed is known");
            for id in engine.ids_where("doubtful") {
                let known = model.0.get_mut(&id).unwrap();
                assert!(known.doubtful || known.status == Status::Queued, "what was claimed is known");
                known.doubtful = true;
            }
        }
        Event::Forget => {
            engine.forget_all(NOW.plus(3 * DAY)).await;
            model.0.retain(|_, known| !known.status.is_settled());
        }
    }
    engine
}

async fn settle(engine: &Engine, model: &mut Model, which: usize, outcome: Outcome, to: Status) {
    let Some(id) = model.nth(which) else { return };
    let from = match outcome {
        Outcome::Delivered | Outcome::Undeliverable(_) => Status::Sent,
        _ => Status::Sending,
    };
    let unknown = matches!(outcome, Outcome::Retry { unknown: true, .. });
    let settled = engine.settle(id, outcome).await;
    assert_eq!(settled.is_some(), model.step(id, from, to));
    if settled.is_some() && unknown {
        model.0.get_mut(&id).unwrap().unknowns += 1;
    }
}

async fn agree(engine: &Engine, model: &Model) {
    for (id, known) in &model.0 {
        let message = engine.outbox.message(*id).await.unwrap().unwrap();
        assert_eq!((message.status, message.attempts), (known.status, known.attempts));
        assert!(!message.possible_duplicate || known.may_have_gone_out());
        assert_eq!(message.next_attempt_at.is_some(), known.status == Status::Queued);
    }
    let open = model.0.values().filter(|known| !known.status.is_settled()).count();
    assert_eq!(engine.count("SELECT count(*) FROM message"), model.0.len());
    assert_eq!(engine.count("SELECT count(*) FROM message WHERE words IS NOT NULL"), open);
    assert_eq!(engine.count("SELECT count(*) FROM message WHERE status <= 1 AND words IS NULL"), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_every_message_is_where_it_may_be(
        events in prop::collection::vec(event(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut engine = Engine::new(Options { max_queued: MAX_QUEUED as u64, keep: 2 * DAY, ..Options::default() });
            let mut model = Model::default();
            for event in events {
                engine = happen(engine, &mut model, event).await;
                agree(&engine, &model).await;
            }
        });
    }
}
