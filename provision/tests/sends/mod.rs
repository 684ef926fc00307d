//! Which calls of AWS are sent past the one way of asking again: the source as Rust's own lexer splits it.
//!
//! A call's `.send()` has to be what a closure gives back, and the closure an argument of `call` or of its like, by itself or
//! by its name. A paginator of the SDK sends by itself, and is past it always.

#![allow(clippy::expect_used, reason = "all of this is test code, outside of test functions too")]

use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The ways of asking again.
const FAMILY: [&str; 6] = ["call", "call_about", "call_create", "call_delete", "call_while", "pages"];

/// Every breach in the files of that folder, but for the one that has the family.
pub(crate) fn past(folder: &Path, family: &Path) -> Vec<String> {
    let mut breaches = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("the source is there").path();
        if path.is_dir() {
            breaches.extend(past(&path, family));
        } else if path != family && path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("the source can be read");
            breaches.extend(of(&source).into_iter().map(|breach| format!("{}:{breach}", path.display())));
        }
    }
    breaches
}

/// Every breach in a source, with its line.
pub(crate) fn of(source: &str) -> Vec<String> {
    let stream = TokenStream::from_str(source).expect("the source is Rust");
    let mut found = Found::default();
    found.walk(stream, None, None);
    let Found { mut breaches, bound, passed, called } = found;
    for (name, line) in bound {
        if called.contains(&name) {
            breaches.push(format!("{line}: {name}() is called by hand"));
        } else if !passed.contains(&name) {
            breaches.push(format!("{line}: {name} is handed to none of {}", FAMILY.join(", ")));
        }
    }
    breaches
}

#[derive(Default)]
struct Found {
    breaches: Vec<String>,
    /// Closures with a name that send, and where.
    bound: Vec<(String, usize)>,
    /// Names that stand among the arguments of the family.
    passed: Vec<String>,
    /// Names that are called as functions.
    called: Vec<String>,
}

impl Found {
    /// `callee` is the function whose arguments these tokens are, `closure` the name of the closure that they are in.
    fn walk(&mut self, stream: TokenStream, callee: Option<&str>, closure: Option<&str>) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let outer = closure.map(ToOwned::to_owned);
        let mut closure = outer.clone();
        for (index, token) in tokens.iter().enumerate() {
            let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at));
            match token {
                TokenTree::Ident(name) if name == "into_paginator" => {
                    self.breaches.push(format!("{}: a paginator", name.span().start().line));
                }
                TokenTree::Ident(name) if name == "let" => {
                    closure = named_closure(&tokens[index..]).or_else(|| outer.clone());
                }
                TokenTree::Ident(name) if callee.is_some_and(|callee| FAMILY.contains(&callee)) => {
                    self.passed.push(name.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => closure.clone_from(&outer),
                TokenTree::Group(group) => {
                    let function = before(1).and_then(ident).filter(|_| group.delimiter() == Delimiter::Parenthesis);
                    let is_method = before(2).is_some_and(|dot| is(dot, '.'));
                    if function.as_deref() == Some("send") && is_method && group.stream().is_empty() {
                        let line = group.span_open().start().line;
                        match (&closure, callee) {
                            (Some(name), _) => self.bound.push((name.clone(), line)),
                            (None, Some(callee)) if FAMILY.contains(&callee) => {}
                            _ => self.breaches.push(format!("{line}: sent by hand")),
                        }
                        continue;
                    }
                    self.called.extend(function.clone().filter(|_| !is_method));
                    let inner = match group.delimiter() {
                        Delimiter::Parenthesis => function,
                        _ => callee.map(ToOwned::to_owned),
                    };
                    self.walk(group.stream(), inner.as_deref(), closure.as_deref());
                }
                _ => {}
            }
        }
    }
}

/// The name in `let NAME = |…|`, which tokens begin with.
fn named_closure(tokens: &[TokenTree]) -> Option<String> {
    let name = tokens.get(1).and_then(ident)?;
    (is(tokens.get(2)?, '=') && is(tokens.get(3)?, '|')).then_some(name)
}

fn ident(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

fn is(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}
