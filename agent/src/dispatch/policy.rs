//! What follows for a message from what its attempt met. Pure.

use std::num::NonZeroU32;

use sms_config::{Dispatch as Settings, OnUnknown};

use super::backoff;
use crate::carrier::{PublishError, Verdict};
use crate::message::{Code, Problem, Timestamp};
use crate::outbox::{Claim, Outcome};

/// The settings that decide it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    max_attempts: Option<NonZeroU32>,
    /// How often an unknown outcome is published again: 0 to hold.
    max_resends: u32,
}

impl Policy {
    pub(super) fn new(settings: &Settings) -> Self {
        let max_resends = match settings.on_unknown {
            OnUnknown::Resend => settings.max_resends,
            OnUnknown::Hold => 0,
        };
        Self { max_attempts: settings.max_attempts, max_resends }
    }

    /// The outcome of a claim that is not published: its time is over, or it may have gone out and none such is repeated.
    pub(super) fn unpublished(&self, claim: &Claim, now: Timestamp) -> Option<Outcome> {
        if self.max_resends == 0 && claim.may_have_gone_out() {
            let detail = "An attempt may have gone out, and no such attempt is to be repeated.";
            return Some(Outcome::Unknown(Problem::new(Code::OutcomeUnknown, detail)));
        }
        if claim.expires_at.is_none_or(|expires_at| now < expires_at) {
            return None;
        }
        let problem = Problem::new(Code::Expired, "Its `expires_in` ran out before it could be published.");
        Some(if claim.may_have_gone_out() { unknown(&problem) } else { Outcome::Expired(problem) })
    }

    /// The outcome of a failed attempt.
    pub(super) fn failed(&self, claim: &Claim, error: PublishError, now: Timestamp) -> Outcome {
        match error.verdict {
            // An earlier attempt may have gone out; a refusal of this one does not take that back.
            Verdict::Rejected if claim.may_have_gone_out() => unknown(&error.problem),
            Verdict::Rejected => Outcome::Failed(error.problem),
            Verdict::NotSent => self.again(claim, error.problem, false, now),
            Verdict::Unknown => self.again(claim, error.problem, true, now),
        }
    }

    /// The outcome of an attempt that the end of the process cut off.
    pub(super) fn interrupted(&self, claim: &Claim, now: Timestamp) -> Outcome {
        self.cut_off(claim, "The agent ended while the publish was under way.", now)
    }

    /// The outcome of an attempt that another agent may have made.
    pub(super) fn suspected(&self, claim: &Claim, now: Timestamp) -> Outcome {
        self.cut_off(claim, "Another agent took it before, and may have published it.", now)
    }

    fn cut_off(&self, claim: &Claim, detail: &'static str, now: Timestamp) -> Outcome {
        let cut = Problem::new(Code::OutcomeUnknown, detail);
        match self.again(claim, cut, true, now) {
            // The end of a process is no overload: there is nothing to back off from.
            Outcome::Retry { problem, unknown, .. } => Outcome::Retry { at: now, problem, unknown },
            other => other,
        }
    }

    fn again(&self, claim: &Claim, problem: Problem, is_unknown: bool, now: Timestamp) -> Outcome {
        if is_unknown && claim.unknowns >= self.max_resends {
            return unknown(&problem);
        }
        // What waits in the queue at `give_up_at` is ended there, by the sweep: not sooner, since the time is promised.
        let at = now.plus(backoff::after(claim.attempt)).min(claim.give_up_at);
        let attempts_left = self.max_attempts.is_none_or(|most| claim.attempt < most.get());
        if attempts_left && now < claim.give_up_at {
            return Outcome::Retry { at, problem, unknown: is_unknown };
        }
        if is_unknown || claim.may_have_gone_out() { unknown(&problem) } else { Outcome::Failed(problem) }
    }
}

