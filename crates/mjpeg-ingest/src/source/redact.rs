//! Removing secrets from texts that people see.

/// Replaces the user name and password of each URL in a text.
pub(crate) fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out += before;
        // These characters end an authority, or a URL within a text.
        let ends = |c: char| "/?#\"'<>".contains(c) || c.is_whitespace();
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(at) => {
                out += "***";
                &after[at..]
            }
            None => after,
        };
    }
    out + rest
}

/// Replaces the values in a query whose names suggest a secret, as in the URLs of many cameras.
#[cfg(feature = "http")]
pub(crate) fn hidden_query(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.into();
    };
    let hidden = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if is_secret(key) => format!("{key}=***"),
        _ => pair.into(),
    });
    format!("{path}?{}", hidden.collect::<Vec<_>>().join("&"))
}

#[cfg(feature = "http")]
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // Foscam has `loginpas` and `pwd`; URLs of cloud services have `auth`, `token` and `key`.
    let parts = ["pas", "pwd", "auth", "token", "key", "secret", "sig"];
    parts.iter().any(|part| key.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "http")]
    #[test]
    fn secrets_of_queries_are_replaced_by_their_names() {
        for (path, shown) in [
            (
                "/v.cgi?user=me&pwd=x&rate=0",
                "/v.cgi?user=me&pwd=***&rate=0",
            ),
            ("/?loginpas=a=b&Token=c", "/?loginpas=***&Token=***"),
            ("/?action=stream", "/?action=stream"),
            ("/pwd=x", "/pwd=x"),
        ] {
            assert_eq!(hidden_query(path), shown);
        }
    }

    #[test]
    fn secrets_of_urls_are_replaced_and_nothing_else() {
        for (text, shown) in [
            ("http://user:pass@cam/x?a=b@c", "http://***@cam/x?a=b@c"),
            (
                "ffmpeg -i rtsp://u:p@x@[::1]:554/1 -f mjpeg -",
                "ffmpeg -i rtsp://***@[::1]:554/1 -f mjpeg -",
            ),
            (
                "a 'rtsp://u:p@cam' and http://t@b: refused",
                "a 'rtsp://***@cam' and http://***@b: refused",
            ),
            ("tcp://camera:6001", "tcp://camera:6001"),
            (
                "mail me@home, see http://a/@b",
                "mail me@home, see http://a/@b",
            ),
            ("://", "://"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }
}
