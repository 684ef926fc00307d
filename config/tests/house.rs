//! Text of others is shown through one module. Imports run one way: the AWS set-up reads settings, and neither settings nor telemetry knows of anything else.

mod bypass;
#[path = "imports/mod.rs"]
mod imports;

use std::path::Path;

use imports::House;

const HOUSE: House = House {
    name: "sms_config",
    order: &[&["foreign", "proxies", "running"], &["settings", "telemetry"], &["aws"]],
    guarded: &[
        ("figment", &["settings"]),
        ("toml", &["settings"]),
        ("aws_config", &["aws"]),
        ("aws_sdk_sts", &["foreign"]),
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

/// What shows text of others by itself: the one module that may, and TOML's errors, whose message is a fixed text.
const MAY_SHOW: [&str; 2] = ["/foreign/", "settings/sources.rs"];

#[test]
fn text_of_others_is_shown_through_one_module_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let breaches = bypass::past(&source, &MAY_SHOW);
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn every_way_past_the_module_is_found() {
    for breach in [
        "fn f(error: E) { error.message(); }",
        "fn f(error: E) { error.err().meta(); }",
        "fn f(error: &E) { ProvideErrorMetadata::message(error); }",
        "use aws_smithy_types::error::display::DisplayErrorContext;",
        "fn f() { warn!(?error, \"no\"); }",
        "fn f() { warn!(why = ?err, \"no\"); }",
        "fn f() { format!(\"no: {error:?}\"); }",
        "fn f() { format!(\"no: {err:#?}\"); }",
    ] {
        assert_eq!(bypass::of(breach).len(), 1, "{breach}");
    }
    for well in [
        "fn f() { sns.publish().message(text); let message = Message { id, ..message() }; }",
        "fn f() -> Result<(), E> { Ok(send()?) }",
        "fn f() { format!(\"{path:?} {error}\"); }",
        "#[cfg(test)] mod tests { fn f() { panic!(\"{error:?}\"); } }",
    ] {
        assert_eq!(bypass::of(well), [""; 0], "{well}");
    }
}
