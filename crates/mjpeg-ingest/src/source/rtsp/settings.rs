//! RTSP cameras as URLs.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

#[cfg(feature = "tls")]
use crate::source::http::trust::Trust;
use crate::{
    duration,
    source::{
        http::{address::authority, camera_url::CameraUrl, settings::Account},
        invalid::InvalidSource,
        limits::Limits,
        redact::hidden_query,
    },
};

/// What the URL of a camera says.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RtspSettings {
    /// Whether the connection is encrypted.
    pub(super) tls: bool,
    /// Without brackets; an IPv6 address of a link may have a zone.
    pub(super) host: String,
    pub(super) port: u16,
    /// The path and query, which may hold secrets.
    pub(super) path: String,
    pub(super) account: Option<Account>,
    pub(super) limits: Limits,
    #[cfg(feature = "tls")]
    pub(super) trust: Trust,
}

impl RtspSettings {
    /// Reads `rtsp://USER:PASSWORD@HOST:PORT/PATH?QUERY#OPTIONS`, or `rtsps://…`.
    pub(super) fn parse(url: &str) -> Result<Self, InvalidSource> {
        let (scheme, rest) = url.split_once("://").ok_or(InvalidSource::NoScheme)?;
        let tls = scheme == "rtsps";
        if tls && cfg!(not(feature = "tls")) {
            return Err(TLS_NOT_BUILT);
        }
        let parts = CameraUrl::parse(rest, default_port(tls))?;
        let path = parts.path.to_string();
        // What is no ASCII would be sent as it is.
        if !path.is_ascii() {
            return Err(InvalidSource::BadUrl);
        }
        let mut settings = Self {
            tls,
            host: parts.host,
            port: parts.port,
            path,
            account: parts.account,
            limits: Limits::new(),
            #[cfg(feature = "tls")]
            trust: Trust::default(),
        };
        let options = parts.options.split('&');
        for option in options.filter(|option| !option.is_empty()) {
            settings.option(option)?;
        }
        Ok(settings)
    }

    fn option(&mut self, option: &str) -> Result<(), InvalidSource> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        // The value is left out: it may be the rest of a password.
        let bad = || match option.contains('@') {
            true => InvalidSource::BadLogin,
            false => InvalidSource::BadOption(name.into()),
        };
        #[cfg(feature = "tls")]
        if let Some(trust) = Trust::of_option(option).filter(|_| self.tls) {
            self.trust = trust;
            return Ok(());
        }
        let time = duration::parse_duration(value).ok_or_else(bad)?;
        match self.limits.set(name, time)? {
            true => Ok(()),
            false => Err(bad()),
        }
    }

    /// The URL that requests are for, without the login.
    pub(super) fn request_url(&self) -> String {
        format!("{}{}", self.origin("", self.host_without_zone()), self.path)
    }

    /// The host as others know it: a zone has a meaning on this machine only.
    pub(super) fn host_without_zone(&self) -> &str {
        let host = self.host.split_once('%');
        host.map_or(&self.host[..], |(host, _)| host)
    }

    /// The URL without its secrets and limits.
    pub(super) fn label(&self) -> String {
        let login = if self.account.is_some() { "***@" } else { "" };
        let origin = self.origin(login, &self.host.replace('%', "%25"));
        let label = format!("{origin}{}", hidden_query(&self.path));
        #[cfg(feature = "tls")]
        let label = with_option(label, self.trust.shown());
        label
    }

    /// The whole URL but for its limits.
    pub(super) fn text(&self) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let login = match &self.account {
            Some(Account { user, password }) => format!("{}:{}@", encode(user), encode(password)),
            None => String::new(),
        };
        let origin = self.origin(&login, &self.host.replace('%', "%25"));
        let text = format!("{origin}{}", self.path);
        #[cfg(feature = "tls")]
        let text = with_option(text, self.trust.option());
        text
    }

    /// The beginning of a URL, with this login and host.
    fn origin(&self, login: &str, host: &str) -> String {
        let scheme = if self.tls { "rtsps" } else { "rtsp" };
        let authority = authority(host, self.port, default_port(self.tls));
        format!("{scheme}://{login}{authority}")
    }
}

#[cfg(feature = "tls")]
fn with_option(url: String, option: Option<String>) -> String {
    match option {
        Some(option) => format!("{url}#{option}"),
        None => url,
    }
}

/// The ports that IANA has for them.
fn default_port(tls: bool) -> u16 {
    if tls { 322 } else { 554 }
}

const TLS_NOT_BUILT: InvalidSource = InvalidSource::NotBuilt {
    kind: "rtsps",
    feature: "tls",
};
