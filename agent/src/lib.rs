//! sms-agent: a sidecar that makes an SMS durable, decides whether it may go, paces it, retries it, publishes it
//! through Amazon SNS and knows what became of it.
//!
//! Data flows one way: `api` → `admission` → `outbox` → `dispatch` → `carrier`, and `receipts` back into the outbox.
//! An import never runs against that flow.

pub mod admission;
pub mod api;
pub mod app;
pub mod carrier;
pub mod cli;
pub mod clock;
pub mod defects;
pub mod dispatch;
pub mod message;
mod open_files;
pub mod outbox;
mod private_file;
pub mod program;
pub mod receipts;
pub mod signals;
pub mod tasks;
