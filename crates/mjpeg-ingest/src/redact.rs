//! Texts for people, without the secrets in them.

/// The text with the user name and password of each URL in it replaced.
pub(crate) fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out += before;
        // What ends an authority, and what ends a URL in a text.
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

#[cfg(test)]
mod tests {
    use super::redacted;

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
