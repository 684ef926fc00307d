//! Why the agent does not start, or ends by itself.

use sms_config::AwsError;
use thiserror::Error;

use super::account;
use crate::api::{BindError, SecretError};
use crate::carrier::simulator::StoreError;
use crate::outbox::sqlite::OpenError;
use crate::outbox::sqs::NoQueue;

/// Why the agent does not start, or ends by itself.
#[derive(Debug, Error)]
pub enum StartError {
    /// The wall clock: HTTP has no date for it, and hyper panics.
    #[error("the clock of this machine is beyond the year 9999: set it (is NTP running?), and start again")]
    Clock,
    /// The outbox.
    #[error(transparent)]
    Outbox(#[from] OpenError),
    /// The simulator's file.
    #[error(transparent)]
    Simulator(#[from] StoreError),
    /// The token or the key of the fingerprints.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// An address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The AWS set-up.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The credentials are another account's.
    #[error(transparent)]
    Account(#[from] account::Foreign),
    /// The queue that several agents share.
    #[error(transparent)]
    Queue(#[from] NoQueue),
    /// A part that runs as long as the agent has panicked.
    #[error(
        "a part of the agent ended with a defect of its own (the log says where): it stopped in order, since it would have \
         accepted messages without sending them. Nothing that it accepted is lost; start it again, and report the line of the log"
    )]
    Defect,
}
