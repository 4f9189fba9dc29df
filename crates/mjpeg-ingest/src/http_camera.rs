//! Cameras that speak HTTP.

use std::{fmt, str::FromStr, sync::Arc};

use async_trait::async_trait;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    uri::{Authority, PathAndQuery},
};
use percent_encoding::percent_decode_str;

use crate::{
    Connect, ConnectError, Connection, InvalidSource,
    redact::{hidden_query, redacted},
    tcp,
};

mod address;
mod error;
mod link;
mod pictures;
mod session;
#[cfg(feature = "tls")]
mod tls;

use address::{Origin, Target, default_port};
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
    /// Takes a URL as a [`Source`](crate::Source) is written: `http://USER:PASSWORD@HOST:PORT/PATH?QUERY#OPTIONS`, or `https://…` (feature `tls`).
    ///
    /// # Errors
    ///
    /// What is wrong with the URL. Passwords are not told.
    pub fn new(url: &str) -> Result<Self, InvalidSource> {
        let (tls, rest) = if let Some(rest) = url.strip_prefix("http://") {
            (false, rest)
        } else if let Some(rest) = url.strip_prefix("https://") {
            (true, rest)
        } else {
            return Err(InvalidSource::NoScheme);
        };
        if tls && cfg!(not(feature = "tls")) {
            return Err(InvalidSource::NotBuilt("https"));
        }
        let (rest, options) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // A password with a slash in it would be told as a port, or in pieces.
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let looks_cut = url.contains('@') && !authority.contains('@');
        if looks_cut && port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(InvalidSource::BadLogin);
        }
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let origin = origin(tls, host)?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{path}");
        let scheme = if tls { "https" } else { "http" };
        let path_shown = rest[authority.len()..].to_owned();
        let mut camera = Self {
            settings: Settings {
                target: Target {
                    origin,
                    path: PathAndQuery::try_from(path).map_err(|_| InvalidSource::BadUrl)?,
                },
                account: login.map(Account::from_url).transpose()?,
                headers: HeaderMap::new(),
                fps: None,
                #[cfg(feature = "tls")]
                trust: tls::Trust::default(),
            },
            shown: format!("{scheme}://{host}{}", hidden_query(&path_shown)),
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            camera = camera.option(option)?;
        }
        Ok(camera)
    }

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

    fn option(self, option: &str) -> Result<Self, InvalidSource> {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        // Not a form's encoding, whose blanks are plus signs: those stand in paths and keys.
        let value = percent_decode_str(value).decode_utf8();
        match (key, value.as_deref()) {
            ("header", Ok(header)) => {
                let (name, value) = header
                    .split_once(':')
                    .ok_or_else(|| InvalidSource::BadHeader("***".into()))?;
                self.header(name, value.trim_matches([' ', '\t']))
            }
            ("fps", Ok(text)) => match text.parse() {
                Ok(fps) if (SLOWEST_FPS..=FASTEST_FPS).contains(&fps) => Ok(self.fps(fps)),
                _ => Err(InvalidSource::BadOption(option.into())),
            },
            #[cfg(feature = "tls")]
            ("insecure", Ok("")) => Ok(self.insecure()),
            #[cfg(feature = "tls")]
            ("ca", Ok(path)) if path.starts_with('/') || cfg!(windows) => Ok(self.ca_file(path)),
            #[cfg(not(feature = "tls"))]
            ("insecure" | "ca", _) => Err(InvalidSource::NotBuilt("https")),
            // The rest of a password with a '#' in it.
            _ if option.contains('@') => Err(InvalidSource::BadLogin),
            // Whatever the value is, it may be secret.
            _ => Err(InvalidSource::BadOption(key.into())),
        }
    }

    /// The URL, without what is secret in it.
    fn label(&self) -> String {
        let Settings {
            account,
            headers,
            fps,
            ..
        } = &self.settings;
        let mut label = self.shown.clone();
        if account.is_some() {
            label = label.replacen("://", "://***@", 1);
        }
        let mut options: Vec<String> = Vec::new();
        options.extend(fps.map(|fps| format!("fps={fps}")));
        #[cfg(feature = "tls")]
        match &self.settings.trust {
            tls::Trust::System => {}
            tls::Trust::Anybody => options.push("insecure".into()),
            tls::Trust::File(path) => options.push(format!("ca={}", path.display())),
            tls::Trust::Pem(_) => options.push("ca=***".into()),
        }
        options.extend(headers.keys().map(|name| format!("header={name}:***")));
        if !options.is_empty() {
            label = format!("{label}#{}", options.join("&"));
        }
        label
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

impl Account {
    fn from_url(text: &str) -> Result<Self, InvalidSource> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded = |text| {
            let text = percent_decode_str(text).decode_utf8();
            text.map_err(|_| InvalidSource::BadLogin)
        };
        Ok(Self {
            user: decoded(user)?.into_owned(),
            password: decoded(password)?.into_owned(),
        })
    }
}

fn origin(tls: bool, host: &str) -> Result<Origin, InvalidSource> {
    let bad = || InvalidSource::BadHost(redacted(host));
    let v6 = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name, port) = match v6 {
        Some((name, port)) => (name, port.strip_prefix(':')),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    // The same rules as where a request is sent, so that nothing else comes out there.
    if name.is_empty() || Authority::try_from(host).is_err() {
        let port = port.filter(|_| !name.is_empty());
        let port_is_bad = port.is_some_and(|port| port.parse::<u16>().is_err());
        if port_is_bad && !host.starts_with('[') && !host.contains("::") {
            return Err(InvalidSource::BadPort(port.unwrap_or_default().into()));
        }
        return Err(bad());
    }
    let port = match port {
        None => default_port(tls),
        Some(port) => {
            let number = port.parse().ok().filter(|&port| port != 0);
            number.ok_or_else(|| InvalidSource::BadPort(port.into()))?
        }
    };
    Ok(Origin {
        tls,
        host: name.to_ascii_lowercase(),
        port,
    })
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
