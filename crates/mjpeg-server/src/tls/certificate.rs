//! The certificate in use.

use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use tokio_rustls::rustls::{
    Error as RustlsError, InconsistentKeys,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tracing::warn;

use super::{
    error::TlsError,
    files::{self, TlsFiles},
};

/// The certificate that new connections get.
#[derive(Debug)]
pub(super) struct CurrentCertificate {
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

/// A certificate and its key, as they were read.
#[derive(Debug)]
pub(super) struct LoadedCertificate(Arc<CertifiedKey>);

impl LoadedCertificate {
    /// Reads a certificate and its key. Warns the operator if everybody may read the key.
    pub(super) fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let path = || files.certificate.clone();
        let pem = files::read(&files.certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.unwrap_or_default();
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: path() });
        }
        let key = read_key(files)?;
        let certified = CertifiedKey::from_der(chain, key, provider);
        let certified = certified.map_err(|error| match error {
            RustlsError::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::KeyMismatch {
                certificate: path(),
                key: files.key.clone(),
            },
            RustlsError::InvalidCertificate(_) => TlsError::BadCertificate {
                path: path(),
                source: Box::new(error),
            },
            _ => TlsError::BadKey {
                path: files.key.clone(),
            },
        })?;
        if files::is_exposed(&files.key) {
            let file = files.key.display();
            warn!(%file, "every user of this machine may read the key; chmod o-r it");
        }
        Ok(Self(Arc::new(certified)))
    }
}

fn read_key(files: &TlsFiles) -> Result<PrivateKeyDer<'static>, TlsError> {
    let path = || files.key.clone();
    let pem = files::read(&files.key)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let is_encrypted = |line: &[u8]| line.windows(9).any(|word| word == b"ENCRYPTED");
        match pem.split(|&b| b == b'\n').any(is_encrypted) {
            true => TlsError::EncryptedKey { path: path() },
            false => TlsError::NoKey { path: path() },
        }
    })
}

impl CurrentCertificate {
    pub(super) fn new(loaded: LoadedCertificate, provider: Arc<CryptoProvider>) -> Self {
        Self {
            provider,
            current: RwLock::new(loaded.0),
        }
    }

    /// Reads another, and uses it for new connections.
    ///
    /// # Errors
    ///
    /// If it cannot be used. The one before stays.
    pub(super) fn replace(&self, files: &TlsFiles) -> Result<(), TlsError> {
        let loaded = LoadedCertificate::read(files, &self.provider)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded.0;
        Ok(())
    }

    pub(super) fn fingerprint(&self) -> String {
        fingerprint(self.current().cert.first().map_or(&[], |first| first))
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

/// The SHA-256 fingerprint of a certificate (DER), as browsers and `openssl` print it.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    let digest = Sha256::digest(certificate);
    let bytes: Vec<_> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}
