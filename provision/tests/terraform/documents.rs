//! The READMEs: their tables are made from the code, and their addresses and texts are those of the code.
//!
//! `WRITE_TABLES=1 cargo test -p sms-provision --test terraform tables` writes the tables.

use std::fs;

use crate::modules::{EXAMPLES, MODULES, Member, outputs, path, text, variables};

const FILES: [&str; 5] = ["main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"];

#[test]
fn each_module_has_the_same_files_and_each_example_what_it_needs() {
    for module in MODULES {
        for file in FILES {
            assert!(path(module, file).is_file(), "{module}/{file} is missing");
        }
    }
    for example in EXAMPLES {
        for file in ["main.tf", "outputs.tf", "versions.tf"] {
            assert!(path(example, file).is_file(), "{example}/{file} is missing");
        }
        assert!(text("", "README.md").contains(&format!("({example})")), "README.md does not name {example}");
    }
}

#[test]
fn the_versions_are_the_same_everywhere() {
    for module in MODULES.iter().chain(&EXAMPLES) {
        assert_eq!(text(module, "versions.tf"), text("", "versions.tf"), "{module}");
    }
}

#[test]
fn the_tables_of_each_readme_are_those_of_its_module() {
    for module in MODULES {
        let readme = text(module, "README.md");
        let written = with_table(&readme, "variables", &table_of_variables(&variables(module)));
        let written = with_table(&written, "outputs", &table_of_outputs(&outputs(module)));
        if std::env::var_os("WRITE_TABLES").is_some() {
            fs::write(path(module, "README.md"), &written).unwrap();
        } else {
            assert!(
                readme == written,
                "{module}/README.md is not as its code is: write its tables anew with WRITE_TABLES=1"
            );
        }
    }
}

#[test]
fn everything_is_described_and_a_secret_is_sensitive() {
    for module in MODULES {
        let (variables, outputs) = (variables(module), outputs(module));
        assert!(!variables.is_empty() && !outputs.is_empty(), "{module}");
        for member in variables.iter().chain(&outputs) {
            assert!(member.description.ends_with('.'), "{module}: {} is not described", member.name);
        }
        assert!(variables.iter().all(|variable| variable.kind.is_some()), "{module} has a variable without a type");
        for output in outputs {
            assert_eq!(output.sensitive, output.name.contains("secret"), "{module}: {}", output.name);
        }
    }
}

#[test]
fn a_variable_of_a_part_is_word_for_word_that_of_the_whole() {
    let whole = variables("");
    let is_whole = |part: &Member| whole.iter().any(|one| one.text == part.text);
    for module in &MODULES[1..] {
        let parts = variables(module);
        for part in &parts {
            assert!(is_whole(part), "{module}: {} is another one than in the root module", part.name);
        }
        let place = |part: &Member| whole.iter().position(|one| one.name == part.name);
        assert!(parts.iter().map(place).is_sorted(), "{module} has them in another order than the root module");
    }
    let somewhere = |name: &str| MODULES[1..].iter().any(|module| variables(module).iter().any(|one| one.name == name));
    for one in &whole {
        assert!(somewhere(&one.name), "{} is handed on to no part", one.name);
        assert!(text("", "main.tf").contains(&format!("= var.{}\n", one.name)), "{} is not handed on", one.name);
    }
}

#[test]
fn each_validation_is_tried_by_terraform_s_own_tests() {
    let tests = fs::read_dir(path("", "tests")).unwrap().map(|test| fs::read_to_string(test.unwrap().path()).unwrap());
    let tests: String = tests.collect();
    let expected = tests.split("expect_failures = [").skip(1).filter_map(|rest| rest.split(']').next());
    let expected: Vec<_> = expected.flat_map(|list| list.split(',').map(str::trim)).collect();
    for one in variables("").iter().filter(|one| !one.refusals.is_empty()) {
        assert!(expected.contains(&format!("var.{}", one.name).as_str()), "no test has {} refused", one.name);
    }
}

#[test]
fn an_output_of_a_part_is_one_of_the_whole() {
    let whole = outputs("");
    for module in &MODULES[1..] {
        for part in outputs(module) {
            let found = whole.iter().find(|one| one.name == part.name);
            let found = found.unwrap_or_else(|| panic!("the root module lacks {} of {module}", part.name));
            assert!(found.description.starts_with(part.description.trim_end_matches('.')), "{}", part.name);
            assert_eq!(found.sensitive, part.sensitive, "{}", part.name);
        }
    }
}

/// `readme` with what stands between the two marks of `name` replaced.
fn with_table(readme: &str, name: &str, table: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = readme.split_once(&open).unwrap_or_else(|| panic!("a README has no {open}"));
    let (_, after) = rest.split_once(&close).unwrap_or_else(|| panic!("a README has no {close}"));
    format!("{before}{open}{table}{close}{after}")
}

fn table_of_variables(variables: &[Member]) -> String {
    let mut table = "| variable | type | default | |\n|---|---|---|---|\n".to_owned();
    for one in variables {
        let (name, kind) = (&one.name, one.kind.clone().unwrap_or_default());
        // The members of an object are told by the words for it.
        let kind = if kind.starts_with("object(") { "object" } else { &kind };
        let default = one.default.as_ref().map_or("required".to_owned(), |default| format!("`{default}`"));
        let allowed = match one.refusals.as_slice() {
            [refusal] => refusal.replacen(&format!("{name} must"), " Must", 1),
            _ => String::new(),
        };
        table += &format!("| `{name}` | `{kind}` | {default} | {}{allowed} |\n", one.description);
    }
    table
}

fn table_of_outputs(outputs: &[Member]) -> String {
    let mut table = "| output | |\n|---|---|\n".to_owned();
    for one in outputs {
        let sensitive = if one.sensitive { " Sensitive." } else { "" };
        table += &format!("| `{}` | {}{sensitive} |\n", one.name, one.description);
    }
    table
}
