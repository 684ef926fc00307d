//! The modules of `terraform/`: held to the settings and to their documents, and applied with the real AWS provider on
//! moto.
//!
//! Where there is no `terraform` or no provider, the tests that need one say so and pass; with `CI` set they fail.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "clippy does not see that all of this crate is tests")]

#[path = "../../../config/tests/peers/mod.rs"]
mod peers;

mod accounts;
mod checks;
mod documents;
mod lifecycle;
mod modules;
mod moto;
mod parity;
mod settings;
mod workshop;
