//! The parts that the URLs of cameras have in common, whatever they speak.

use http::uri::{Authority, PathAndQuery};
use percent_encoding::percent_decode_str;

use super::settings::Account;
use crate::source::{invalid::InvalidSource, redact::redacted};

/// The parts of `SCHEME://USER:PASSWORD@HOST:PORT/PATH?QUERY#OPTIONS`.
pub(in crate::source) struct CameraUrl<'a> {
    pub(in crate::source) account: Option<Account>,
    /// The host and port as they were written.
    pub(in crate::source) written_host: &'a str,
    /// Without brackets; an IPv6 address of a link may have a zone (`fe80::1%eth0`).
    pub(in crate::source) host: String,
    pub(in crate::source) port: u16,
    /// The path and query as they were written.
    pub(in crate::source) written_path: &'a str,
    /// The path and query, which may hold secrets.
    pub(in crate::source) path: PathAndQuery,
    /// What follows `#`: options that are never sent, separated by `&`.
    pub(in crate::source) options: &'a str,
}

impl<'a> CameraUrl<'a> {
    /// Reads what follows `SCHEME://`.
    pub(in crate::source) fn parse(
        rest: &'a str,
        default_port: u16,
    ) -> Result<Self, InvalidSource> {
        let (url, options) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, written_path) = url.split_at(url.find(['/', '?']).unwrap_or(url.len()));
        // A password with a slash in it would be shown as a port, or in pieces.
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let looks_cut = rest.contains('@') && !authority.contains('@');
        if looks_cut && port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(InvalidSource::BadLogin);
        }
        let (login, written_host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let (host, port) = parse_host(written_host, default_port)?;
        let slash = if written_path.starts_with('/') {
            ""
        } else {
            "/"
        };
        let path = PathAndQuery::try_from(format!("{slash}{written_path}"));
        Ok(Self {
            path: path.map_err(|_| InvalidSource::BadUrl)?,
            account: login.map(parse_account).transpose()?,
            written_host,
            host,
            port,
            written_path,
            options,
        })
    }
}

fn parse_account(text: &str) -> Result<Account, InvalidSource> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let decoded = |text| {
        let text = percent_decode_str(text).decode_utf8();
        text.map_err(|_| InvalidSource::BadLogin)
    };
    Ok(Account {
        user: decoded(user)?.into_owned(),
        password: decoded(password)?.into_owned(),
    })
}

/// Reads a host and its port. An IPv6 address loses its brackets and keeps its zone.
fn parse_host(host: &str, default_port: u16) -> Result<(String, u16), InvalidSource> {
    let bad = || InvalidSource::BadHost(redacted(host));
    let v6 = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name, port) = match v6 {
        Some((name, port)) => (name, port.strip_prefix(':')),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let (name, zone) = name.split_once('%').unwrap_or((name, ""));
    let zone = parse_zone(zone, v6.is_some()).ok_or_else(bad)?;
    let without_zone = match v6 {
        Some((_, port)) => format!("[{name}]{port}"),
        None => host.into(),
    };
    // The same rules as where a request is sent, so that it cannot go anywhere else.
    if name.is_empty() || Authority::try_from(without_zone).is_err() {
        let port = port.filter(|_| !name.is_empty());
        let port_is_bad = port.is_some_and(|port| port.parse::<u16>().is_err());
        if port_is_bad && !host.starts_with('[') && !host.contains("::") {
            return Err(InvalidSource::BadPort(port.unwrap_or_default().into()));
        }
        return Err(bad());
    }
    let port = match port {
        None => default_port,
        Some(port) => {
            let number = port.parse().ok().filter(|&port| port != 0);
            number.ok_or_else(|| InvalidSource::BadPort(port.into()))?
        }
    };
    Ok((name.to_ascii_lowercase() + &zone, port))
}

/// Reads the zone of a link-local address, which follows its percent sign: RFC 6874 writes that as
/// `%25`. It names a network interface of this machine.
fn parse_zone(text: &str, is_v6: bool) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let zone = text.strip_prefix("25").unwrap_or(text);
    let zone = percent_decode_str(zone).decode_utf8().ok()?;
    let is_name = zone
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c));
    (is_v6 && is_name && (1..=MAX_ZONE_BYTES).contains(&zone.len())).then(|| format!("%{zone}"))
}

/// Linux allows 15.
const MAX_ZONE_BYTES: usize = 64;