/// Whether it went out nobody can know; what the last attempt met stays readable.
fn unknown(problem: &Problem) -> Outcome {
    if problem.code == Code::OutcomeUnknown {
        return Outcome::Unknown(problem.clone());
    }
    let detail = format!("An attempt may have gone out; the last one ended with: {}", problem.detail);
    Outcome::Unknown(Problem::new(Code::OutcomeUnknown, detail).with_request_id(problem.aws_request_id.clone()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::carrier::Signal;
    use crate::message::{IdSource, PhoneNumber, Sender, Sms, SmsType, Text};

    const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);

    fn policy(max_attempts: u32, max_resends: u32) -> Policy {
        Policy { max_attempts: NonZeroU32::new(max_attempts), max_resends }
    }

    fn claim(attempt: u32, unknowns: u32) -> Claim {
        Claim {
            id: IdSource::new().next(NOW),
            sms: Sms {
                to: PhoneNumber::parse("+12065550100").unwrap(),
                text: Text::parse("Hello".to_owned()).unwrap(),
                kind: SmsType::Transactional,
                sender: Sender::Account,
                max_price_usd: None,
                entity_id: None,
                template_id: None,
            },
            attempt,
            unknowns,
            doubtful: false,
            accepted_at: NOW,
            expires_at: None,
            give_up_at: NOW.plus(Duration::from_secs(86_400)),
            trace: None,
        }
    }

    fn error(verdict: Verdict) -> PublishError {
        PublishError { verdict, signal: Signal::None, problem: Problem::new(Code::CarrierThrottled, "slow down") }
    }

    #[test]
    fn what_was_not_sent_is_tried_again_until_the_attempts_are_used_up() {
        assert!(matches!(
            policy(3, 2).failed(&claim(2, 0), error(Verdict::NotSent), NOW),
            Outcome::Retry { unknown: false, .. }
        ));
        let Outcome::Failed(problem) = policy(3, 2).failed(&claim(3, 0), error(Verdict::NotSent), NOW) else {
            panic!("it is not given up")
        };
        assert_eq!(problem.code, Code::CarrierThrottled);
    }

    #[test]
    fn a_message_is_given_up_at_its_time_and_not_before() {
        let mut late = claim(12, 0);
        late.give_up_at = NOW.plus(Duration::from_millis(1));
        let Outcome::Retry { at, .. } = policy(0, 2).failed(&late, error(Verdict::NotSent), NOW) else {
            panic!("it is given up early")
        };
        assert!(at <= late.give_up_at);
        late.give_up_at = NOW;
        assert!(matches!(policy(0, 2).failed(&late, error(Verdict::NotSent), NOW), Outcome::Failed(_)));
    }

    #[test]
    fn an_unknown_outcome_is_sent_again_as_often_as_allowed_and_never_on_hold() {
        for (max_resends, unknowns, again) in [(2, 0, true), (2, 1, true), (2, 2, false), (0, 0, false)] {
            let outcome = policy(0, max_resends).failed(&claim(unknowns + 1, unknowns), error(Verdict::Unknown), NOW);
            assert_eq!(matches!(outcome, Outcome::Retry { unknown: true, .. }), again, "{max_resends} {unknowns}");
            assert_eq!(matches!(outcome, Outcome::Unknown(_)), !again);
            let outcome = policy(0, max_resends).interrupted(&claim(unknowns + 1, unknowns), NOW);
            assert_eq!(matches!(outcome, Outcome::Retry { at: NOW, unknown: true, .. }), again);
        }
    }

    #[test]
    fn once_an_attempt_may_have_gone_out_nothing_but_a_success_ends_as_known() {
        let doubtful = Claim { doubtful: true, ..claim(1, 0) };
        let ended = [claim(2, 1), doubtful].into_iter().flat_map(|claim| {
            let late = Claim { give_up_at: NOW, expires_at: Some(NOW), ..claim };
            [
                policy(0, 2).failed(&late, error(Verdict::NotSent), NOW),
                policy(0, 2).failed(&late, error(Verdict::Rejected), NOW),
                policy(0, 2).unpublished(&late, NOW).unwrap(),
            ]
        });
        for outcome in ended {
            let Outcome::Unknown(problem) = outcome else { panic!("{outcome:?}") };
            assert_eq!(problem.code, Code::OutcomeUnknown);
        }
    }

    #[test]
    fn what_expires_now_is_not_published_and_a_millisecond_earlier_it_is() {
        let mut claim = claim(1, 0);
        claim.expires_at = Some(NOW.plus(Duration::from_millis(1)));
        assert!(policy(0, 2).unpublished(&claim, NOW).is_none());
        claim.expires_at = Some(NOW);
        assert!(matches!(policy(0, 2).unpublished(&claim, NOW), Some(Outcome::Expired(_))));
    }

    #[test]
    fn what_may_have_gone_out_is_not_published_where_nothing_such_is_repeated() {
        for (claim, resends, unpublished) in [
            (claim(2, 1), 0, true),
            (Claim { doubtful: true, ..claim(1, 0) }, 0, true),
            (claim(2, 0), 0, false),
            (Claim { doubtful: true, ..claim(1, 0) }, 1, false),
        ] {
            let outcome = policy(0, resends).unpublished(&claim, NOW);
            assert_eq!(matches!(outcome, Some(Outcome::Unknown(_))), unpublished, "{claim:?} {resends}");
        }
    }
}
