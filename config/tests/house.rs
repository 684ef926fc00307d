//! Imports run one way: the AWS set-up reads settings, and neither settings nor telemetry knows of anything else.

#[path = "imports/mod.rs"]
mod imports;

use imports::House;

const HOUSE: House = House {
    name: "sms_config",
    order: &[&["settings", "telemetry"], &["aws"]],
    guarded: &[
        ("figment", &["settings"]),
        ("toml", &["settings"]),
        ("aws_config", &["aws"]),
        ("opentelemetry_otlp", &["telemetry"]),
        ("opentelemetry_sdk", &["telemetry"]),
        ("tonic", &["telemetry"]),
    ],
};

#[test]
fn no_import_runs_against_the_order() {
    let breaches = HOUSE.breaches_of(env!("CARGO_MANIFEST_DIR"));
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn a_breach_by_way_of_the_root_is_found() {
    let root = ("lib.rs", "mod aws; mod settings; mod telemetry; pub use aws::AwsAccess; pub use settings::Aws;");
    let settings = ("settings/mod.rs", "pub struct Aws; use crate::AwsAccess;");
    let aws = ("aws/mod.rs", "pub struct AwsAccess; use crate::Aws;");
    let telemetry = ("telemetry/mod.rs", "fn f() -> crate::Aws { todo!() }");
    assert_eq!(
        HOUSE.breaches(&[root, settings, aws, telemetry]),
        [
            "settings names aws::AwsAccess, which is not below it: settings/mod.rs:1",
            "telemetry names settings::Aws, which is not below it: telemetry/mod.rs:1",
        ]
    );
}
