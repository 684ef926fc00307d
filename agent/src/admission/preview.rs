//! What a send would meet, without one.

use super::door::Door;
use crate::message::{Code, PhoneNumber, Problem};

impl Door {
    pub(super) async fn look_ahead(self, to: PhoneNumber) -> (bool, Vec<Problem>) {
        if let Some(objection) = self.objection(&to) {
            return (false, vec![objection]);
        }
        let mut problems = Vec::new();
        if !to.is_assigned() {
            let detail = "The number is in a range that is not assigned as far as is known.";
            problems.push(Problem::new(Code::PhoneNumberUnassigned, detail).of("to"));
        }
        match self.0.rooms.carrier.opted_out(&to).await {
            Ok(false) => {}
            Ok(true) => {
                let detail = "SNS would take the message and not deliver it: the number has opted out.";
                problems.push(Problem::new(Code::OptedOut, detail));
            }
            Err(problem) => problems.push(problem),
        }
        (true, problems)
    }
}
