//! HTTP cameras as URLs.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

#[cfg(feature = "tls")]
use super::trust::Trust;
use super::{
    address::{Origin, Target, default_port},
    camera_url::CameraUrl,
    settings::{Account, HttpSettings},
};
use crate::{
    duration,
    source::{invalid::InvalidSource, redact::hidden_query},
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
    let parts = CameraUrl::parse(rest, default_port(tls))?;
    let (host, port) = (parts.host, parts.port);
    let scheme = scheme(tls);
    let shown = Shown(format!(
        "{scheme}://{}{}",
        parts.written_host,
        hidden_query(parts.written_path)
    ));
    let origin = Origin { tls, host, port };
    let (path, account) = (parts.path, parts.account);
    let mut settings = HttpSettings::new(Target { origin, path }, account);
    for option in parts.options.split('&').filter(|option| !option.is_empty()) {
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
    options.extend(settings.trust.shown());
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
    options.extend(settings.trust.option());
    // The order of headers with different names has no meaning; that of equal names is kept.
    let mut headers: Vec<_> = settings.headers.iter().collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    options.extend(headers.into_iter().map(|(name, value)| {
        let value = percent_encoding::percent_encode(value.as_bytes(), NON_ALPHANUMERIC);
        format!("header={name}:{value}")
    }));
    with_options(url, &options)
}

fn with_options(url: String, options: &[String]) -> String {
    if options.is_empty() {
        url
    } else {
        format!("{url}#{}", options.join("&"))
    }
}

fn parse_option(settings: &mut HttpSettings, option: &str) -> Result<(), InvalidSource> {
    #[cfg(feature = "tls")]
    if let Some(trust) = Trust::of_option(option) {
        settings.trust = trust;
        return Ok(());
    }
    let (key, value) = option.split_once('=').unwrap_or((option, ""));
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

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

const TLS_NOT_BUILT: InvalidSource = InvalidSource::NotBuilt {
    kind: "https",
    feature: "tls",
};
