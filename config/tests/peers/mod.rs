//! The real programs that the tests run the product against: moto's server for AWS, ministack for what IAM decides,
//! rotel for OpenTelemetry, and whatever else `requirements.txt` names, run by [`python`].
//!
//! In goes nothing but a Python 3 and PyPI; a virtual environment is made once under cargo's target folder. Each peer
//! is a process of its own with its own state and port, and ends with its test, even one that is killed. A peer that
//! cannot be had fails the test: a test that skips itself proves nothing.
//!
//! Other crates' tests use it by `#[path = "../../config/tests/peers/mod.rs"] mod peers;`.

#![allow(dead_code, unused_imports, reason = "each test uses some of the peers")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

mod collector;
mod gateway;
mod http;
mod ministack;
mod moto;
mod process;
mod unusable;
mod venv;

pub(crate) use collector::{Collector, Span};
pub(crate) use gateway::Gateway;
pub(crate) use http::{Answer, get, get_with, post, read_message};
pub(crate) use ministack::Ministack;
pub(crate) use moto::{Moto, Sms};
pub(crate) use process::Peer;
pub(crate) use unusable::UNUSABLE;
pub(crate) use venv::{Packages, command, npm, python};
