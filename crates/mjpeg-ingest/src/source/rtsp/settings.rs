//! RTSP cameras as URLs.

use http::uri::PathAndQuery;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    duration,
    source::{
        http::{
            settings::Account,
            url::{parse_account, parse_origin},
        },
        invalid::InvalidSource,
        limits::Limits,
        redact::hidden_query,
    },
};

/// What the URL of a camera says.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RtspSettings {
    /// Without brackets; an IPv6 address of a link may have a zone.
    pub(super) host: String,
    pub(super) port: u16,
    /// The path and query, which may hold secrets.
    pub(super) path: String,
    pub(super) account: Option<Account>,
    pub(super) limits: Limits,
}

impl RtspSettings {
    /// Reads `rtsp://USER:PASSWORD@HOST:PORT/PATH?QUERY#OPTIONS`.
    pub(super) fn parse(url: &str) -> Result<Self, InvalidSource> {
        let rest = url.strip_prefix("rtsp://").ok_or(InvalidSource::NoScheme)?;
        let (rest, options) = rest.split_once('#').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // A password with a slash in it would be shown as a port, or in pieces.
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let looks_cut = url.contains('@') && !authority.contains('@');
        if looks_cut && port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(InvalidSource::BadLogin);
        }
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let origin = parse_origin(false, host, DEFAULT_PORT)?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = PathAndQuery::try_from(format!("{slash}{path}"));
        let path = path.map_err(|_| InvalidSource::BadUrl)?.to_string();
        // What is no ASCII would be sent as it is.
        if !path.is_ascii() {
            return Err(InvalidSource::BadUrl);
        }
        Ok(Self {
            host: origin.host,
            port: origin.port,
            path,
            account: login.map(parse_account).transpose()?,
            limits: parse_limits(options)?,
        })
    }

    /// The URL that requests are for, without the login.
    pub(super) fn request_url(&self) -> String {
        // A zone has a meaning on this machine only.
        let host = self
            .host
            .split_once('%')
            .map_or(&self.host[..], |(host, _)| host);
        format!("rtsp://{}{}", self.authority(host), self.path)
    }

    /// The URL without its secrets and limits.
    pub(super) fn label(&self) -> String {
        let login = if self.account.is_some() { "***@" } else { "" };
        let authority = self.authority(&self.host.replace('%', "%25"));
        format!("rtsp://{login}{authority}{}", hidden_query(&self.path))
    }

    /// The whole URL but for its limits.
    pub(super) fn text(&self) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let login = match &self.account {
            Some(Account { user, password }) => format!("{}:{}@", encode(user), encode(password)),
            None => String::new(),
        };
        let authority = self.authority(&self.host.replace('%', "%25"));
        format!("rtsp://{login}{authority}{}", self.path)
    }

    fn authority(&self, host: &str) -> String {
        let (open, close) = if host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        match self.port {
            DEFAULT_PORT => format!("{open}{host}{close}"),
            port => format!("{open}{host}{close}:{port}"),
        }
    }
}

fn parse_limits(options: &str) -> Result<Limits, InvalidSource> {
    let mut limits = Limits::new();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        // The value is left out: it may be the rest of a password.
        let bad = || match option.contains('@') {
            true => InvalidSource::BadLogin,
            false => InvalidSource::BadOption(name.into()),
        };
        let time = duration::parse_duration(value).ok_or_else(bad)?;
        if !limits.set(name, time)? {
            return Err(bad());
        }
    }
    Ok(limits)
}

const DEFAULT_PORT: u16 = 554;
