//! `http-listen://ADDR:PORT/PATH#OPTIONS`.

use std::net::{IpAddr, SocketAddr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    duration,
    source::{invalid::InvalidSource, limits::Limits},
};

/// An address, a path of it, and who may send pictures there.
#[derive(Clone)]
pub(in crate::source) struct HttpListenUrl {
    pub(super) addr: SocketAddr,
    /// Decoded.
    pub(super) path: String,
    pub(super) token: Option<String>,
    is_open: bool,
    pub(in crate::source) limits: Limits,
}

impl HttpListenUrl {
    /// Reads what follows `http-listen://`.
    pub(in crate::source) fn parse(rest: &str) -> Result<Self, InvalidSource> {
        let (rest, options) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') || path.contains('?') {
            return Err(InvalidSource::TokenElsewhere);
        }
        let mut url = Self {
            addr: address(authority)?,
            path: decoded_path(path)?,
            token: None,
            is_open: false,
            limits: Limits::new(),
        };
        for option in options.split('&').filter(|option| !option.is_empty()) {
            url.option(option)?;
        }
        let is_local = url.addr.ip().to_canonical().is_loopback();
        if url.token.is_none() && !url.is_open && !is_local {
            return Err(InvalidSource::OpenToAll);
        }
        Ok(url)
    }

    fn option(&mut self, option: &str) -> Result<(), InvalidSource> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        // Only the name is shown: what follows may be a secret.
        let bad = || InvalidSource::BadOption(name.into());
        match name {
            "token" if self.token.is_none() && !self.is_open => {
                let token = percent_decode_str(value).decode_utf8();
                let token = token.map_err(|_| bad())?.into_owned();
                if token.is_empty() || token.chars().any(char::is_control) {
                    return Err(bad());
                }
                self.token = Some(token);
            }
            "open" if value.is_empty() && self.token.is_none() => self.is_open = true,
            "connect_timeout" | "stall_limit" => {
                let time = duration::parse_duration(value).ok_or_else(bad)?;
                self.limits.set(name, time)?;
            }
            _ => return Err(bad()),
        }
        Ok(())
    }

    /// Writes the whole URL, without limits. Equal settings give the same text.
    pub(in crate::source) fn text(&self) -> String {
        self.with_token(|token| utf8_percent_encode(token, NON_ALPHANUMERIC).to_string())
    }

    /// Writes the URL without its secrets, and without limits.
    pub(in crate::source) fn label(&self) -> String {
        self.with_token(|_| "***".into())
    }

    fn with_token(&self, show: impl FnOnce(&str) -> String) -> String {
        let Self { addr, path, .. } = self;
        let path = utf8_percent_encode(path, PATH);
        let option = match &self.token {
            Some(token) => format!("#token={}", show(token)),
            None if self.is_open => "#open".into(),
            None => String::new(),
        };
        format!("http-listen://{addr}{path}{option}")
    }
}

fn address(authority: &str) -> Result<SocketAddr, InvalidSource> {
    let (host, port) = match authority.rsplit_once(':') {
        Some(split) => split,
        None if authority.is_empty() => return Err(InvalidSource::NoListenAddress),
        None => return Err(InvalidSource::NoPort),
    };
    if host.is_empty() {
        return Err(InvalidSource::NoListenAddress);
    }
    // An IPv6 address with a scope is an address only together with its port.
    if let Ok(addr) = authority.parse::<SocketAddr>()
        && addr.port() != 0
    {
        return Ok(addr);
    }
    let port = port.parse().ok().filter(|&port: &u16| port != 0);
    let port = port.ok_or_else(|| InvalidSource::BadPort(authority.into()))?;
    let ip: Result<IpAddr, _> = host.parse();
    match ip {
        // Without brackets, the last group of an IPv6 address would be taken for the port.
        Ok(IpAddr::V4(ip)) => Ok((ip, port).into()),
        _ => Err(InvalidSource::BadListenAddress(host.into())),
    }
}

/// Decodes a path as it is compared with those of requests. An empty one is `/`.
pub(super) fn decoded_path(path: &str) -> Result<String, InvalidSource> {
    let bad = || InvalidSource::BadUrl;
    if path.is_empty() {
        return Ok("/".into());
    }
    let decoded = percent_decode_str(path).decode_utf8().map_err(|_| bad())?;
    if !decoded.starts_with('/') || decoded.chars().any(char::is_control) {
        return Err(bad());
    }
    Ok(decoded.into_owned())
}

/// The characters of a path that are written as they are.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
