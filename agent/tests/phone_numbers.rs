//! What the agent says of a phone number, held against what Google's libphonenumber, as ported to Python, says of it.
//!
//! `data/phone_numbers.py` wrote the numbers and the answers, from the metadata version that the agent's own plans are
//! made of. So no deviation is tolerated: a difference is a defect of ours, or the two files come from two versions.

use sms_agent::message::PhoneNumber;

const ANSWERS: &str = include_str!("data/phone_numbers.tsv");
const PLANS: &str = include_str!("../src/message/plans.tsv");

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    ANSWERS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// The answer of ours, in the words of the data.
fn answer(number: &str) -> &'static str {
    match PhoneNumber::parse(number) {
        Err(_) => "-",
        Ok(number) if !number.is_assigned() => {
            assert_eq!(number.country(), None, "an unassigned number has no country");
            "?"
        }
        Ok(number) => number.country().unwrap_or("001"),
    }
}

#[test]
fn every_number_is_judged_as_google_judges_it() {
    let differing: Vec<String> = rows()
        .filter(|&(number, expected)| answer(number) != expected)
        .map(|(number, expected)| format!("{number}: Google {expected}, the agent {}", answer(number)))
        .collect();
    assert!(differing.is_empty(), "{} numbers differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn the_data_covers_every_region_that_has_a_plan() {
    let lines = PLANS.lines().filter(|line| !line.starts_with('#'));
    let missing: Vec<&str> = lines
        .filter_map(|line| line.split('\t').nth(1))
        .filter(|region| !rows().any(|(_, expected)| expected == *region))
        .collect();
    // Every number of Western Sahara is one of Morocco's, whose plan comes first.
    assert_eq!(missing, ["EH"]);
    assert!(rows().count() > 9_000);
}

#[test]
fn the_plans_and_the_answers_come_from_one_version() {
    let version = |file: &'static str| {
        file.split([' ', ',', '\n']).find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
    };
    assert!(version(PLANS).is_some());
    assert_eq!(version(PLANS), version(ANSWERS));
}
