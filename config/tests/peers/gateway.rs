//! The network of a company between a program and moto: a proxy that opens TLS, with certificates of a private authority.

use std::path::{Path, PathBuf};

use super::process::Peer;

/// A gateway of this test's own; it ends when this is dropped.
pub(crate) struct Gateway {
    place: String,
    authority: PathBuf,
    peer: Peer,
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// Starts one before a moto with that endpoint, and waits until it listens.
    pub(crate) fn before(moto: &str) -> Self {
        let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
        let arguments = [moto, folder.path().to_str().expect("its path is text")];
        let peer = Peer::start_in(super::venv::python(), "the gateway", include_str!("gateway.py"), &arguments);
        let place = peer.await_line("an address", |line| line.starts_with("localhost:"));
        let authority = PathBuf::from(peer.await_line("a file", |line| line.ends_with(".pem")));
        Self { place, authority, peer, _folder: folder }
    }

    /// As a proxy.
    pub(crate) fn proxy(&self) -> String {
        format!("http://{}", self.place)
    }

    /// As AWS itself, by TLS.
    pub(crate) fn endpoint(&self) -> String {
        format!("https://{}", self.place)
    }

    /// The certificate of the authority, in PEM.
    pub(crate) fn authority(&self) -> &Path {
        &self.authority
    }

    /// What it was asked as a proxy so far: the first line of each connection.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.peer.lines().split_off(2)
    }
}
