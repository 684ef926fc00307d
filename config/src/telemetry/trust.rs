//! Whom to believe over https, and who we are there.
//!
//! In flow the paths that `OTEL_EXPORTER_OTLP_CERTIFICATE` and its two companions name; out flows the TLS set-up. The
//! files are read at start, where somebody sees the error; the system's own roots, a few hundred of them, only when
//! https is used and no certificate is named.

use std::io;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::TelemetryError;
use super::variables::Variables;

/// What the variables name; empty for the system's roots and no certificate of ours.
#[derive(Debug, Default)]
pub(super) struct Trust {
    roots: Option<RootCertStore>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

impl Trust {
    /// Reads the files.
    ///
    /// # Errors
    /// One is missing, cannot be read or holds no PEM.
    pub(super) fn read(variables: &Variables<'_>) -> Result<Self, TelemetryError> {
        let named = |traces, general| variables.first(&[traces, general]);
        let roots = match named("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE") {
            None => None,
            Some((variable, path)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(variable, &path)? {
                    roots.add(certificate).map_err(|_| TelemetryError::Certificate { variable })?;
                }
                Some(roots)
            }
        };
        let chain = named("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
        let key = named("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY");
        let identity = match (chain, key) {
            (None, None) => None,
            (Some((variable, chain)), Some((key_variable, key))) => {
                let key = PrivateKeyDer::from_pem_file(key);
                let key = key.map_err(|_| TelemetryError::Certificate { variable: key_variable })?;
                Some((certificates(variable, &chain)?, key))
            }
            (Some((variable, _)), None) | (None, Some((variable, _))) => {
                return Err(TelemetryError::HalfIdentity { variable });
            }
        };
        Ok(Self { roots, identity })
    }

    /// The TLS set-up for a connection; where it is not `https`, one that believes nobody.
    ///
    /// # Errors
    /// The system has no roots, or our own certificate and key do not fit.
    pub(super) fn into_tls(self, https: bool) -> io::Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = match self.roots {
            Some(roots) => builder.with_root_certificates(roots),
            None if https => builder.with_native_roots()?,
            None => builder.with_root_certificates(RootCertStore::empty()),
        };
        match self.identity {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(io::Error::other),
            None => Ok(builder.with_no_client_auth()),
        }
    }
}

fn certificates(variable: &'static str, path: &str) -> Result<Vec<CertificateDer<'static>>, TelemetryError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.ok().filter(|found| !found.is_empty()).ok_or(TelemetryError::Certificate { variable })
}
