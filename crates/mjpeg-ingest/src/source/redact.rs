//! Removing secrets from texts that people see.

/// Replaces what looks like a secret in a text by `***`: the user name and password of a URL, the
/// value behind a name such as `pwd=` or `Authorization:`, and the word behind an option such as
/// `--token` or `-u`.
///
/// For texts that others wrote, such as what a program says on its standard error. It knows
/// secrets by what stands before them, so that a text of which nothing is known is better not shown
/// at all.
///
/// ```
/// use mjpeg_ingest::redacted;
///
/// assert_eq!(redacted("cannot open rtsp://me:secret@cam/1"), "cannot open rtsp://***@cam/1");
/// assert_eq!(redacted("POST /login?user=me&pwd=secret"), "POST /login?user=me&pwd=***");
/// ```
pub fn redacted(text: &str) -> String {
    let text = without_logins(text);
    let text = without_values(&text);
    without_arguments(&text)
}

/// Replaces the user name and password of each URL, and of each `user:password@host`.
fn without_logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(ends_word) {
        let Some(at) = word.rfind('@') else {
            out += word;
            continue;
        };
        let begin = word.find(":/").map(|colon| {
            let after = &word[colon + 1..];
            colon + 1 + after.len() - after.trim_start_matches('/').len()
        });
        let start = match begin {
            Some(start) if start <= at => start,
            // The `@` stands before the URL.
            Some(_) => at,
            None => 0,
        };
        let authority = &word[start..][..word[start..]
            .find(['/', '?', '#'])
            .unwrap_or(word.len() - start)];
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let until = match (authority.rfind('@'), begin) {
            (Some(at), Some(_)) => Some(start + at),
            // A password with a slash in it looks like a port and a path.
            (None, Some(_)) if port.is_some_and(|port| port.parse::<u16>().is_err()) => Some(at),
            (_, None) if word[..at].contains(':') => Some(at),
            _ => None,
        };
        match until {
            Some(until) => out.extend([&word[..start], "***", &word[until..]]),
            None => out += word,
        }
    }
    out
}

/// Whether a word or a URL ends with this character.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'<>()".contains(c)
}

/// Replaces the values behind names of secrets: `pwd=…`, `"token": "…"`, `Authorization: …`.
fn without_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        let named = before.trim_end_matches(['"', '\'', ' ']);
        let key = named.rsplit(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)));
        let key = key.map(str::to_ascii_lowercase).next().unwrap_or_default();
        let value = after.trim_start_matches([' ', '"', '\'']);
        out += &rest[..at + 1];
        if !names_secret(&key) || value.is_empty() || value.starts_with("//") {
            rest = after;
            continue;
        }
        out += &after[..after.len() - value.len()];
        out += "***";
        let is_quoted = after[..after.len() - value.len()].contains(['"', '\'']);
        let is_line = LINES.iter().any(|part| key.contains(part));
        let ends = |c: char| match (is_quoted, is_line) {
            (true, _) => "\r\n\"'".contains(c),
            (false, true) => "\r\n".contains(c),
            (false, false) => ends_word(c) || "&,;".contains(c),
        };
        rest = &value[value.find(ends).unwrap_or(value.len())..];
    }
    out + rest
}

/// Replaces the words behind options of secrets: `--token …`, `-u …`, `Bearer …`.
fn without_arguments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = String::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let bare = word.trim_start_matches(['"', '\'']);
        let option = before.trim_start_matches(['"', '\'']);
        let is_login = ["-u", "-U", "--user", "--proxy-user", "-p"].contains(&option);
        let is_scheme = match option.to_ascii_lowercase().as_str() {
            "bearer" => !bare.is_empty(),
            // In a sentence, a word such as "authentication" follows.
            "basic" | "digest" => {
                bare.len() >= 8 && !bare.chars().all(|c| c.is_ascii_lowercase() || c == '.')
            }
            _ => false,
        };
        let is_option = option.starts_with('-') && names_secret(&option.to_ascii_lowercase());
        if !bare.is_empty() && (is_login || is_scheme || is_option) {
            out += &word[..word.len() - bare.len()];
            out += "***";
            // A quotation mark that closes around it.
            out += &bare[bare.trim_end_matches(['"', '\'']).len()..];
        } else {
            out += word;
        }
        out += &piece[word.len()..];
        if !word.is_empty() {
            before = word.to_owned();
        }
    }
    out
}

