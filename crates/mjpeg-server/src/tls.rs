//! TLS for listeners: certificates from files, which may be replaced while it serves.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use mjpeg_manager::mjpeg_http::{TlsInfo, Transport, Wrap};
use tokio::{
    task::{AbortHandle, spawn_blocking},
    time::{Instant, sleep},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{Error as RustlsError, InvalidMessage, ServerConfig, crypto::ring},
};
use tracing::{info, warn};

use self::{
    certificate::{CurrentCertificate, LoadedCertificate},
    clients::AnyCertificate,
    error::TlsError,
    files::TlsFiles,
};

pub(crate) mod certificate;
mod clients;
pub(crate) mod error;
pub(crate) mod files;

/// Wraps a listener's connections in TLS 1.2 or 1.3, with HTTP/2 for clients that want it.
///
/// The certificate is replaced when its files change: they are looked at every 5 s. New connections
/// get the new one; others go on. If the new files cannot be used, the old certificate stays, and a
/// warning says so once.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use mjpeg_server::{
///     Tls, TlsFiles,
///     mjpeg_manager::mjpeg_http::{Listener, ListenerConfig},
/// };
///
/// # fn example() -> Result<Listener, Box<dyn std::error::Error>> {
/// let tls = Tls::load(TlsFiles::new("cert.pem", "key.pem"))?;
/// let listener = Listener::bind("[::]:8443".parse()?, ListenerConfig::default())?;
/// let listener = listener.with_wrap(Arc::new(tls));
/// # Ok(listener)
/// # }
/// ```
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    files: TlsFiles,
    current: Arc<CurrentCertificate>,
    watching: AbortHandle,
    /// When a client that speaks no TLS was last reported.
    reported: Mutex<Option<Instant>>,
}

/// How the files look from outside.
type FileStates = [Option<files::FileState>; 2];

impl Tls {
    /// Reads the files, and watches them from now on.
    ///
    /// # Errors
    ///
    /// If one cannot be read or used, or they do not belong together; the operator is at fault.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let states = files.states();
        let loaded = LoadedCertificate::read(&files, &provider)?;
        let current = Arc::new(CurrentCertificate::new(loaded, Arc::clone(&provider)));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Unsupported(Box::new(source)))?;
        let builder = match files.asks_clients {
            true => builder.with_client_cert_verifier(Arc::new(AnyCertificate(provider))),
            false => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&current) as _);
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).into();
        let watching = tokio::spawn(watch(files.clone(), states, Arc::clone(&current)));
        Ok(Self {
            config: Arc::new(config),
            files,
            current,
            watching: watching.abort_handle(),
            reported: Mutex::default(),
        })
    }

    /// The files that the certificate is from.
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// Returns the SHA-256 fingerprint of the certificate in use, as browsers and `openssl` print
    /// it.
    pub fn fingerprint(&self) -> String {
        self.current.fingerprint()
    }

    /// Explains why a handshake failed, and says it to the operator if clients are given a wrong
    /// URL.
    fn explain(&self, error: io::Error) -> io::Error {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        let Some(RustlsError::InvalidMessage(InvalidMessage::InvalidContentType)) = cause else {
            return error;
        };
        let reported = self.reported.lock();
        let mut reported = reported.unwrap_or_else(PoisonError::into_inner);
        if reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            *reported = Some(Instant::now());
            let certificate = self.files.certificate.display();
            warn!(
                %certificate,
                "a client does not speak TLS where it is needed: use https:// in its URL"
            );
        }
        io::Error::new(error.kind(), "the client does not speak TLS")
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

#[async_trait]
impl Wrap for Tls {
    async fn wrap(&self, transport: Transport) -> io::Result<Transport> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let accepted = acceptor.accept(transport).await;
        let mut stream = accepted.map_err(|error| self.explain(error))?;
        let (_, session) = stream.get_mut();
        let mut info = TlsInfo::default();
        info.is_http2 = session.alpn_protocol() == Some(HTTP2);
        let certificates = session.peer_certificates().unwrap_or_default();
        info.client_certificate = certificates
            .first()
            .map(|certificate| Bytes::copy_from_slice(certificate));
        if info.is_http2 {
            // Of HTTP/1, a part counts as sent when this buffer is empty as well.
            session.set_buffer_limit(Some(HTTP2_BUFFER_BYTES));
        }
        Ok(Transport::new(stream).with_tls(info))
    }
}

/// Replaces the certificate when its files have changed since they looked like this.
async fn watch(files: TlsFiles, mut read: FileStates, current: Arc<CurrentCertificate>) {
    let mut pause = CHECK_EVERY;
    // A new certificate and its key come one after the other. So they are read when they have not
    // changed any more since the last look.
    let mut seen = None;
    loop {
        sleep(pause).await;
        // Network drives may take their time.
        let of_thread = files.clone();
        let Ok(states) = spawn_blocking(move || of_thread.states()).await else {
            return;
        };
        pause = CHECK_EVERY;
        if states == read {
            seen = None;
        } else if seen.replace(states) != Some(states) {
            pause = SETTLE_TIME;
        } else {
            // Whatever comes of it: it is reported once.
            read = states;
            let of_thread = (files.clone(), Arc::clone(&current));
            match spawn_blocking(move || of_thread.1.replace(&of_thread.0)).await {
                Ok(Ok(())) => {
                    let (certificate, fingerprint) =
                        (files.certificate.display(), current.fingerprint());
                    info!(
                        %certificate,
                        fingerprint, "certificate replaced; new connections get it"
                    );
                }
                Ok(Err(error)) => {
                    let certificate = files.certificate.display();
                    let error = &error as &dyn std::error::Error;
                    warn!(
                        %certificate,
                        error,
                        "the new certificate cannot be used; the one before stays"
                    );
                }
                Err(_) => return,
            }
        }
    }
}

const HTTP2: &[u8] = b"h2";

/// What is spoken inside, the most wanted first.
const ALPN: [&[u8]; 3] = [HTTP2, b"http/1.1", b"http/1.0"];

/// How much of HTTP/2 may be encrypted and not taken by the kernel: what is in there counts as
/// sent, so viewers on a slow link would lag by it.
const HTTP2_BUFFER_BYTES: usize = 16 << 10;

const CHECK_EVERY: Duration = Duration::from_secs(5);

/// How long changed files must stay as they are before they are read.
const SETTLE_TIME: Duration = Duration::from_secs(1);

/// How often clients that speak no TLS are reported.
const REPORT_EVERY: Duration = Duration::from_secs(60);
