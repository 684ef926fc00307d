//! What the account can be asked beside its resources: sandbox, spend, opt-outs, origination numbers, identifiers. In flow clients, out flow
//! answers. Everything here is of one region, and asked no faster than SNS allows.

mod identifiers;
mod opt_outs;
mod sandbox;
mod spend;

use std::time::Duration;

use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::RetryConfig;
use tokio::time::{Instant, sleep_until};

pub use identifiers::{queue_url, subscriptions};
pub use opt_outs::{OptOuts, all_opt_outs, count_opt_outs, is_opted_out, opt_in};
pub use sandbox::{VerifiedNumber, add_number, is_in_sandbox, numbers, remove_number, verify_number};
pub use spend::{LIMIT_UNTOUCHED, Spend, has_origination_number, sms_attributes, spend};

/// Lets so many calls pass in a time, one after the other.
struct Pace {
    every: Duration,
    next: Option<Instant>,
}

impl Pace {
    fn per_second(calls: u32) -> Self {
        Self { every: Duration::from_secs(1) / calls, next: None }
    }

    async fn turn(&mut self) {
        if let Some(next) = self.next {
            sleep_until(next).await;
        }
        self.next = Some(Instant::now() + self.every);
    }
}

/// One repetition and no more: whoever asks would rather know that there is no answer.
fn briefly() -> Builder {
    Builder::new().retry_config(RetryConfig::standard().with_max_attempts(2))
}
