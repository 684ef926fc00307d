//! What sms-agent and sms-provision share: one settings file, the AWS client set-up and the telemetry set-up.

mod aws;
pub mod foreign;
mod proxies;
mod running;
mod settings;
mod telemetry;

pub use aws::{
    Ahead, AwsAccess, AwsError, ClientOptions, Credentials, InUse, Incoming, MissingProfile, Outgoing, ProfileTrouble,
    RegionAhead, ahead_of_a_key, ahead_of_a_region, in_use, sends_sms, unexpected_source,
};
pub use running::{TimedOut, within};
pub use settings::{
    Account, Agent, Aws, Carrier, Dispatch, Listen, Loaded, Numbers, OnUnknown, Outbox, Queue, QueueUrl, Role,
    Settings, SettingsError, Simulator, SmsType, Sources, Target,
};
pub use telemetry::{Lines, Repeated, Telemetry, TelemetryError, context as trace, mask_numbers};
