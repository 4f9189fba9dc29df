//! Sources as people write them.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use percent_encoding::percent_decode_str;

use super::{FPS, Source};

impl FromStr for Source {
    type Err = InvalidSource;

    fn from_str(url: &str) -> Result<Self, InvalidSource> {
        let (scheme, rest) = url.split_once(':').ok_or(InvalidSource::NoScheme)?;
        match scheme {
            "exec" => return program(url, rest),
            "test" => return test(url, rest),
            "http" | "https" => return http(url),
            _ => {}
        }
        let rest = rest.strip_prefix("//").ok_or(InvalidSource::NoScheme)?;
        match scheme {
            "tcp" => {
                let (host, port) = host_and_port(rest)?;
                Ok(Self::tcp(host, port))
            }
            "tcp-listen" => listening(rest),
            "unix" => unix(rest),
            "file" => file(url, rest),
            _ => Err(InvalidSource::UnknownScheme(scheme.into())),
        }
    }
}

fn host_and_port(authority: &str) -> Result<(&str, u16), InvalidSource> {
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let (host, port) = authority.rsplit_once(':').ok_or(InvalidSource::NoPort)?;
    let bad_host = || InvalidSource::BadHost(host.into());
    let host = match host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        Some(v6) => v6,
        // Without brackets, the last group of an IPv6 address would be taken for the port.
        None if host.contains(':') => return Err(bad_host()),
        None => host,
    };
    if host.is_empty() || host.contains(|c: char| "/?#@[]".contains(c) || c.is_whitespace()) {
        return Err(bad_host());
    }
    Ok((host, port_of(port)?))
}

fn port_of(text: &str) -> Result<u16, InvalidSource> {
    let port = text.parse().ok().filter(|&port| port != 0);
    port.ok_or_else(|| InvalidSource::BadPort(text.into()))
}

fn listening(authority: &str) -> Result<Source, InvalidSource> {
    let bare = authority.strip_suffix('/').unwrap_or(authority);
    let addr = match bare.strip_prefix(':') {
        Some(port) => (Ipv6Addr::UNSPECIFIED, port_of(port)?).into(),
        None => {
            let (host, port) = host_and_port(bare)?;
            let ip: Result<IpAddr, _> = host.parse();
            let ip = ip.map_err(|_| InvalidSource::BadListenAddress(host.into()))?;
            SocketAddr::new(ip, port)
        }
    };
    Ok(Source::tcp_listen(addr))
}

fn unix(path: &str) -> Result<Source, InvalidSource> {
    #[cfg(unix)]
    return Ok(Source::unix(absolute(path)?));
    #[cfg(not(unix))]
    return Err(InvalidSource::NotBuilt("unix"));
}

fn file(url: &str, rest: &str) -> Result<Source, InvalidSource> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut fps, mut once) = (30.0, false);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let bad = || InvalidSource::BadOption(format!("{key}={value}"));
        match (&*key, &*value) {
            ("fps", value) => fps = fps_of(value).ok_or_else(bad)?,
            ("once", "" | "1" | "true") => once = true,
            ("once", "0" | "false") => once = false,
            _ => return Err(bad()),
        }
    }
    let mut source = Source::file(absolute(path)?, fps, once);
    source.label = url.into();
    Ok(source)
}

#[cfg(feature = "test-picture")]
fn test(url: &str, rest: &str) -> Result<Source, InvalidSource> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let query = match rest.strip_prefix('?') {
        Some(query) => query,
        None if rest.is_empty() => "",
        None => return Err(InvalidSource::BadOption(rest.into())),
    };
    let (mut name, mut size, mut fps) = ("test".into(), (640, 480), 15.0);
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let bad = || InvalidSource::BadOption(format!("{key}={value}"));
        match &*key {
            "name" => name = value.into_owned(),
            "size" => size = size_of(&value).ok_or_else(bad)?,
            "fps" => fps = fps_of(&value).ok_or_else(bad)?,
            _ => return Err(bad()),
        }
    }
    let mut source = Source::test(&name, size.0, size.1, fps)?;
    source.label = url.into();
    Ok(source)
}

