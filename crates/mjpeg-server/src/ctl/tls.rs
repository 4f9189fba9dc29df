//! What to do when a relay's certificate is not trusted.

use std::io;

use tokio_rustls::rustls::{CertificateError, Error as TlsError};

/// What to do about a handshake that failed.
pub(super) fn advice(error: &io::Error) -> Option<&'static str> {
    let tls: &TlsError = error.get_ref()?.downcast_ref()?;
    match tls {
        TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure) => {
            Some(CHANGED)
        }
        TlsError::InvalidCertificate(_) => Some(UNTRUSTED),
        TlsError::InvalidMessage(_) => Some(NOT_TLS),
        _ => None,
    }
}

const CHANGED: &str =
    "the certificate has another fingerprint: it was renewed, or somebody else answers";
const UNTRUSTED: &str = "a certificate of the relay's own is trusted with --fingerprint SHA256, as \
                         \"mjpeg-server cert\" printed it";
const NOT_TLS: &str = "that port does not speak TLS; write http:// instead of https://";
