//! What became of a message after the carrier took it.
//!
//! In flow the carrier's delivery reports; out flow settlements into the outbox. The rule it keeps: a report is
//! acknowledged only once the outbox has it, or can never have it. It knows nothing of HTTP.

use std::sync::Arc;

use crate::carrier::simulator::Simulator;
use crate::carrier::{Delivery, Report};
use crate::clock::Clock;
use crate::outbox::{Outbox, Outcome, endings};

/// How many reports are taken at once.
const BATCH: usize = 64;

/// Settles messages as the simulator's phones report them, for as long as it is polled.
pub async fn follow(simulator: Arc<Simulator>, outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>) {
    loop {
        let (mut done, mut early) = (Vec::new(), Vec::new());
        for report in simulator.due_reports(BATCH).await {
            let id = report.id;
            if settle(report, outbox.as_ref(), clock.as_ref()).await { done.push(id) } else { early.push(id) }
        }
        simulator.acknowledge(&done);
        simulator.retry_later(&early);
    }
}

/// Whether the report is done with. A report may overtake the settlement of its own publish.
async fn settle(report: Report, outbox: &dyn Outbox, clock: &dyn Clock) -> bool {
    let outcome = match report.delivery {
        Delivery::Delivered => Outcome::Delivered,
        Delivery::Undeliverable(problem) => Outcome::Undeliverable(problem),
    };
    match outbox.settle(report.id, outcome, clock.now(), false).await {
        Ok(Some(message)) => {
            endings::tell_of(&message);
            true
        }
        Ok(None) => match outbox.message(report.id).await {
            Ok(message) => message.is_none_or(|message| message.status.is_settled()),
            Err(_) => false,
        },
        Err(_) => false,
    }
}
