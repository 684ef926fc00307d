//! Rule: only numbers in ranges that are known to be assigned. Off by default, since what is known of ranges ages.

use super::Rule;
use crate::message::{Code, PhoneNumber, Problem};

/// `agent.numbers = "assigned"`.
#[derive(Clone, Copy, Debug)]
pub struct AssignedNumbers;

impl Rule for AssignedNumbers {
    fn objection(&self, to: &PhoneNumber) -> Option<Problem> {
        (!to.is_assigned()).then(|| {
            Problem::new(
                Code::InvalidPhoneNumber,
                "`to` is in a range that is not assigned as far as is known, and this agent sends to assigned ranges \
                 only (`agent.numbers`).",
            )
            .of("to")
        })
    }
}
