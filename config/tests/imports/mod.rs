//! Which module names which: a crate's source as Rust's own lexer splits it, held to the order of its rooms.
//!
//! In flow the files of `src`; out flows a line for every path that runs against the order. A room is a module right
//! under the crate's root. Other crates' tests use it by `#[path = "../../config/tests/imports/mod.rs"] mod imports;`.

#![allow(dead_code, reason = "each crate's test uses some of it")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

mod paths;

use std::collections::BTreeSet;
use std::path::Path;

use paths::{Crate, Named};

/// The order that a crate's rooms keep.
pub(crate) struct House {
    /// The crate's name in paths, `sms_agent`; `main.rs` names the library by it.
    pub(crate) name: &'static str,
    /// The rooms from the bottom up. A room may name those of the lines before its own, and itself.
    pub(crate) order: &'static [&'static [&'static str]],
    /// Modules, and crates of others, that only those rooms and modules may name.
    pub(crate) guarded: &'static [(&'static str, &'static [&'static str])],
}

impl House {
    /// Every breach in the source of the crate in that folder.
    pub(crate) fn breaches_of(&self, manifest_dir: &str) -> Vec<String> {
        let src = Path::new(manifest_dir).join("src");
        let mut files = Vec::new();
        read(&src, &src, &mut files);
        assert!(files.iter().any(|(file, _)| file == "lib.rs"), "no source in {}", src.display());
        let files: Vec<_> = files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        self.breaches(&files)
    }

    /// Every breach in files given as path under `src` and text.
    pub(crate) fn breaches(&self, files: &[(&str, &str)]) -> Vec<String> {
        let named = Crate::read(self.name, files).named();
        let breaches: BTreeSet<_> = named.iter().filter_map(|path| Some(self.fault(path)? + &path.at)).collect();
        breaches.into_iter().collect()
    }

    fn fault(&self, path: &Named) -> Option<String> {
        let (from, to) = (path.from.join("::"), path.to.join("::"));
        for (module, rooms) in self.guarded {
            let inside = |outer: &str, path: &str| path == outer || path.starts_with(&format!("{outer}::"));
            if inside(module, &to) && !inside(module, &from) && !rooms.iter().any(|room| inside(room, &from)) {
                return Some(format!("{from} names {to}, which only {} may: ", rooms.join(", ")));
            }
        }
        let (Some(from_room), Some(to_room)) = (path.from.first(), path.to.first().filter(|_| path.is_ours)) else {
            return None;
        };
        let rank = |room: &String| self.order.iter().position(|line| line.contains(&room.as_str()));
        match (rank(from_room), rank(to_room)) {
            _ if from_room == to_room => None,
            (None, _) => Some(format!("{from_room} has no place in the order of the rooms: ")),
            (Some(own), Some(other)) if other < own => None,
            _ => Some(format!("{from} names {to}, which is not below it: ")),
        }
    }
}

fn read(src: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(src, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(src).unwrap().to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}
