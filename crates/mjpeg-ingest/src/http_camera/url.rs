//! HTTP cameras as URLs.

use http::{
    HeaderMap,
    uri::{Authority, PathAndQuery},
};
use percent_encoding::percent_decode_str;

#[cfg(feature = "tls")]
use super::tls;
use super::{
    Account, FASTEST_FPS, HttpCamera, SLOWEST_FPS, Settings,
    address::{Origin, Target, default_port},
};
use crate::{
    InvalidSource,
    redact::{hidden_query, redacted},
};

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
    pub(super) fn label(&self) -> String {
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
