//! What a stream can come from, written as a URL.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{Connect, tcp::TcpCamera};

/// What a stream comes from: how to connect to it, and how to name it to people.
///
/// Parsed from a URL:
///
/// | URL | what it is |
/// |---|---|
/// | `tcp://host:port` | dials a camera that sends raw concatenated JPEG images over TCP; `host` is a name, an IPv4 address or an IPv6 address in brackets |
///
/// ```
/// use mjpeg_ingest::Source;
///
/// let source: Source = "tcp://camera.local:6001".parse().unwrap();
/// assert_eq!(source.to_string(), "tcp://camera.local:6001");
/// assert!("tcp://camera.local".parse::<Source>().unwrap_err().to_string().contains("port"));
/// ```
#[derive(Clone)]
pub struct Source {
    label: Arc<str>,
    connect: Arc<dyn Connect>,
}

impl Source {
    /// A camera that sends raw concatenated JPEG images over TCP. The name is resolved anew for each connection.
    pub fn tcp(host: &str, port: u16) -> Self {
        let bracketed = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.into()
        };
        Self::custom(
            format!("tcp://{bracketed}:{port}"),
            TcpCamera::new(host, port),
        )
    }

    /// A source of another kind. The label stands for it in listings and logs: no secrets in it.
    pub fn custom(label: impl Into<String>, connect: impl Connect) -> Self {
        Self {
            label: label.into().into(),
            connect: Arc::new(connect),
        }
    }

    pub(crate) fn connect(&self) -> Arc<dyn Connect> {
        Arc::clone(&self.connect)
    }
}

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(url: &str) -> Result<Self, InvalidSource> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(InvalidSource::NoScheme);
        };
        if scheme != "tcp" {
            return Err(InvalidSource::UnknownScheme(scheme.into()));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = authority.rsplit_once(':').ok_or(InvalidSource::NoPort)?;
        let host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            Some(v6) => v6,
            // Without brackets, the last group of an IPv6 address would be taken for the port.
            None if host.contains(':') => return Err(InvalidSource::BadHost(host.into())),
            None => host,
        };
        if host.is_empty() || host.contains(|c: char| "/?#@[]".contains(c) || c.is_whitespace()) {
            return Err(InvalidSource::BadHost(host.into()));
        }
        match port.parse() {
            Ok(port) if port != 0 => Ok(Self::tcp(host, port)),
            _ => Err(InvalidSource::BadPort(port.into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.label).finish()
    }
}

/// A text that is not a source; the caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSource {
    /// There is no `scheme://`.
    #[error("a source is a URL such as tcp://192.168.1.100:6001")]
    NoScheme,
    /// The scheme is not one of the known ones.
    #[error("unknown kind of source {0:?}; known is tcp://host:port")]
    UnknownScheme(String),
    /// The port is missing.
    #[error("the port is missing: tcp://host:port")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("the port {0:?} is not a number from 1 to 65535")]
    BadPort(String),
    /// The host is not a name or an address.
    #[error("the host {0:?} is not a name, an IPv4 address or an IPv6 address in brackets")]
    BadHost(String),
}
