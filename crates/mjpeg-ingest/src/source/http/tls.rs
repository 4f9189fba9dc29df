//! Encrypted connections, and which certificates they accept.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::{net::TcpStream, task::spawn_blocking};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError,
        PeerIncompatible, PeerMisbehaved, ProtocolVersion, RootCertStore, SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    },
};

use super::trust::Trust;
use crate::error::{AuthoritiesError, ConnectError, HttpError};

/// Encrypts a connection.
pub(in crate::source) async fn encrypt(
    stream: TcpStream,
    host: &str,
    trust: &Trust,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| HttpError::Tls(io::Error::other(error)))?;
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(trust, &provider).await?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Tls(io::Error::other(error)))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    Ok(connector.connect(name, stream).await.map_err(explained)?)
}

/// The version of TLS of a connection.
pub(super) fn version(stream: &TlsStream<TcpStream>) -> Option<&'static str> {
    match stream.get_ref().1.protocol_version()? {
        ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
        _ => None,
    }
}

async fn verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConnectError> {
    let pem = match trust {
        Trust::Anybody => return Ok(Arc::new(Anybody(Arc::clone(provider)))),
        Trust::System => {
            let roots = system_roots().await;
            let verifier =
                WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build();
            return Ok(verifier.map_err(|_| HttpError::from(AuthoritiesError::NoneInstalled))?);
        }
        Trust::Pem(pem) => pem.clone(),
        Trust::File(path) => {
            let read = tokio::fs::read(path).await;
            let unreadable = |source| ConnectError::Open {
                path: path.display().to_string(),
                source,
            };
            read.map_err(unreadable)?.into()
        }
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates =
        certificates.map_err(|error| HttpError::from(AuthoritiesError::BadPem(Box::new(error))))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().cloned());
    let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider))
        .build()
        .map_err(|_| HttpError::from(AuthoritiesError::NoCertificate))?;
    Ok(Arc::new(Pinned {
        certificates,
        chains,
    }))
}

/// Reads the authorities that this machine trusts. They are many, and a camera that is polled needs
/// them for each image, so they are kept.
async fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Arc::clone(roots);
    }
    let read = spawn_blocking(|| {
        let mut roots = RootCertStore::empty();
        // A certificate that cannot be read only affects those that it signed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    match read.await {
        Ok(roots) if !roots.is_empty() => Arc::clone(ROOTS.get_or_init(|| roots)),
        // Not kept, so that certificates installed later are found.
        Ok(roots) => roots,
        Err(_) => Arc::new(RootCertStore::empty()),
    }
}

/// Accepts chains to the given certificates, and each of these certificates itself.
///
/// A camera signs its certificate itself, and rarely for the name in the URL. A verifier that knows
/// only chains refuses it.
#[derive(Debug)]
struct Pinned {
    certificates: Vec<CertificateDer<'static>>,
    chains: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if self.certificates.iter().any(|pinned| pinned == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.chains
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Accepts any certificate.
///
/// It does not check signatures either. They prove nothing for an unknown certificate, and cannot
/// be checked for X.509 version 1, which some cameras still use.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.0.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Says what is too old about a camera that offers nothing which is accepted here.
fn too_old(error: &TlsError) -> Option<&'static str> {
    const VERSION: &str = "it speaks only TLS 1.1 or older, which is refused since 2021 (RFC 8996), \
                           as it can be broken";
    const CIPHERS: &str = "it accepts none of our ciphers, probably because it knows only RSA key \
                           exchange or CBC, which are refused here: what was recorded can be \
                           decrypted later, and they can be broken (RFC 9325); TLS 1.2 with ECDHE \
                           and AES-GCM or ChaCha20 is needed";
    match error {
        TlsError::AlertReceived(AlertDescription::ProtocolVersion)
        | TlsError::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Some(VERSION),
        TlsError::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        )
        | TlsError::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::ExtendedMasterSecretExtensionRequired,
        ) => Some(CIPHERS),
        TlsError::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => Some(CIPHERS),
        _ => None,
    }
}

/// Explains a failed handshake to the owner of the camera.
fn explained(error: io::Error) -> HttpError {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    let Some(TlsError::InvalidCertificate(reason)) = tls else {
        return match tls.and_then(too_old) {
            Some(problem) => HttpError::OldTls { problem },
            None => HttpError::Tls(error),
        };
    };
    const TRUST: &str = "give the certificate, or its authority's, with #ca=/path/to/file.pem \
                         behind the URL, or skip the check with #insecure";
    const RENEW: &str =
        "renew it, check this machine's clock, or skip the check with #insecure behind the URL";
    let (problem, advice) = match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "is vouched for by nobody who is trusted here (it may be self-signed)".into(),
            TRUST,
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("has expired".into(), RENEW)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet".into(), RENEW)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "is for another name than the one in the URL".into(),
            "use that name, or give the certificate itself with #ca=/path/to/file.pem behind the \
             URL",
        ),
        other => (format!("cannot be trusted ({other})"), TRUST),
    };
    HttpError::Certificate { problem, advice }
}
