//! The variables are the keys of `[account]`: the same names, defaults and values, as `sms-config` has them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use sms_config::{Loaded, Sources, sends_sms};

use crate::modules::{path, text, variables};
use crate::workshop::Terraform;

const EXAMPLE: &str = include_str!("../../../config/sms.example.toml");

/// A key whose file only `sms-provision` writes.
const NOT_IN_TERRAFORM: &str = "credentials_file";
/// Variables that only Terraform has.
const ONLY_IN_TERRAFORM: [&str; 6] =
    ["place", "sender_roles", "workload_role", "keep_delivery_logs", "existing_log_group_names", "alarm_subscribers"];

/// A key of `[account]` as the example has it, which its own test holds to the code.
struct Key {
    name: String,
    /// As HCL would have it.
    default: String,
    /// Follows "must be".
    allowed: String,
}

fn keys() -> Vec<Key> {
    let (_, section) = EXAMPLE.split_once("[account]\n").unwrap();
    let (section, _) = section.split_once("#[[targets]]").unwrap();
    let (mut words, mut keys) = (String::new(), Vec::new());
    for line in section.lines() {
        match (line.strip_prefix("# "), line.strip_prefix('#').and_then(|line| line.split_once(" = "))) {
            (Some(more), _) => words = format!("{words} {more}"),
            (None, Some((name, default))) => {
                let allowed = words.split_once("Must be ").unwrap().1.trim_end_matches('.').to_owned();
                let default = if default == "\"\"" { "null" } else { default }.to_owned();
                keys.push(Key { name: name.to_owned(), default, allowed });
                words.clear();
            }
            (None, None) => words.clear(),
        }
    }
    assert!(keys.len() > 20);
    keys
}

#[test]
fn the_variables_are_the_keys_of_account_with_the_same_defaults() {
    let wanted = keys().into_iter().filter(|key| key.name != NOT_IN_TERRAFORM).map(|key| match key.name.as_str() {
        // Its secret would stand in the state.
        "create_access_key" => (key.name, "false".to_owned()),
        _ => (key.name, key.default),
    });
    let found = variables("").into_iter().filter(|one| !ONLY_IN_TERRAFORM.contains(&one.name.as_str()));
    let found: BTreeMap<_, _> = found.map(|one| (one.name, one.default.unwrap_or_default())).collect();
    assert_eq!(found, wanted.collect());
}

#[test]
fn what_is_allowed_is_said_in_the_words_of_the_settings() {
    for key in keys() {
        let Some(variable) = variables("").into_iter().find(|one| one.name == key.name) else { continue };
        match variable.kind.as_deref() {
            Some("bool") => assert_eq!(key.allowed, "true or false", "{}", key.name),
            _ => assert_eq!(variable.refusals, [format!("{} must be {}.", key.name, key.allowed)]),
        }
    }
}

#[test]
fn the_regions_that_send_sms_are_those_of_the_settings() {
    let check = text("modules/sms", "main.tf");
    let (_, list) = check.split_once("condition = contains([").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let regions: Vec<_> =
        list.split(',').map(|one| one.trim().trim_matches('"')).filter(|one| !one.is_empty()).collect();
    assert!(regions.len() > 30 && regions.is_sorted());
    assert!(regions.iter().all(|region| sends_sms(region)), "{regions:?}");
    // No region is known to the settings that is not in the list: all names that AWS could give.
    let areas = ["af", "ap", "ca", "eu", "eusc-de", "il", "me", "mx", "sa", "us", "us-gov"];
    let winds = ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];
    for name in areas.iter().flat_map(|area| winds.map(|wind| format!("{area}-{wind}"))) {
        for name in (1..=9).map(|number| format!("{name}-{number}")) {
            assert_eq!(sends_sms(&name), regions.contains(&name.as_str()), "{name}");
        }
    }
}

#[test]
fn the_variables_take_what_the_settings_take_and_refuse_what_they_refuse() {
    let Some(terraform) = Terraform::find() else { return };
    let mut tests = String::new();
    let (mut taken, mut refused) = (0, 0);
    for (key, values) in samples() {
        for value in values {
            let fits = settings_take(key, &value);
            *(if fits { &mut taken } else { &mut refused }) += 1;
            let verdict = if fits { String::new() } else { format!("  expect_failures = [var.{key}]\n") };
            // JSON is HCL, but for what begins a template.
            let value = value.to_string().replace("${", "$${");
            let count = taken + refused;
            tests += &format!(
                "run \"{key}_{count}\" {{\n  command = plan\n  variables {{\n    {key} = {value}\n  }}\n{verdict}}}\n"
            );
        }
    }
    assert!(taken > 40 && refused > 60, "{taken} {refused}");

    let folder = tempfile::tempdir().unwrap();
    fs::copy(path("", "variables.tf"), folder.path().join("variables.tf")).unwrap();
    fs::write(folder.path().join("samples.tftest.hcl"), tests).unwrap();
    terraform.run(folder.path(), &["init"]).done();
    let ran = terraform.run(folder.path(), &["test"]).done();
    assert!(ran.out.contains(&format!("{} passed, 0 failed", taken + refused)), "{}", ran.out);
}

