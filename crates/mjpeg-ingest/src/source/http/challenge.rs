//! What a camera asks for when it asks for a login, read as cameras write it.

/// A challenge: a scheme, and its parameters in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Challenge {
    /// In lower case.
    pub(super) scheme: Vec<u8>,
    params: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Challenge {
    /// The value of a parameter. Of several with one name, the last counts, as in browsers.
    pub(super) fn param(&self, name: &str) -> Option<&[u8]> {
        let mut params = self.params.iter().rev();
        let found = params.find(|(known, _)| known == name.as_bytes());
        found.map(|(_, value)| &value[..])
    }
}

/// Reads the challenges in one `WWW-Authenticate` header (RFC 9110 section 11.6.1).
///
/// Values may be quoted with either mark or not at all, may hold any bytes, and parameters may be
/// separated by blanks alone: that is what is in the field.
pub(in crate::source) fn challenges(header: &[u8]) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = UnreadHeader(header);
    while let Some(word) = rest.word() {
        if rest.skip_equals() {
            let value = rest.value();
            let name = word.to_ascii_lowercase();
            if let Some(challenge) = found.last_mut()
                && challenge.params.len() < MAX_PARAMS
            {
                challenge.params.push((name, value));
            }
        } else if found.len() < MAX_CHALLENGES {
            found.push(Challenge {
                scheme: word.to_ascii_lowercase(),
                params: Vec::new(),
            });
        }
    }
    found
}

/// The unread rest of a header.
struct UnreadHeader<'a>(&'a [u8]);

impl<'a> UnreadHeader<'a> {
    /// Reads the next word, up to a separator; `None` at the end.
    fn word(&mut self) -> Option<&'a [u8]> {
        let begin = self.0.iter().position(|b| !b" \t,;=\"'".contains(b))?;
        self.0 = &self.0[begin..];
        Some(self.take(|b| b" \t,;=".contains(&b)))
    }

    fn skip_equals(&mut self) -> bool {
        match self.0.trim_ascii_start() {
            [b'=', rest @ ..] => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads the value behind an equals sign, without its marks.
    fn value(&mut self) -> Vec<u8> {
        self.0 = self.0.trim_ascii_start();
        match self.0 {
            [mark @ (b'"' | b'\''), rest @ ..] => {
                self.0 = rest;
                self.quoted(*mark)
            }
            _ => self.unquoted(),
        }
    }

    fn quoted(&mut self, mark: u8) -> Vec<u8> {
        let mut value = Vec::new();
        while let [byte, rest @ ..] = self.0 {
            self.0 = rest;
            match (*byte, rest) {
                (b'\\', [escaped, rest @ ..]) if mark == b'"' => {
                    value.push(*escaped);
                    self.0 = rest;
                }
                (byte, _) if byte == mark => break,
                (byte, _) => value.push(byte),
            }
        }
        value
    }

    /// Reads up to a comma, or to a blank before the next parameter: a realm without marks may
    /// consist of several words.
    fn unquoted(&mut self) -> Vec<u8> {
        let mut value = self.take(|b| b" \t,".contains(&b)).to_vec();
        while let [b' ' | b'\t', ..] = self.0 {
            let mut ahead = UnreadHeader(self.0.trim_ascii_start());
            let word = ahead.take(|b| b" \t,=".contains(&b));
            if word.is_empty() || matches!(ahead.0.trim_ascii_start(), [b'=', ..]) {
                break;
            }
            value.push(b' ');
            value.extend_from_slice(word);
            self.0 = ahead.0;
        }
        value
    }

    fn take(&mut self, ends: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|&b| ends(b));
        let (taken, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// How many challenges of a header are read. Cameras send one or two.
const MAX_CHALLENGES: usize = 16;

/// How many parameters of a challenge are read. Digest has ten.
const MAX_PARAMS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = challenges(header.as_bytes()).into_iter().map(|challenge| {
            let params = challenge.params.iter();
            let params: Vec<_> = params
                .map(|(name, value)| format!("{}={}", text(name), text(value)))
                .collect();
            format!("{}({})", text(&challenge.scheme), params.join("|"))
        });
        shown.collect()
    }

    #[test]
    fn challenges_are_read_as_cameras_write_them() {
        for (header, found) in [
            (r#"Basic realm="cam 1""#, &["basic(realm=cam 1)"][..]),
            ("Basic", &["basic()"]),
            ("", &[]),
            (
                r#"Digest realm="a\"b", nonce="n,1", qop="auth,auth-int", algorithm=md5"#,
                &[r#"digest(realm=a"b|nonce=n,1|qop=auth,auth-int|algorithm=md5)"#],
            ),
            (
                "Digest realm='it is', nonce = 'x\\y' ,QOP=\"\"",
                &["digest(realm=it is|nonce=x\\y|qop=)"],
            ),
            (
                "Digest realm=IP Camera 7, nonce=abc",
                &["digest(realm=IP Camera 7|nonce=abc)"],
            ),
            (
                "Digest realm=\"a\" nonce=\"b\" algorithm=MD5 opaque=\"c\"",
                &["digest(realm=a|nonce=b|algorithm=MD5|opaque=c)"],
            ),
            ("Digest realm=K\u{fc}che", &["digest(realm=K\u{fc}che)"]),
            (
                "Negotiate, Basic realm=\"x\", Digest nonce=\"y\"",
                &["negotiate()", "basic(realm=x)", "digest(nonce=y)"],
            ),
            ("realm=\"lost\", Basic", &["basic()"]),
            ("Digest nonce=\"open", &["digest(nonce=open)"]),
            ("Digest realm=, nonce=", &["digest(realm=|nonce=)"]),
        ] {
            assert_eq!(read(header), found, "{header}");
        }
    }

    #[test]
    fn last_of_two_equal_parameters_counts() {
        let found = challenges(br#"Digest realm="a", nonce="n", realm="b""#);
        assert_eq!(found[0].param("realm"), Some(&b"b"[..]));
        assert_eq!(found[0].param("opaque"), None);
    }
}
