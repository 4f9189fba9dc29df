//! Why a certificate cannot be used.

use std::{error::Error as StdError, io, path::PathBuf};

/// A certificate, or its key, cannot be used; the operator is at fault.
///
/// No text says what is in a key file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any certificate or key.
    #[error("{} is larger than {most} bytes, so it is no certificate or key", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest that is read, in bytes.
        most: u64,
    },
    /// The file of the certificate holds none.
    #[error(
        "{} holds no certificate in PEM format (\"-----BEGIN CERTIFICATE-----\")",
        path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file of the key holds none.
    #[error("{} holds no private key in PEM format (\"-----BEGIN PRIVATE KEY-----\")", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is protected by a passphrase.
    #[error(
        "the key in {} is protected by a passphrase; remove it (openssl pkey -in FILE -out NEW)",
        path.display()
    )]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The certificate is damaged.
    #[error("the certificate in {} is damaged", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The key is damaged, or of a kind that is not supported: ECDSA (P-256, P-384), Ed25519 and
    /// RSA are.
    #[error(
        "the key in {} is damaged or of a kind that is not supported (ECDSA P-256 or P-384, \
         Ed25519, RSA of 2048 bits or more)",
        path.display()
    )]
    BadKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is that of another certificate.
    #[error(
        "the key in {} does not belong to the certificate in {}",
        key.display(),
        certificate.display()
    )]
    KeyMismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// TLS itself cannot be set up; we are at fault.
    #[error("cannot set up TLS")]
    Unsupported(#[source] Box<dyn StdError + Send + Sync>),
}
