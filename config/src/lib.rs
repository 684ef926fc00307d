//! What sms-agent and sms-provision share: one settings file, the AWS client set-up and the telemetry set-up.

mod settings;

pub use settings::{
    Account, Agent, Aws, Carrier, Dispatch, Listen, Loaded, Numbers, OnUnknown, Outbox, Queue, Role, Settings,
    SettingsError, Simulator, SmsType, Sources, Target,
};
