//! The camera as its user configures it, and its connections.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    address::Origin,
    feed,
    line::Duplex,
    session::{Dial, Past, Session},
    settings::{Account, HttpSettings},
    url::{self, Shown},
};
#[cfg(feature = "tls")]
use super::{tls, trust::Trust};
#[cfg(feature = "tls")]
use crate::observed::observer::Observer;
use crate::{
    config::IngestConfig,
    connect::{Connect, Connection},
    dial_policy::DialPolicy,
    error::ConnectError,
    source::{invalid::InvalidSource, limits::Limits, tcp},
};

/// A camera that speaks HTTP; see [`Source::http`](crate::Source::http). (Feature `http`.)
///
/// Its first response decides whether it is read as a multipart stream or polled for single images.
///
/// ```
/// use mjpeg_ingest::{HttpCamera, Source};
///
/// let camera = HttpCamera::new("http://camera.local/video")?
///     .with_login("viewer", "secret")
///     .with_header("X-Api-Key", "abc")?;
/// let source = Source::http(camera);
/// assert_eq!(source.to_string(), "http://***@camera.local/video#header=x-api-key:***");
/// # Ok::<(), mjpeg_ingest::InvalidSource>(())
/// ```
#[derive(Clone)]
pub struct HttpCamera {
    settings: HttpSettings,
    shown: Shown,
    /// Kept from session to session, so that whoever breaks a connection gains nothing by it.
    past: Arc<Past>,
}

impl HttpCamera {
    /// Makes a camera from a URL as [`Source`](crate::Source) documents it:
    /// `http://USER:PASSWORD@HOST:PORT/PATH?QUERY#OPTIONS`, or `https://…` (feature `tls`).
    ///
    /// # Errors
    ///
    /// Tells what is wrong with the URL, without its secrets.
    pub fn new(url: &str) -> Result<Self, InvalidSource> {
        let (settings, shown) = url::parse(url)?;
        Ok(Self {
            settings,
            shown,
            past: Arc::default(),
        })
    }

    /// Sets the user name and password.
    ///
    /// They are sent only when the camera asks for them, as it asks for them (Basic, or Digest with
    /// MD5, SHA-256 or SHA-512-256), and never to another address after a redirect. A camera that
    /// has asked for Digest once does not get the password by Basic any more.
    ///
    /// After a refusal the next login is tried after
    /// [`login_retry`](crate::IngestConfig::with_login_retry).
    pub fn with_login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.past = Arc::default();
        self.settings.account = Some(Account {
            user: user.into(),
            password: password.into(),
        });
        self
    }

    /// Adds a header to each request, and replaces ours of that name. It is not sent to another
    /// address after a redirect.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadHeader`] if the name or value cannot be sent, or if the header would
    /// change where a request ends. `Connection` may be `close` or `keep-alive`.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, InvalidSource> {
        self.settings.add_header(name, value)?;
        Ok(self)
    }

    /// Sets how often to request an image from a camera that sends single images: 0.00001 (about
    /// once a day) to 60 per second. Default 2. A camera that streams decides itself.
    ///
    /// A camera that takes longer for an image is asked again when that has arrived.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a rate out of bounds.
    pub fn with_fps(mut self, fps: f64) -> Result<Self, InvalidSource> {
        self.settings.set_fps(fps)?;
        Ok(self)
    }

    /// Sets the same as [`with_fps`](Self::with_fps) as the time from request to request: 16 ms to
    /// 7 days.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a time out of bounds.
    pub fn with_poll_interval(mut self, interval: Duration) -> Result<Self, InvalidSource> {
        self.settings.set_poll_interval(interval)?;
        Ok(self)
    }

    /// Replaces the limits that the URL sets. Those that are set go before the ones of the
    /// [`IngestConfig`](crate::IngestConfig).
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Trusts only these certificates (PEM) and those that they signed. Default: the authorities
    /// that this machine trusts. (Feature `tls`.)
    ///
    /// A camera's own certificate is trusted whatever its name and age.
    #[cfg(feature = "tls")]
    pub fn with_ca_pem(mut self, pem: impl Into<bytes::Bytes>) -> Self {
        self.settings.trust = Trust::Pem(pem.into());
        self
    }

    /// Trusts the certificates in a file, as [`with_ca_pem`](Self::with_ca_pem) does. The file is
    /// read for each connection. (Feature `tls`.)
    #[cfg(feature = "tls")]
    pub fn with_ca_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.settings.trust = Trust::File(path.into());
        self
    }

    /// Trusts any certificate. Anyone in between can then read the password and replace the images.
    /// (Feature `tls`.)
    #[cfg(feature = "tls")]
    pub fn with_insecure(mut self) -> Self {
        self.settings.trust = Trust::Anybody;
        self
    }

    pub(crate) fn limits(&self) -> Limits {
        self.settings.limits
    }

    /// The host of its URL.
    pub(crate) fn host(&self) -> &str {
        &self.settings.target.origin.host
    }

    /// Writes the camera as a URL without its secrets and limits.
    pub(crate) fn label(&self) -> String {
        url::label(&self.settings, &self.shown)
    }

    /// Writes the camera as a URL without its limits, secrets included, the same way each time.
    pub(crate) fn text(&self) -> String {
        url::text(&self.settings)
    }
}

/// Two cameras are equal if their requests and settings are.
impl PartialEq for HttpCamera {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl fmt::Debug for HttpCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpCamera").field(&self.label()).finish()
    }
}

#[async_trait]
impl Connect for HttpCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let mut config = IngestConfig::default();
        self.settings.limits.apply(&mut config);
        self.connect_within(&config).await
    }

    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        let interval = self.settings.poll_interval();
        let settings = Arc::new(self.settings.clone());
        let network = Network {
            #[cfg(feature = "tls")]
            settings: Arc::clone(&settings),
            policy: config.dial_policy().clone(),
            #[cfg(feature = "tls")]
            observer: config.observer.clone().unwrap_or_default(),
        };
        let past = Arc::clone(&self.past);
        let session = Session::new(settings, past, Box::new(network), config);
        feed::open(Box::new(session), config, interval).await
    }
}

/// Connects over TCP, and TLS where the URL says so.
struct Network {
    #[cfg(feature = "tls")]
    settings: Arc<HttpSettings>,
    policy: DialPolicy,
    #[cfg(feature = "tls")]
    observer: Observer,
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self, origin: &Origin) -> Result<(Box<dyn Duplex>, String), ConnectError> {
        let (stream, peer) = tcp::dial(&origin.host, origin.port, &self.policy).await?;
        let peer = peer.to_string();
        if !origin.tls {
            return Ok((Box::new(stream), peer));
        }
        #[cfg(feature = "tls")]
        {
            let (host, trust) = (origin.host_without_zone(), &self.settings.trust);
            let encrypted = tls::encrypt(stream, host, trust).await?;
            let version = tls::version(&encrypted);
            self.observer.note(|facts| facts.tls = version);
            Ok((Box::new(encrypted), peer))
        }
        #[cfg(not(feature = "tls"))]
        return Err(crate::error::http::HttpError::TlsNotBuilt.into());
    }
}