/// Whether the name of an option, a header or a field, in lower case, suggests a secret.
fn names_secret(key: &str) -> bool {
    let anywhere = [
        "passw",
        "passphrase",
        "pwd",
        "secret",
        "token",
        "authori",
        "credential",
        "cookie",
        "apikey",
        "loginpas",
        "psk",
    ];
    let at_end = [
        "pass",
        "pas",
        "pw",
        "auth",
        "key",
        "sig",
        "signature",
        "session",
        "sid",
        "pin",
    ];
    // "Unauthorized: …" is an answer, not a secret.
    !key.ends_with("unauthorized")
        && (anywhere.iter().any(|part| key.contains(part))
            || at_end.iter().any(|part| key.ends_with(part)))
}

/// Parts of the names whose value is the rest of the line.
const LINES: [&str; 2] = ["authori", "cookie"];

/// Replaces the values in a query but for those that are known to be harmless: a camera may take a
/// password by any name, such as `u` and `p`.
#[cfg(feature = "http")]
pub(crate) fn hidden_query(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.into();
    };
    let hidden = query.split('&').map(|pair| match pair.split_once('=') {
        Some((_, "")) => pair.into(),
        Some((name, value)) if is_harmless(name) && value.bytes().all(is_plain) => pair.into(),
        Some((name, _)) => format!("{name}=***"),
        None if pair.is_empty() || is_harmless(pair) => pair.into(),
        None => "***".into(),
    });
    format!("{path}?{}", hidden.collect::<Vec<_>>().join("&"))
}

/// Whether a parameter of this name says which picture is wanted, and nothing of who wants it.
#[cfg(feature = "http")]
fn is_harmless(name: &str) -> bool {
    HARMLESS
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a value has only such characters: some servers separate parameters by others than `&`.
#[cfg(feature = "http")]
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.,:/%*".contains(&byte)
}

/// As cameras and relays name them.
#[cfg(feature = "http")]
const HARMLESS: [&str; 29] = [
    "action",
    "camera",
    "cameraid",
    "channel",
    "cmd",
    "codec",
    "compression",
    "format",
    "fps",
    "framerate",
    "fresh",
    "height",
    "max_age",
    "max_fps",
    "mirror",
    "mode",
    "profile",
    "quality",
    "rate",
    "req_fps",
    "resolution",
    "rotate",
    "rotation",
    "size",
    "snapshot",
    "src",
    "stream",
    "subtype",
    "width",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "http")]
    #[test]
    fn values_of_queries_are_replaced_unless_they_are_known_to_be_harmless() {
        for (path, shown) in [
            (
                "/v.cgi?user=me&pwd=x&rate=0",
                "/v.cgi?user=***&pwd=***&rate=0",
            ),
            ("/?u=admin&p=hunter2", "/?u=***&p=***"),
            ("/?loginpas=a=b&Token=c", "/?loginpas=***&Token=***"),
            ("/?hunter2&snapshot&&x=", "/?***&snapshot&&x="),
            (
                "/?Resolution=640x480&channel=1&profile=a%20b",
                "/?Resolution=640x480&channel=1&profile=a%20b",
            ),
            ("/?action=stream;pwd=x", "/?action=***"),
            ("/?action=stream?pwd=x", "/?action=***"),
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

    #[test]
    fn secret_is_found_by_what_stands_before_it() {
        for text in [
            "http:/me:hunter2@cam/",
            "tcp:me:hunter2@cam:1",
            "http://me:hunter2/x@cam/",
            "http://me:hunter2#@cam/",
            "login me:hunter2@cam failed",
            "GET /v.cgi?user=me&pwd=hunter2&rate=0",
            "password: hunter2",
            "Password = \"hunter2\"",
            "{\"user\": \"me\", \"password\": \"hunter2\"}",
            "> Authorization: Basic hunter2hunter2==",
            "Authorization: Digest username=\"me\", response=\"hunter2\"",
            "Cookie: a=b; session=hunter2",
            "X-Api-Key: hunter2",
            "apikey=hunter2,rate=5",
            "with Bearer hunter2",
            "with Basic aHVudGVyMg==",
            "grab --token hunter2 --size 5",
            "grab '--password' 'hunter2'",
            "curl -u me:hunter2 -s",
            "curl --user me:hunter2",
        ] {
            let shown = redacted(text);
            assert!(
                !shown.contains("hunter2") && shown.contains("***"),
                "{text}: {shown}"
            );
            assert!(!shown.contains("aHVudGVyMg"), "{text}: {shown}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "Connection refused",
            "[tcp @ 0x5581] Connection to tcp://192.168.1.9:554 failed: No route to host",
            "Server returned 401 Unauthorized (authorization failed)",
            "401 Unauthorized: wrong user",
            "frame=  25 fps= 25 q=5.0 size=    640kB time=00:00:01.00 speed=1x",
            "Basic authentication failed.",
            "ended by signal: 9 (SIGKILL)",
            "keyframe: 12, design: new",
            "see http://cam:8080/a?b=c#d",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
