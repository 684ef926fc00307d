//! The paths in a crate's source, resolved to modules from the crate's root.
//!
//! In flow files; out flow pairs of who names and what is named. Names that a file imports stand for what they were
//! imported from, and so do names that the crate's root re-exports.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};

/// A path that stands somewhere in the source.
#[derive(Debug)]
pub(crate) struct Named {
    /// The module it stands in.
    pub(crate) from: Vec<String>,
    /// What it leads to.
    pub(crate) to: Vec<String>,
    /// Whether that is known to be in the crate itself.
    pub(crate) is_ours: bool,
    /// File and line.
    pub(crate) at: String,
}

/// A path as it is written.
struct Written {
    module: Vec<String>,
    segments: Vec<String>,
    /// The name that it brings into its file, if it is an import.
    binds: Option<String>,
    line: usize,
}

/// All paths of a crate.
pub(crate) struct Crate {
    name: String,
    files: Vec<(String, Vec<Written>)>,
    modules: BTreeSet<Vec<String>>,
}

type Names = BTreeMap<String, Vec<String>>;

impl Crate {
    /// Reads files given as path under `src` and text.
    pub(crate) fn read(name: &str, files: &[(&str, &str)]) -> Self {
        let mut all = Self { name: name.to_owned(), files: Vec::new(), modules: BTreeSet::new() };
        for (file, text) in files {
            let module = module_of(file);
            let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
            let mut written = Vec::new();
            walk(tokens, &module, &mut written);
            all.modules.insert(module);
            all.modules.extend(written.iter().map(|path| path.module.clone()));
            all.files.push(((*file).to_owned(), written));
        }
        all
    }

    /// Each path with what it leads to.
    pub(crate) fn named(&self) -> Vec<Named> {
        let root = self.files.iter().find(|(file, _)| file == "lib.rs").map(|(_, written)| self.imports(written));
        let root = root.unwrap_or_default();
        let mut all = Vec::new();
        for (file, written) in &self.files {
            let imports = self.imports(written);
            for path in written {
                let (mut to, is_ours) = self.resolve(path, &imports);
                if let Some(whole) = root.get(&to[0]).filter(|_| is_ours) {
                    to.splice(..1, whole.iter().cloned());
                }
                all.push(Named { from: path.module.clone(), to, is_ours, at: format!("{file}:{}", path.line) });
            }
        }
        all
    }

    /// What the names that a file imports stand for, where that is in the crate.
    fn imports(&self, written: &[Written]) -> Names {
        let ours = |path: &Written| Some(self.resolve(path, &Names::new())).filter(|(_, is_ours)| *is_ours);
        let binding = |path: &Written| Some((path.binds.clone()?, ours(path)?.0));
        written.iter().filter_map(binding).collect()
    }

    fn resolve(&self, path: &Written, imports: &Names) -> (Vec<String>, bool) {
        let mut base = path.module.clone();
        let mut rest = path.segments.as_slice();
        let mut is_ours = true;
        match rest[0].as_str() {
            "crate" => (base, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            first if first == self.name => (base, rest) = (Vec::new(), &rest[1..]),
            first if path.binds.is_none() && imports.contains_key(first) => {
                (base, rest) = (imports[first].clone(), &rest[1..]);
            }
            first => {
                is_ours = self.modules.contains(&[base.as_slice(), &[first.to_owned()]].concat());
                if !is_ours {
                    base.clear();
                }
            }
        }
        base.extend_from_slice(rest);
        let leads_somewhere = !base.is_empty();
        if !leads_somewhere {
            base.push(String::new());
        }
        (base, is_ours && leads_somewhere)
    }
}

fn module_of(file: &str) -> Vec<String> {
    let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || file == "lib.rs" {
        module.pop();
    }
    module
}

fn walk(tokens: TokenStream, module: &[String], out: &mut Vec<Written>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match (token, tokens.get(at)) {
            // Who may see a thing is no path to it.
            (TokenTree::Ident(word), Some(TokenTree::Group(_))) if word == "pub" => at += 1,
            (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "mod" => {
                if let Some(TokenTree::Group(inside)) = tokens.get(at + 1) {
                    walk(inside.stream(), &[module, &[name.to_string()]].concat(), out);
                    at += 2;
                }
            }
            (TokenTree::Ident(word), _) if word == "use" => at = tree(&tokens, at, &[], module, out),
            (TokenTree::Ident(first), _) if is_separator(&tokens, at) => {
                let line = first.span().start().line;
                let mut segments = vec![first.to_string()];
                while let (true, Some(TokenTree::Ident(next))) = (is_separator(&tokens, at), tokens.get(at + 2)) {
                    segments.push(next.to_string());
                    at += 3;
                }
                out.push(Written { module: module.to_vec(), segments, binds: None, line });
            }
            (TokenTree::Group(inside), _) => walk(inside.stream(), module, out),
            _ => {}
        }
    }
}

/// Reads one import up to its end and says where the next token is.
fn tree(tokens: &[TokenTree], mut at: usize, prefix: &[String], module: &[String], out: &mut Vec<Written>) -> usize {
    let mut segments = prefix.to_vec();
    let mut binds = None;
    let mut line = 0;
    while let Some(token) = tokens.get(at) {
        line = token.span().start().line;
        at += 1;
        match token {
            TokenTree::Ident(word) if word == "as" => binds = tokens.get(at).map(ToString::to_string),
            TokenTree::Ident(_) if binds.is_some() => {}
            // In `a::{self}` it is `a` itself.
            TokenTree::Ident(word) if word == "self" && !segments.is_empty() => {}
            TokenTree::Ident(word) => segments.push(word.to_string()),
            TokenTree::Group(several) => {
                let several: Vec<_> = several.stream().into_iter().collect();
                let mut next = 0;
                while next < several.len() {
                    next = tree(&several, next, &segments, module, out);
                }
                segments.clear();
            }
            TokenTree::Punct(mark) if matches!(mark.as_char(), ',' | ';') => break,
            TokenTree::Punct(mark) if mark.as_char() == '*' => binds = Some("*".to_owned()),
            _ => {}
        }
    }
    if !segments.is_empty() {
        let binds = binds.or_else(|| segments.last().cloned());
        out.push(Written { module: module.to_vec(), segments, binds, line });
    }
    at
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == ':');
    colon(at) && colon(at + 1)
}