#[cfg(feature = "test-picture")]
fn size_of(text: &str) -> Option<(u16, u16)> {
    let (width, height) = text.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

#[cfg(not(feature = "test-picture"))]
fn test(_url: &str, _rest: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt("test"))
}

fn fps_of(text: &str) -> Option<f64> {
    text.parse().ok().filter(|fps| FPS.contains(fps))
}

/// A path of this machine, from the part of a URL behind `//`.
fn absolute(path: &str) -> Result<PathBuf, InvalidSource> {
    let bad = || InvalidSource::BadPath(path.into());
    let decoded = percent_decode_str(path).decode_utf8().map_err(|_| bad())?;
    let decoded = PathBuf::from(&*decoded);
    if decoded.is_absolute() {
        Ok(decoded)
    } else {
        Err(bad())
    }
}

#[cfg(all(feature = "exec", unix))]
fn program(url: &str, command_line: &str) -> Result<Source, InvalidSource> {
    let argv = shlex::split(command_line).ok_or(InvalidSource::BadQuotes)?;
    let program = crate::exec::Program::new(argv).ok_or(InvalidSource::NoProgram)?;
    Ok(Source::custom(crate::redact::redacted(url), program))
}

#[cfg(not(all(feature = "exec", unix)))]
fn program(_url: &str, _command_line: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt("exec"))
}

#[cfg(feature = "http")]
fn http(url: &str) -> Result<Source, InvalidSource> {
    Ok(Source::http(crate::HttpCamera::new(url)?))
}

#[cfg(not(feature = "http"))]
fn http(_url: &str) -> Result<Source, InvalidSource> {
    Err(InvalidSource::NotBuilt("http"))
}

/// A text that is not a source; the caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSource {
    /// There is no `scheme://`.
    #[error("a source is a URL such as tcp://192.168.1.100:6001")]
    NoScheme,
    /// The scheme is not one of the known ones.
    #[error(
        "unknown kind of source {0:?}; known are tcp://host:port, http://host/path, https://host/path, tcp-listen://addr:port, unix:///path, file:///path, exec:program args and test:"
    )]
    UnknownScheme(String),
    /// Sources of this kind are not in this build, or not for this system.
    #[error("this program was built without sources of the kind {0}")]
    NotBuilt(&'static str),
    /// The port is missing.
    #[error("the port is missing: tcp://host:port")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("the port {0:?} is not a number from 1 to 65535")]
    BadPort(String),
    /// The host is not a name or an address.
    #[error("the host {0:?} is not a name, an IPv4 address or an IPv6 address in brackets")]
    BadHost(String),
    /// One listens at an address, not at a name.
    #[error(
        "{0:?} is not an IP address of this machine; tcp-listen://0.0.0.0:6001 and tcp-listen://:6001 listen at all of them"
    )]
    BadListenAddress(String),
    /// The path does not begin at the root, or is no text.
    #[error(
        "{0:?} is not an absolute path; with one, there are three slashes: file:///home/me/a.mjpeg"
    )]
    BadPath(String),
    /// An option that there is not for this kind, or a value that it cannot have.
    #[error(
        "{0:?} is not an option; a recording has fps=N (0.001 to 1000) and once, test: has name, size=640x480 and fps, a camera that speaks HTTP has #fps=N (0.2 to 60), #header=NAME:VALUE, #ca=/path/to/file.pem and #insecure"
    )]
    BadOption(String),
    /// The user name and password of a URL cannot be told from the rest, or are no text.
    #[error(
        "the user name or password in the URL cannot be read; write '/', '?', '#', '@', ':' and '%' in it as %2F, %3F, %23, %40, %3A and %25"
    )]
    BadLogin,
    /// The path or query of a URL has characters that must not stand there.
    #[error("the path of the URL has characters that must be written as %20 and the like")]
    BadUrl,
    /// A header that cannot be sent, or that would say where a request ends.
    #[error("{0:?} is not a header that can be added; write #header=NAME:VALUE")]
    BadHeader(String),
    /// There is nothing behind `exec:`.
    #[error("the program is missing: exec:program args")]
    NoProgram,
    /// A quotation mark in a command line has no partner.
    #[error("a quotation mark in the command line is never closed")]
    BadQuotes,
}
