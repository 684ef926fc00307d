//! sms-provision: will set up an AWS account for sending SMS. This build only knows what it is called.

pub mod cli;
