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
    let rest = rest(new.rest, known.rest, stored.rest)?;
    let at = if login.is_empty() { "" } else { "@" };
    Ok(format!("{}://{login}{at}{}{rest}", new.scheme, new.host))
}

/// Path, query and options with the secrets of the stored ones.
fn rest(new: &str, known: &str, stored: &str) -> Result<String, &'static str> {
    if !new.contains(MASK) {
        return Ok(new.into());
    }
    if new == known {
        return Ok(stored.into());
    }
    // What it stands for may have any characters.
    if stored.contains("${") {
        return Err("*** stands for a secret only where path and options are unchanged");
    }
    let split = |rest| str::split_once(rest, '#').unwrap_or((rest, ""));
    let (new, known, stored) = (split(new), split(known), split(stored));
    let options = match new.1 {
        options if !options.contains(MASK) => options,
        options if options == known.1 => stored.1,
        _ => return Err("*** stands for a secret only where the options are unchanged"),
    };
    let path = path_and_query(new.0, stored.0)?;
    let hash = if options.is_empty() { "" } else { "#" };
    Ok([&path, hash, options].concat())
}

/// A path and query with the values of those parameters that were masked.
fn path_and_query(new: &str, stored: &str) -> Result<String, &'static str> {
    let no_secret = "*** stands for a secret only where there is one";
    let (path, query) = new.split_once('?').unwrap_or((new, ""));
    let (_, stored) = stored.split_once('?').unwrap_or_default();
    if !query.contains(MASK) && !path.contains(MASK) {
        return Ok(new.into());
    }
    if path.contains(MASK) {
        return Err(no_secret);
    }
    let mut rest: Vec<&str> = stored.split('&').collect();
    let pairs = query.split('&').map(|pair| {
        let name = pair.strip_suffix(MASK).filter(|_| pair.contains(MASK));
        let Some(name) = name else {
            return match pair.contains(MASK) {
                true => Err(no_secret),
                false => Ok(pair),
            };
        };
        let is_its = |stored: &&str| match name.is_empty() {
            true => !stored.is_empty() && !stored.contains('='),
            false => name.ends_with('=') && stored.starts_with(name),
        };
        let at = rest.iter().position(is_its).ok_or(no_secret)?;
        // The next of this name stands for the next value.
        Ok(rest.remove(at))
    });
    let pairs: Vec<&str> = pairs.collect::<Result<_, _>>()?;
    Ok(format!("{path}?{}", pairs.join("&")))
}

/// Whether a source holds a secret that is written out, and not as `${…}`.
pub(crate) fn has_plain_secret(url: &str) -> bool {
    let url = without_references(url);
    let Some(parts) = UrlParts::of(&url) else {
        return shown(&url).contains(MASK);
    };
    let is_plain = |login: &str| {
        let password = login
            .split_once(':')
            .map_or(login, |(_, password)| password);
        password != LOOKED_UP
    };
    if parts.login.is_some_and(is_plain) {
        return true;
    }
    let (path, options) = parts.rest.split_once('#').unwrap_or((parts.rest, ""));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let plain = |begin: &str, pairs: &str| {
        let pairs = pairs.split('&').filter(|pair| !pair.ends_with(LOOKED_UP));
        let pairs: Vec<_> = pairs.filter(|pair| !pair.is_empty()).collect();
        match pairs.is_empty() {
            true => String::new(),
            false => format!("{begin}{}", pairs.join("&")),
        }
    };
    let (query, options) = (plain("?", query), plain("#", options));
    let plain = format!("{}://{}{path}{query}{options}", parts.scheme, parts.host);
    shown(&plain).contains(MASK)
}

/// A text with a word in place of each `${…}`.
fn without_references(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, after)) = after.split_once('}') else {
            break;
        };
        plain += before;
        plain += LOOKED_UP;
        rest = after;
    }
    plain + rest
}

/// Stands for a value that is looked up elsewhere.
const LOOKED_UP: &str = "_looked_up_";

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
    fn secret_that_is_looked_up_is_none_that_is_written_out() {
        for url in [
            "tcp://cam:1",
            "http://cam/v?fps=5",
            "http://me:${env:P}@cam/v",
            "http://me:${file:/etc/p}@cam/v?key=${env:K}#stall_limit=9s",
            "http://${env:U}:${env:P}@cam/",
            "http://cam/v#header=X-Key:%20${env:K}",
        ] {
            assert!(!has_plain_secret(url), "{url}");
        }
        for url in [
            "http://me:hunter2@cam/v",
            "http://me:${env:P}x@cam/v",
            "http://me@cam/v",
            "http://cam/v?key=hunter2",
            "http://cam/v?key=${env:K}&other=hunter2",
            "http://cam/v#header=X-Key:hunter2",
            "http://me:${env:P@cam/v",
        ] {
            assert!(has_plain_secret(url), "{url}");
        }
    }

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
    fn each_parameter_keeps_its_value_whatever_becomes_of_the_others() {
        const STORED: &str = "http://me:pw@cam/v?u=admin&p=hunter2&p=other&fps=5&bare#header=a:b";
        let known = shown(STORED);
        assert_eq!(
            known,
            "http://***@cam/v?u=***&p=***&p=***&fps=5&***#header=a:***"
        );
        for (new, set) in [
            (&*known, STORED),
            (
                "http://***@cam/w?fps=9&p=***&u=***&p=***",
                "http://me:pw@cam/w?fps=9&p=hunter2&u=admin&p=other",
            ),
            ("http://cam/v?***&u=you", "http://cam/v?bare&u=you"),
            (
                "http://cam/v?p=***#header=a:***",
                "http://cam/v?p=hunter2#header=a:b",
            ),
            ("http://cam/v?p=***#fps=1", "http://cam/v?p=hunter2#fps=1"),
        ] {
            assert_eq!(unmasked(new, Some(STORED)).as_deref(), Ok(set), "{new}");
        }
        for new in [
            "http://evil/v?u=***&p=***&p=***&fps=5&***#header=a:***",
            "https://cam/v?p=***",
            "http://cam:81/v?p=***",
            "http://cam/***?p=***",
            "http://cam/v?q=***",
            "http://cam/v?p=***&p=***&p=***",
            "http://cam/v?p=x***",
            "http://cam/v?p***",
            "http://cam/v?p=***#header=b:***",
        ] {
            let kept = unmasked(new, Some(STORED));
            assert!(kept.is_err(), "{new}: {kept:?}");
        }
        let looked_up = "http://cam/v?p=${env:X}&q=hunter2";
        assert!(unmasked("http://cam/v?q=***&p=***", Some(looked_up)).is_err());
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
