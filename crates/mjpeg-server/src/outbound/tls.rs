//! Connections to `https://…`, and which certificates they accept.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
        SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use crate::background::in_background;

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Reads 64 hexadecimal digits, with or without colons between the bytes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = (text.chars())
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| Some(c.to_digit(16)? as u8))
            .collect();
        let digits = digits?;
        let bytes: Vec<u8> = digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |high, low| high << 4 | low))
            .collect();
        let bytes = <[u8; 32]>::try_from(bytes).ok();
        bytes.filter(|_| digits.len() == 64).map(Self)
    }
}

/// Encrypts a connection to this host.
pub(crate) async fn encrypt(
    stream: TcpStream,
    host: &str,
    trusted: Option<Fingerprint>,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match trusted {
        Some(fingerprint) => Arc::new(OneCertificate {
            fingerprint,
            provider: Arc::clone(&provider),
        }),
        None => {
            let roots = system_roots().await;
            let chains = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            chains.build().map_err(|_| {
                io::Error::other("this machine trusts no authority (package ca-certificates)")
            })?
        }
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// The authorities that this machine trusts. They are many, so they are read once.
async fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Arc::clone(roots);
    }
    let roots = in_background(|| {
        let mut roots = RootCertStore::empty();
        // A certificate that cannot be read only affects those that it signed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    match roots.await {
        // Not kept, so that certificates that are installed later are found.
        roots if roots.is_empty() => roots,
        roots => Arc::clone(ROOTS.get_or_init(|| roots)),
    }
}

/// Accepts one certificate, whatever it says, from whoever has its key.
#[derive(Debug)]
struct OneCertificate {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OneCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        match Fingerprint(Sha256::digest(end_entity).into()) == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_programs_print_them() {
        let plain = "0aB1".repeat(16);
        let colons: Vec<&str> = (0..32).map(|n| &plain[2 * n..2 * n + 2]).collect();
        let parsed = Fingerprint::parse(&colons.join(":")).unwrap();
        assert_eq!(parsed, Fingerprint::parse(&plain).unwrap());
        assert_eq!(&parsed.0[..2], [0x0a, 0xb1]);
        for wrong in [
            "",
            "0a",
            &plain[1..],
            &format!("{plain}0a"),
            &plain.replace('B', "g"),
        ] {
            assert!(Fingerprint::parse(wrong).is_none(), "{wrong}");
        }
    }
}
