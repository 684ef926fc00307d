//! What the documentation says about problems and statuses is what the code says, and its links lead somewhere.

#![allow(clippy::expect_used, reason = "all of this is test code, outside of test functions too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sms_agent::message::{Code, Status};

const ERRORS: &str = include_str!("../docs/errors.md");
const RELIABILITY: &str = include_str!("../docs/reliability.md");

#[test]
fn every_problem_has_a_section_with_its_status_and_its_remedy() {
    for code in Code::ALL {
        let section = format!("\n### `{}`\n\n{}. {}. {}\n", code.as_str(), code.status(), code.title(), code.hint());
        assert!(ERRORS.contains(&section), "put this into docs/errors.md:\n{section}");
    }
    assert_eq!(ERRORS.matches("\n### `").count(), Code::ALL.len(), "and no other");
}

#[test]
fn every_status_is_explained() {
    let (_, section) = RELIABILITY.split_once("\n## Statuses\n").expect("the page has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let explained: Vec<_> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert_eq!(explained, Status::ALL.map(Status::as_str));
}

/// All pages of the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace");
    let mut pages = Vec::new();
    for folder in [".", ".github", "agent", "provision", "terraform"] {
        add(&root.join(folder), folder != ".", &mut pages);
    }
    pages
}

fn add(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder is there").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && deep && !name.starts_with('.') && name != "node_modules" {
            add(&path, true, pages);
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings =
        page.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings
        .map(|text| text.to_lowercase().chars().filter(|c| kept(*c)).collect::<String>().replace(' ', "-"))
        .collect()
}

/// The targets of the links of a page, those in code left out.
fn links(page: &str) -> Vec<String> {
    let prose: String = page.split("```").step_by(2).collect();
    let ends = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    ends.map(str::to_owned).collect()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let pages = pages();
    assert!(pages.len() > 20, "the pages are found");
    let mut broken = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page is text");
        for link in links(&text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name("").join(file) };
            let found = match fs::read_to_string(&target) {
                Ok(text) => anchor.is_empty() || anchors(&text).contains(anchor),
                Err(_) => anchor.is_empty() && target.exists(),
            };
            if !found {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
