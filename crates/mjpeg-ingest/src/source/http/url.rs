//! HTTP cameras as URLs.

use http::uri::{Authority, PathAndQuery};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

#[cfg(feature = "tls")]
use super::trust::Trust;
use super::{
    address::{Origin, Target, default_port},
    settings::{Account, HttpSettings},
};
#[cfg(feature = "tls")]
use crate::source::url::path_text;
use crate::{
    duration,
    source::{
        invalid::InvalidSource,
        redact::{hidden_query, redacted},
    },
};

/// `http://HOST:PORT/PATH?QUERY` as it was written, without secrets.
#[derive(Clone)]
pub(super) struct Shown(String);

/// Reads `http://USER:PASSWORD@HOST:PORT/PATH?QUERY#OPTIONS`.
pub(super) fn parse(url: &str) -> Result<(HttpSettings, Shown), InvalidSource> {
    let (tls, rest) = if let Some(rest) = url.strip_prefix("http://") {
        (false, rest)
    } else if let Some(rest) = url.strip_prefix("https://") {
        (true, rest)
    } else {
        return Err(InvalidSource::NoScheme);
    };
    if tls && cfg!(not(feature = "tls")) {
        return Err(TLS_NOT_BUILT);
    }
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
    let scheme = scheme(tls);
    let shown = Shown(format!("{scheme}://{host}{}", hidden_query(path)));
    let origin = parse_origin(tls, host, default_port(tls))?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    let path = PathAndQuery::try_from(format!("{slash}{path}"));
    let path = path.map_err(|_| InvalidSource::BadUrl)?;
    let account = login.map(parse_account).transpose()?;
    let mut settings = HttpSettings::new(Target { origin, path }, account);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        parse_option(&mut settings, option)?;
    }
    Ok((settings, shown))
}

/// Writes the URL without its secrets.
pub(super) fn label(settings: &HttpSettings, shown: &Shown) -> String {
    let mut label = shown.0.clone();
    if settings.account.is_some() {
        label = label.replacen("://", "://***@", 1);
    }
    let mut options: Vec<String> = Vec::new();
    options.extend(settings.rate_option());
    #[cfg(feature = "tls")]
    match &settings.trust {
        Trust::System => {}
        Trust::Anybody => options.push("insecure".into()),
        Trust::File(path) => options.push(format!("ca={}", path.display())),
        Trust::Pem(_) => options.push("ca-pem=***".into()),
    }
    let headers = settings.headers.keys();
    options.extend(headers.map(|name| format!("header={name}:***")));
    with_options(label, &options)
}

/// Writes the whole URL. Equal settings give the same text.
pub(super) fn text(settings: &HttpSettings) -> String {
    let Target { origin, path } = &settings.target;
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let login = match &settings.account {
        Some(Account { user, password }) => format!("{}:{}@", encode(user), encode(password)),
        None => String::new(),
    };
    let url = format!("{origin}{path}").replacen("://", &format!("://{login}"), 1);
    let mut options: Vec<String> = Vec::new();
    options.extend(settings.rate_option());
    #[cfg(feature = "tls")]
    match &settings.trust {
        Trust::System => {}
        Trust::Anybody => options.push("insecure".into()),
        Trust::File(path) => options.push(format!("ca={}", option_text(&path_text(path)))),
        Trust::Pem(pem) => {
            let pem = percent_encoding::percent_encode(pem, NON_ALPHANUMERIC);
            options.push(format!("ca-pem={pem}"));
        }
    }
    // The order of headers with different names has no meaning; that of equal names is kept.
    let mut headers: Vec<_> = settings.headers.iter().collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    options.extend(headers.into_iter().map(|(name, value)| {
        let value = percent_encoding::percent_encode(value.as_bytes(), NON_ALPHANUMERIC);
        format!("header={name}:{value}")
    }));
    with_options(url, &options)
}

/// Encodes the delimiter of options in a path that is encoded already.
#[cfg(feature = "tls")]
fn option_text(path: &str) -> String {
    path.replace('&', "%26")
}

fn with_options(url: String, options: &[String]) -> String {
    if options.is_empty() {
        url
    } else {
        format!("{url}#{}", options.join("&"))
    }
}

fn parse_option(settings: &mut HttpSettings, option: &str) -> Result<(), InvalidSource> {
    let (key, value) = option.split_once('=').unwrap_or((option, ""));
    #[cfg(feature = "tls")]
    if key == "ca-pem" && !value.is_empty() {
        let pem: Vec<u8> = percent_decode_str(value).collect();
        settings.trust = Trust::Pem(pem.into());
        return Ok(());
    }
    // Not the encoding of forms, where a plus sign is a blank: paths and keys contain plus signs.
    let value = percent_decode_str(value).decode_utf8();
    match (key, value.as_deref()) {
        ("header", Ok(header)) => {
            let (name, value) = header
                .split_once(':')
                .ok_or_else(|| InvalidSource::BadHeader("***".into()))?;
            settings.add_header(name, value)
        }
        // A value that is no number is not shown: it may have been meant for something else.
        ("fps", Ok(text)) => {
            let fps = text.parse().map_err(|_| unknown(key))?;
            settings.set_fps(fps)
        }
        ("poll_interval", Ok(text)) => {
            let interval = duration::parse_duration(text).ok_or_else(|| unknown(key))?;
            settings.set_poll_interval(interval)
        }
        ("connect_timeout" | "answer_timeout" | "stall_limit" | "login_retry", Ok(text)) => {
            let time = duration::parse_duration(text).ok_or_else(|| unknown(key))?;
            settings.limits.set(key, time).map(|_| ())
        }
        #[cfg(feature = "tls")]
        ("insecure", Ok("")) => {
            settings.trust = Trust::Anybody;
            Ok(())
        }
        #[cfg(feature = "tls")]
        ("ca", Ok(path)) if path.starts_with('/') || cfg!(windows) => {
            settings.trust = Trust::File(path.into());
            Ok(())
        }
        #[cfg(not(feature = "tls"))]
        ("insecure" | "ca" | "ca-pem", _) => Err(TLS_NOT_BUILT),
        // The rest of a password with a '#' in it.
        _ if option.contains('@') => Err(InvalidSource::BadLogin),
        _ => Err(unknown(key)),
    }
}

/// The value is left out: it may be secret.
fn unknown(key: &str) -> InvalidSource {
    InvalidSource::BadOption(key.into())
}

pub(in crate::source) fn parse_account(text: &str) -> Result<Account, InvalidSource> {
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

pub(in crate::source) fn parse_origin(
    tls: bool,
    host: &str,
    default_port: u16,
) -> Result<Origin, InvalidSource> {
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
    Ok(Origin {
        tls,
        host: name.to_ascii_lowercase() + &zone,
        port,
    })
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

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

const TLS_NOT_BUILT: InvalidSource = InvalidSource::NotBuilt {
    kind: "https",
    feature: "tls",
};
