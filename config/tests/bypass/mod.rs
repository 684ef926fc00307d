//! Which source shows text of others without `sms_config::foreign`: a crate's source as Rust's own lexer splits it.
//!
//! Forbidden are the message and the metadata of an SDK error, the SDK's own way of printing errors with all of their
//! content, and the debug form of an error. Other crates' tests use it by `#[path = "../../config/tests/bypass/mod.rs"]
//! mod bypass;`.

#![allow(clippy::expect_used, reason = "all of this is test code, outside of test functions too")]

use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Names that errors go by.
const ERRORS: [&str; 6] = ["cause", "e", "err", "error", "failure", "source"];

/// Every breach in the files of that folder, except in those whose path ends like one of `allowed`.
pub(crate) fn past(folder: &Path, allowed: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("the source is there").path();
        // Tests may look at everything.
        if path.ends_with("tests") || path.ends_with("tests.rs") {
            continue;
        }
        if path.is_dir() {
            breaches.extend(past(&path, allowed));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !allowed.iter().any(|allowed| path.to_string_lossy().contains(allowed))
        {
            let source = std::fs::read_to_string(&path).expect("the source can be read");
            breaches.extend(of(&source).into_iter().map(|breach| format!("{}:{breach}", path.display())));
        }
    }
    breaches
}

/// Every breach in a source, with its line.
pub(crate) fn of(source: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    walk(TokenStream::from_str(source).expect("the source is Rust"), &mut breaches);
    breaches
}

fn walk(stream: TokenStream, breaches: &mut Vec<String>) {
    let tokens: Vec<_> = stream.into_iter().collect();
    let punct = |at: Option<usize>, one: char| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == one))
    };
    let ident = |at: usize| match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => ident.to_string(),
        _ => String::new(),
    };
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        // Tests may look at everything.
        if ident(at) == "mod" && ident(at + 1).ends_with("tests") {
            at += 3;
            continue;
        }
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => walk(group.stream(), breaches),
            TokenTree::Ident(name) if name == "DisplayErrorContext" => breaches.push(format!("{line}: {name}")),
            TokenTree::Ident(name) if name == "message" || name == "meta" => {
                let of_a_value = punct(at.checked_sub(1), '.') && !punct(at.checked_sub(2), '.');
                let of_the_trait =
                    punct(at.checked_sub(1), ':') && ident(at.saturating_sub(3)) == "ProvideErrorMetadata";
                let empty = matches!(
                    tokens.get(at + 1),
                    Some(TokenTree::Group(group))
                        if group.delimiter() == Delimiter::Parenthesis && group.stream().is_empty()
                );
                if (of_a_value && empty) || of_the_trait {
                    breaches.push(format!("{line}: {name} of an SDK error"));
                }
            }
            TokenTree::Ident(name) if punct(at.checked_sub(1), '?') && ERRORS.iter().any(|error| name == error) => {
                breaches.push(format!("{line}: ?{name}"));
            }
            TokenTree::Literal(literal) if shows_debug(&literal.to_string()) => {
                breaches.push(format!("{line}: the debug form of an error"));
            }
            _ => {}
        }
        at += 1;
    }
}

/// Whether a format string has `{error:?}` or the like.
fn shows_debug(literal: &str) -> bool {
    literal.split('{').skip(1).filter_map(|rest| rest.split_once('}')).any(|(place, _)| {
        let debug = place.split_once(':').filter(|(_, how)| how.ends_with('?'));
        debug.is_some_and(|(name, _)| ERRORS.contains(&name))
    })
}
