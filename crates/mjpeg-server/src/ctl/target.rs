//! Where the relay may be.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use http::Uri;

use super::failure::CtlFailure;
use crate::{cli::ctl::CtlConnection, gateway::control_socket};

/// A place where the API may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RelayTarget {
    Unix(PathBuf),
    Url(RelayUrl),
}

/// A URL below which the API may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RelayUrl {
    pub(super) is_secure: bool,
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// As it stands in the URL.
    authority: String,
    /// Without a slash at its end.
    base_path: String,
}

/// The places to try, in order: the one that is named, else the usual ones.
pub(super) fn targets(args: &CtlConnection) -> Result<Vec<RelayTarget>, CtlFailure> {
    if let Some(path) = &args.socket {
        return Ok(vec![RelayTarget::Unix(path.clone())]);
    }
    let variable = || env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty());
    if let Some(url) = args.url.clone().or_else(variable) {
        return Ok(vec![RelayTarget::Url(RelayUrl::parse(&url)?)]);
    }
    let mut targets: Vec<RelayTarget> = Vec::new();
    // A socket elsewhere than on Unix is none.
    if cfg!(unix) {
        targets.extend(control_socket::path().map(RelayTarget::Unix));
        let of_system = RelayTarget::Unix(Path::new(SYSTEM_SOCKET).into());
        if !targets.contains(&of_system) {
            targets.push(of_system);
        }
    }
    targets.push(RelayTarget::Url(RelayUrl::parse(DEFAULT_URL)?));
    Ok(targets)
}

impl RelayUrl {
    /// Reads a URL. Its text is in no error: it may hold a password.
    fn parse(text: &str) -> Result<Self, CtlFailure> {
        let wrong = |why: &str| CtlFailure::Usage(format!("the URL of the relay {why}"));
        let uri: Uri = text
            .parse()
            .map_err(|_| wrong("is not one: write http://HOST:PORT or https://HOST:PORT"))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "holds a login, which every user of this machine can read: use --user NAME, with \
                 --password-file FILE or at a terminal",
            ));
        }
        if uri.query().is_some() {
            return Err(wrong("must not have a query"));
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        Ok(Self {
            is_secure,
            host: bare.unwrap_or(host).into(),
            port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            authority: authority.as_str().into(),
            base_path: uri.path().trim_end_matches('/').into(),
        })
    }

    /// Whether what is sent stays on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let address: Option<std::net::IpAddr> = self.host.parse().ok();
        address.map_or(self.host == "localhost", |address| address.is_loopback())
    }
}

impl RelayTarget {
    /// The value of `Host`.
    pub(super) fn authority(&self) -> &str {
        match self {
            Self::Unix(_) => "localhost",
            Self::Url(url) => &url.authority,
        }
    }

    /// What stands in front of the paths of the relay.
    pub(super) fn base_path(&self) -> &str {
        match self {
            Self::Unix(_) => "",
            Self::Url(url) => &url.base_path,
        }
    }
}

impl fmt::Display for RelayTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Url(url) => {
                let scheme = if url.is_secure { "https" } else { "http" };
                write!(f, "{scheme}://{}{}", url.authority, url.base_path)
            }
        }
    }
}

const URL_VARIABLE: &str = "MJPEG_CTL_URL";
/// That of a relay that the system runs: systemd's `RuntimeDirectory=mjpeg-server`.
const SYSTEM_SOCKET: &str = "/run/mjpeg-server/control.sock";
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> RelayUrl {
        RelayUrl::parse(text).unwrap()
    }

    #[test]
    fn urls_are_read_as_browsers_read_them() {
        let url = parsed("https://[::1]/cams/");
        assert_eq!((url.host.as_str(), url.port), ("::1", 443));
        assert_eq!(url.authority, "[::1]");
        assert!(url.is_secure && url.is_loopback());
        let target = RelayTarget::Url(url);
        assert_eq!((target.base_path(), target.authority()), ("/cams", "[::1]"));
        assert_eq!(parsed("http://cam-host").port, 80);
        assert!(!parsed("http://cam-host:8080").is_loopback());
    }

    #[test]
    fn wrong_urls_are_refused_and_not_repeated() {
        for text in [
            "http://me:secret@host",
            "secret://host",
            "http://host/?secret",
            "host:80secret",
            "",
        ] {
            let error = RelayUrl::parse(text).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
