//! sms-provision: sets up an AWS account for sending SMS through Amazon SNS.
//!
//! Data flows one way: the settings become a [`stack`] of wanted resources, [`observe`] reads what is there, [`plan`] is
//! the difference, and [`apply`] carries it out. There is no state file: a resource is found by its name and owned by
//! its tags. Each kind of resource is one file of [`kinds`].

pub mod apply;
pub mod aws;
pub mod cli;
pub mod commands;
pub mod credentials;
pub mod inquiry;
pub mod keys;
pub mod kinds;
pub mod number;
pub mod observe;
pub mod operator;
pub mod plan;
pub mod render;
pub mod resource;
pub mod stack;
pub mod terraform;
pub mod verify;
