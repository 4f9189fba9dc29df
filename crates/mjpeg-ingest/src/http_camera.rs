//! Cameras that speak HTTP.

use std::{fmt, str::FromStr, sync::Arc};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Connect, ConnectError, Connection, InvalidSource, tcp};

mod address;
mod error;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
mod link;
mod pictures;
mod session;
#[cfg(feature = "tls")]
mod tls;
mod url;

use address::{Origin, Target};
pub use error::HttpError;
use link::Io;
use session::{Dial, Session};

/// A camera that is asked over HTTP for a multipart stream, or for one picture after another: which of the two, its answer tells. (Feature `http`.)
///
/// ```
/// use mjpeg_ingest::{HttpCamera, Source};
///
/// let camera = HttpCamera::new("http://camera.local/video")?
///     .login("viewer", "secret")
///     .header("X-Api-Key", "abc")?;
/// let source = Source::http(camera);
/// assert_eq!(source.to_string(), "http://***@camera.local/video#header=x-api-key:***");
/// # Ok::<(), mjpeg_ingest::InvalidSource>(())
/// ```
#[derive(Clone)]
pub struct HttpCamera {
    settings: Settings,
    /// `http://HOST:PORT/PATH` as it was written, without secrets.
    shown: String,
}

#[derive(Clone)]
struct Settings {
    target: Target,
    account: Option<Account>,
    headers: HeaderMap,
    fps: Option<f64>,
    #[cfg(feature = "tls")]
    trust: tls::Trust,
}

#[derive(Clone)]
struct Account {
    user: String,
    password: String,
}

impl HttpCamera {
    /// Sets the user name and password. They are sent only if the camera asks for them, in the way that it asks for (Basic, or Digest with MD5, SHA-256
    /// or SHA-512-256), and not to another address that it redirects to.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.settings.account = Some(Account {
            user: user.into(),
            password: password.into(),
        });
        self
    }

    /// Adds a header to each request, in place of ours of that name. It is not sent to another address that the camera redirects to.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadHeader`] if the name or value cannot be sent, or if the header is one that says where a request ends.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, InvalidSource> {
        let bad = || InvalidSource::BadHeader(name.escape_default().to_string());
        let key = HeaderName::from_str(name).map_err(|_| bad())?;
        let framing = ["connection", "content-length", "transfer-encoding"];
        if framing.contains(&key.as_str()) {
            return Err(bad());
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        self.settings.headers.append(key, value);
        Ok(self)
    }

    /// Sets how often a camera is asked that sends single pictures, 0.2 to 60 times a second. Default 2. A camera that streams decides itself.
    ///
    /// One that needs longer for a picture is asked again when it is there.
    pub fn fps(mut self, fps: f64) -> Self {
        let fps = if fps.is_nan() { FPS } else { fps };
        self.settings.fps = Some(fps.clamp(SLOWEST_FPS, FASTEST_FPS));
        self
    }

    /// Trusts only who shows one of these certificates (PEM), or is vouched for by one of them. Default: the authorities that this machine trusts. (Feature `tls`.)
    ///
    /// A camera's own certificate is trusted whatever name and age it has.
    #[cfg(feature = "tls")]
    pub fn ca_pem(mut self, pem: impl Into<bytes::Bytes>) -> Self {
        self.settings.trust = tls::Trust::Pem(pem.into());
        self
    }

    /// Trusts as [`ca_pem`](Self::ca_pem) does, by the certificates in a file. It is read for each connection. (Feature `tls`.)
    #[cfg(feature = "tls")]
    pub fn ca_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.settings.trust = tls::Trust::File(path.into());
        self
    }

    /// Trusts whoever answers. Then somebody in between can see the password and show other pictures. (Feature `tls`.)
    #[cfg(feature = "tls")]
    pub fn insecure(mut self) -> Self {
        self.settings.trust = tls::Trust::Anybody;
        self
    }

    pub(crate) fn into_parts(self) -> (String, impl Connect) {
        let label = self.label();
        let fps = self.settings.fps.unwrap_or(FPS);
        let settings = Arc::new(self.settings);
        (label, Asked { settings, fps })
    }
}

impl fmt::Debug for HttpCamera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HttpCamera").field(&self.label()).finish()
    }
}

/// A camera, ready to be asked.
struct Asked {
    settings: Arc<Settings>,
    fps: f64,
}

#[async_trait]
impl Connect for Asked {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let network = Network(Arc::clone(&self.settings));
        let session = Session::new(Arc::clone(&self.settings), Box::new(network));
        pictures::open(session, self.fps).await
    }
}

/// Connects as the settings say.
struct Network(#[cfg_attr(not(feature = "tls"), expect(dead_code))] Arc<Settings>);

#[async_trait]
impl Dial for Network {
    async fn dial(&self, origin: &Origin) -> Result<(Box<dyn Io>, String), ConnectError> {
        let (stream, peer) = tcp::dial(&origin.host, origin.port).await?;
        let peer = peer.to_string();
        if !origin.tls {
            return Ok((Box::new(stream), peer));
        }
        #[cfg(feature = "tls")]
        return Ok((
            Box::new(tls::secured(stream, &origin.host, &self.0.trust).await?),
            peer,
        ));
        #[cfg(not(feature = "tls"))]
        return Err(HttpError::TlsNotBuilt.into());
    }
}

/// As Home Assistant asks cameras that have pictures only.
const FPS: f64 = 2.0;
/// Rarer would look like a camera that has gone silent.
const SLOWEST_FPS: f64 = 0.2;
const FASTEST_FPS: f64 = 60.0;
