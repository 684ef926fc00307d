//! What the README says about problems and statuses is what the code says.

#![allow(clippy::expect_used, reason = "all of this is test code, outside of test functions too")]

use sms_agent::message::{Code, Status};

const README: &str = include_str!("../README.md");

/// The rows of the table under that heading, without its head.
fn rows(heading: &str) -> Vec<&'static str> {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect("the README has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    section.lines().filter(|line| line.starts_with("| `")).collect()
}

#[test]
fn every_problem_is_listed_with_its_status_and_its_remedy() {
    let told: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("| `{}` | {} | {}. {} |", code.as_str(), code.status(), code.title(), code.hint()))
        .collect();
    assert_eq!(rows("Problems"), told, "put these lines into the README:\n{}", told.join("\n"));
}

#[test]
fn every_status_is_explained() {
    let explained: Vec<_> = rows("Statuses").iter().filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(explained, Status::ALL.map(Status::as_str));
}
