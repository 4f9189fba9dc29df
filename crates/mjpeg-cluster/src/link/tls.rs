//! TLS between nodes, with certificates on both sides.

use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_http::{TlsInfo, Transport, Wrap};
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor, TlsConnector,
    rustls::{
        ClientConfig, Error as RustlsError, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

use super::connector::{LinkConnector, LinkIo};

/// TLS between nodes: each shows a certificate of the cluster's authority, and takes no other.
///
/// It is both the [`Wrap`] of the link's listener and the [`LinkConnector`] of its client. A node
/// is asked for under the name of its address, which its certificate must be for.
///
/// Clones are the same: what [`replace`](Self::replace) puts in its place is that of all.
#[derive(Clone)]
pub struct LinkTls(Arc<RwLock<TlsSides>>);

#[derive(Clone)]
struct TlsSides {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

/// Why certificates cannot be used. The operator is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkTlsError {
    /// A text is not PEM, or holds something else than it is to.
    #[error("the {what} is not PEM, or of another kind")]
    Pem {
        /// Which text.
        what: &'static str,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The authority's text holds no certificate that can be used.
    #[error("the authority's text holds no certificate that can be used")]
    NoAuthority,
    /// Certificate and key cannot be used, or do not belong together.
    #[error("the certificate and its key cannot be used together")]
    Certificate(#[source] RustlsError),
}

impl LinkTls {
    /// Takes this node's certificate with its key, and the certificate of the cluster's authority,
    /// all as PEM.
    ///
    /// # Errors
    ///
    /// [`LinkTlsError`] if one of them cannot be used.
    pub fn from_pem(
        certificate: &[u8],
        key: &[u8],
        authority: &[u8],
    ) -> Result<Self, LinkTlsError> {
        let sides = TlsSides::from_pem(certificate, key, authority)?;
        Ok(Self(Arc::new(RwLock::new(sides))))
    }

    /// Takes other certificates, such as renewed ones: connections that begin from now on use them.
    /// Those that are open go on.
    ///
    /// # Errors
    ///
    /// [`LinkTlsError`] if one of them cannot be used. Those before stay.
    pub fn replace(
        &self,
        certificate: &[u8],
        key: &[u8],
        authority: &[u8],
    ) -> Result<(), LinkTlsError> {
        let sides = TlsSides::from_pem(certificate, key, authority)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = sides;
        Ok(())
    }

    fn sides(&self) -> TlsSides {
        let sides = self.0.read().unwrap_or_else(PoisonError::into_inner);
        sides.clone()
    }
}

impl TlsSides {
    fn from_pem(certificate: &[u8], key: &[u8], authority: &[u8]) -> Result<Self, LinkTlsError> {
        let chain = certificates("certificate", certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key);
        let key = key.map_err(|source| LinkTlsError::Pem {
            what: "key",
            source,
        })?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates("authority", authority)?);
        let roots = Arc::new(roots);
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
        let verifier = verifier.build().map_err(|_| LinkTlsError::NoAuthority)?;
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let builder = builder.with_client_cert_verifier(verifier);
                builder.with_single_cert(chain.clone(), key.clone_key())
            })
            .map_err(LinkTlsError::Certificate)?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let builder = builder.with_root_certificates(roots);
                builder.with_client_auth_cert(chain, key)
            })
            .map_err(LinkTlsError::Certificate)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
        })
    }
}

fn certificates(
    what: &'static str,
    text: &[u8],
) -> Result<Vec<CertificateDer<'static>>, LinkTlsError> {
    let all: Result<_, _> = CertificateDer::pem_slice_iter(text).collect();
    all.map_err(|source| LinkTlsError::Pem { what, source })
}

#[async_trait]
impl Wrap for LinkTls {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        let mut stream = self.sides().acceptor.accept(transport).await?;
        let (_, session) = stream.get_mut();
        // What is in there counts as sent, so a node on a slow link would lag by it.
        session.set_buffer_limit(Some(BUFFER_BYTES));
        let mut info = TlsInfo::default();
        let certificates = session.peer_certificates().unwrap_or_default();
        let first = certificates.first();
        info.client_certificate = first.map(|certificate| Bytes::copy_from_slice(certificate));
        Ok(Transport::new(stream).with_tls(info))
    }
}

#[async_trait]
impl LinkConnector for LinkTls {
    async fn connect(&self, stream: TcpStream, host: &str) -> io::Result<Box<dyn LinkIo>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Box::new(self.sides().connector.connect(name, stream).await?))
    }
}

impl fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkTls").finish_non_exhaustive()
    }
}

/// How much may be encrypted and not taken by the kernel.
const BUFFER_BYTES: usize = 16 << 10;