/// Whether the settings take that value for a key of `[account]`.
fn settings_take(key: &str, value: &Value) -> bool {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let sources = Sources {
        config: None,
        set: vec![format!("account.{key}={value}")],
        env: vec![("HOME".into(), "/somebody".into())],
        working_dir: env!("CARGO_TARGET_TMPDIR").into(),
        system_file: "none.toml".into(),
        runs_agent: false,
    };
    Loaded::load(&sources).is_ok()
}

/// For each key values on both sides of what is allowed.
fn samples() -> Vec<(&'static str, Vec<Value>)> {
    let long = |count: usize| "a".repeat(count);
    let arn = |rest: &str| format!("arn:aws:iam::{rest}");
    let tag = |key: &str| json!({ key: "v" });
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    vec![
        ("name", vec![json!("sms"), json!("a"), json!(long(30)), json!("a-1-"), json!(long(31)), json!("1a")]),
        ("name", vec![json!("A"), json!("a_b"), json!("-a"), json!("sms "), json!("smß"), json!("sms\n")]),
        (
            "account_id",
            vec![json!("012345678901"), json!("12345678901"), json!("1234567890123"), json!("12345678901a")],
        ),
        ("path", vec![json!("/"), json!("/sms/"), json!("/a/b+=,.@-_/"), json!("sms/"), json!("/sms"), json!("//")]),
        (
            "path",
            vec![json!("/a//b/"), json!("/a b/"), json!(format!("/{}/", long(510))), json!(format!("/{}/", long(511)))],
        ),
        (
            "permissions_boundary_arn",
            vec![
                json!(arn("123456789012:policy/boundary")),
                json!(arn("aws:policy/job-function/ViewOnlyAccess")),
                json!("arn:aws-us-gov:iam::123456789012:policy/a/b"),
                json!(arn("123456789012:role/boundary")),
                json!(arn("12345678901:policy/boundary")),
                json!(arn("123456789012:policy/")),
                json!(arn("123456789012:policy/a b")),
                json!(format!("{}{}", arn("123456789012:policy/"), long(2016))),
                json!(format!("{}{}", arn("123456789012:policy/"), long(2020))),
            ],
        ),
        ("sender_role_names", vec![json!([]), json!(["app"]), json!(["a", "b+=,.@-_"]), json!([long(64)])]),
        ("sender_role_names", vec![json!(["a", "a"]), json!([long(65)]), json!(["a/b"]), json!([""]), json!(["é"])]),
        ("default_sms_type", vec![json!("Transactional"), json!("Promotional"), json!("transactional"), json!("x")]),
        (
            "default_sender_id",
            vec![json!("SHOP"), json!("a"), json!("12345678a01"), json!("1234"), json!("ABCDEFGHIJKL")],
        ),
        ("default_sender_id", vec![json!("A-B"), json!("A B"), json!("Ä")]),
        (
            "monthly_spend_limit_usd",
            vec![json!(1), json!(1_000_000), json!(0), json!(-1), json!(1.5), json!(1_000_001)],
        ),
        ("usage_report_bucket", vec![json!("abc"), json!("a.b-1"), json!(long(63)), json!("ab"), json!(long(64))]),
        ("usage_report_bucket", vec![json!("Abc"), json!("-abc"), json!("abc."), json!("a_bc")]),
        ("delivery_status_sampling_percent", vec![json!(0), json!(100), json!(-1), json!(101), json!(0.5)]),
        (
            "delivery_log_retention_days",
            vec![json!(1), json!(30), json!(3653), json!(0), json!(2), json!(31), json!(29.5)],
        ),
        ("alarm_emails", vec![json!([]), json!(["a@b.c"]), json!(["o'x+y@mail.example.com", "ü@bücher.example"])]),
        ("alarm_emails", vec![json!(["a"]), json!(["a@b"]), json!(["@b.c"]), json!(["a b@c.d"]), json!(["a@b..c"])]),
        (
            "alarm_emails",
            vec![json!(["a@b@c.d"]), json!(["a@b.c", "a@b.c"]), json!(["a@b.c,d@e.f"]), json!(["<a@b.c>"])],
        ),
        (
            "alarm_emails",
            vec![json!([format!("{}@b.c", long(250))]), json!([format!("{}@b.c", long(251))]), json!(["a@b_c.d"])],
        ),
        (
            "spend_alarm_percents",
            vec![json!([]), json!([1, 100]), json!([0]), json!([101]), json!([50, 50]), json!([1.5])],
        ),
        ("failure_alarm_percent", vec![json!(1), json!(100), json!(0), json!(101), json!(9.9)]),
        ("tags", vec![json!({}), json!({"team": "shop"}), json!({"a": ""}), json!({"Ünit 1": "_.:/=+-@ é"})]),
        (
            "tags",
            vec![tag("sms:stack"), tag("SMS:x"), tag("aws:x"), tag("AWS:x"), tag("managed-by"), tag("Managed-By")],
        ),
        ("tags", vec![tag("managed-by-whom"), tag("smsx"), tag("a,b"), tag(&long(128)), tag(&long(129))]),
        (
            "tags",
            vec![
                json!({"Team": "a", "team": "b"}),
                json!({"a": long(256)}),
                json!({"a": long(257)}),
                json!({"a": "b;c"}),
            ],
        ),
        ("tags", vec![Value::Object(many(40)), Value::Object(many(41))]),
    ]
}
