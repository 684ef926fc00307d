//! Whose certificates AWS's are checked against: the system's, or a bundle that takes their place, as behind a proxy that
//! opens TLS.

use std::io;
use std::path::Path;

use aws_config::profile::load;
use aws_smithy_http_client::tls::TrustStore;
use aws_types::os_shim_internal::{Env, Fs};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{AwsError, environment, profile};
use crate::Aws;

const END: &str = "-----END CERTIFICATE-----";

/// Whose certificates are trusted: a bundle that the environment or else the profile names, or the system's.
///
/// # Errors
/// The bundle cannot be used.
pub(super) async fn trusted(settings: &Aws, env: &Env) -> Result<TrustStore, AwsError> {
    if let Some((variable, path)) = environment::first(env, &[environment::CA_BUNDLE]) {
        return bundle(variable, &profile::expanded(&path, env));
    }
    let name = profile::named(settings, env).map_or("default".to_owned(), |(name, _)| name);
    let known = load(&Fs::real(), env, &Default::default(), None).await.ok();
    let path = known.as_ref().and_then(|known| known.get_profile(&name)?.get("ca_bundle"));
    match path.filter(|path| !path.trim().is_empty()) {
        Some(path) => bundle("ca_bundle of the AWS profile", &profile::expanded(path, env)),
        None => Ok(TrustStore::default()),
    }
}

/// The bundle that `by` names.
///
/// # Errors
/// It cannot be read, or has no certificate.
fn bundle(by: &'static str, path: &Path) -> Result<TrustStore, AwsError> {
    let wrong = || AwsError::CaBundle { by };
    let text = read(path).map_err(|_| wrong())?;
    let mut trust = TrustStore::empty();
    let mut roots = RootCertStore::empty();
    // One certificate that cannot be used is no reason to do without the others, as the system's are taken too.
    for block in text.split_inclusive(END) {
        let Ok(certificate) = CertificateDer::from_pem_slice(block.as_bytes()) else { continue };
        if roots.add(certificate).is_ok() {
            trust.add_pem_certificate(block.as_bytes());
        }
    }
    if roots.is_empty() { Err(wrong()) } else { Ok(trust) }
}

/// Reads a regular file; a pipe would be waited for.
fn read(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_needs_one_certificate_that_can_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle.pem");
        let told = || bundle("AWS_CA_BUNDLE", &path).err().map(|error| error.to_string());
        assert!(told().unwrap().starts_with("AWS_CA_BUNDLE"));
        std::fs::write(&path, "sesame").unwrap();
        assert!(told().is_some_and(|told| !told.contains("sesame")));
        let broken = format!("-----BEGIN CERTIFICATE-----\nAAAA\n{END}\n");
        std::fs::write(&path, &broken).unwrap();
        assert!(told().is_some());
        let good = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
        std::fs::write(&path, format!("# a comment\n{broken}{good}")).unwrap();
        assert_eq!(told(), None);
    }
}
