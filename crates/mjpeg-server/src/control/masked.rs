//! Sources that were shown with their secrets masked, and come back.

use mjpeg_manager::mjpeg_ingest::Source;

/// A source as it is shown. Its `${…}` are not looked up.
pub(super) fn shown(url: &str) -> String {
    match url.parse::<Source>() {
        Ok(source) => source.to_string(),
        // It may need what is not written in it.
        Err(_) => MASK.into(),
    }
}

/// Puts the secrets of the stored source where the new one has a mask. They are kept only if
/// scheme, host and port are the same: whoever may set a source could else send a password that
/// they do not know to a machine of their own.
///
/// # Errors
///
/// Says why a mask cannot be replaced.
pub(super) fn unmasked(new: &str, stored: Option<&str>) -> Result<String, &'static str> {
    if !new.contains(MASK) {
        return Ok(new.into());
    }
    let stored = stored.ok_or("there is no secret yet that *** could stand for")?;
    let known = shown(stored);
    if new == known {
        return Ok(stored.into());
    }
    let parts = UrlParts::of(new)
        .zip(UrlParts::of(&known))
        .zip(UrlParts::of(stored));
    let Some(((new, known), stored)) = parts else {
        return Err("*** stands for a secret only where the rest is unchanged");
    };
    if (new.scheme, new.host) != (stored.scheme, stored.host) {
        return Err("a secret is kept only for the same scheme, host and port: write it again");
    }
    let login = match new.login {
        Some(MASK) => stored
            .login
            .ok_or("there is no login that *** could stand for")?,
        Some(login) if login.contains(MASK) => {
            return Err("*** stands for a whole login, user name and password");
        }
        login => login.unwrap_or_default(),
    };
    let rest = match new.rest {
        rest if !rest.contains(MASK) => rest,
        rest if rest == known.rest => stored.rest,
        _ => return Err("*** stands for a secret only where path and options are unchanged"),
    };
    let at = if login.is_empty() { "" } else { "@" };
    Ok(format!("{}://{login}{at}{}{rest}", new.scheme, new.host))
}

/// A URL in pieces.
struct UrlParts<'a> {
    scheme: &'a str,
    login: Option<&'a str>,
    /// With its port.
    host: &'a str,
    /// Path, query and options.
    rest: &'a str,
}

impl<'a> UrlParts<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, after) = url.split_once("://")?;
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        Some(Self {
            scheme,
            login,
            host,
            rest,
        })
    }
}

/// What stands in the place of a secret.
pub(super) const MASK: &str = "***";

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &str = "http://me:hunter2@cam:8080/video#header=X-Key:hunter3&stall_limit=20s";

    #[test]
    fn secret_is_kept_where_scheme_host_and_port_are_unchanged() {
        let known = shown(STORED);
        assert!(
            known.contains("***@cam:8080") && !known.contains("hunter"),
            "{known}"
        );
        assert_eq!(unmasked(&known, Some(STORED)), Ok(STORED.into()));
        for (new, set) in [
            (
                "http://***@cam:8080/other",
                "http://me:hunter2@cam:8080/other",
            ),
            ("http://cam:8080/video", "http://cam:8080/video"),
            ("http://you:new@cam:8080/", "http://you:new@cam:8080/"),
            ("tcp://other:1", "tcp://other:1"),
        ] {
            assert_eq!(unmasked(new, Some(STORED)).as_deref(), Ok(set), "{new}");
        }
    }

    #[test]
    fn secret_goes_nowhere_else() {
        for new in [
            "http://***@evil:8080/video",
            "http://***@cam:8081/video",
            "http://***@cam/video",
            "https://***@cam:8080/video",
            "http://***@cam:8080@evil/video",
            "http://***@cam:8080.evil/video",
            "http://me:***@cam:8080/video",
            "http://***@cam:8080/***",
            "http://cam:8080/?***",
            "tcp://***",
            "exec:curl ***",
            "***",
        ] {
            let kept = unmasked(new, Some(STORED));
            assert!(kept.is_err(), "{new}: {kept:?}");
        }
        assert!(unmasked("http://***@cam/", None).is_err());
        assert!(unmasked("http://***@cam/", Some("http://cam/")).is_err());
    }
}
