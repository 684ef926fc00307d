//! The modules as they are written: variables and outputs, read by a parser of HCL.

use std::fs;
use std::path::PathBuf;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use crate::workshop::checkout;

/// The module of all, and its parts; `""` is the former.
pub(crate) const MODULES: [&str; 6] =
    ["", "modules/place", "modules/sender", "modules/sms", "modules/alarms", "modules/queue"];
/// What is shown to be copied.
pub(crate) const EXAMPLES: [&str; 4] =
    ["examples/minimal", "examples/complete", "examples/existing-role", "examples/multi-region"];

/// A variable or an output.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) description: String,
    /// As it is written, on one line.
    pub(crate) kind: Option<String>,
    /// As it is written, on one line; `None` where one must be given.
    pub(crate) default: Option<String>,
    pub(crate) sensitive: bool,
    /// What its validations say.
    pub(crate) refusals: Vec<String>,
    /// All of it as it is written.
    pub(crate) text: String,
}

/// A file of a module.
pub(crate) fn path(module: &str, file: &str) -> PathBuf {
    checkout().join(module).join(file)
}

/// The text of a file of a module.
pub(crate) fn text(module: &str, file: &str) -> String {
    let path = path(module, file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The variables of a module, in their order.
pub(crate) fn variables(module: &str) -> Vec<Member> {
    members(&text(module, "variables.tf"), "variable")
}

/// The outputs of a module, in their order.
pub(crate) fn outputs(module: &str) -> Vec<Member> {
    members(&text(module, "outputs.tf"), "output")
}

/// The aliases of the `provider` blocks in a text; `None` for the one without.
pub(crate) fn provider_aliases(text: &str) -> Vec<Option<String>> {
    let body: Body = text.parse().unwrap();
    let alias = |block: &Block| block.body.get_attribute("alias").map(|alias| string(&alias.value));
    body.get_blocks("provider").map(alias).collect()
}

fn members(text: &str, kind: &str) -> Vec<Member> {
    let body = hcl_edit::parser::parse_body(text).unwrap();
    body.get_blocks(kind).map(|block| member(text, block)).collect()
}

fn member(text: &str, block: &Block) -> Member {
    let source = |span: Option<std::ops::Range<usize>>| text.get(span.unwrap()).unwrap().to_owned();
    let value = |block: &Block, name: &str| block.body.get_attribute(name).map(|attribute| attribute.value.clone());
    let line = |value: Expression| source(value.span()).split_whitespace().collect::<Vec<_>>().join(" ");
    Member {
        name: block.labels[0].as_str().to_owned(),
        description: value(block, "description").map(|value| string(&value)).unwrap_or_default(),
        kind: value(block, "type").map(line),
        default: value(block, "default").map(line),
        sensitive: value(block, "sensitive").and_then(|value| value.as_bool()) == Some(true),
        refusals: block
            .body
            .get_blocks("validation")
            .map(|validation| string(&value(validation, "error_message").expect("a validation says what is allowed")))
            .collect(),
        text: source(block.span()),
    }
}

fn string(value: &Expression) -> String {
    value.as_str().expect("it is written as plain text").to_owned()
}
