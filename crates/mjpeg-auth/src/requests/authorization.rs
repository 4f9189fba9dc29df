//! The header `Authorization`.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::{HeaderMap, header::AUTHORIZATION};

/// What a client says of itself.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Presented {
    Nothing,
    Password {
        name: String,
        password: String,
    },
    Token(String),
    /// Something that nobody is known by.
    Nonsense,
}

impl Presented {
    /// Reads a request's headers. Two `Authorization` headers are nonsense: whoever reads the
    /// other one would decide otherwise.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Self::Nothing,
            (Some(value), None) => value.to_str(),
            (Some(_), Some(_)) => return Self::Nonsense,
        };
        let Some((scheme, rest)) = value.ok().and_then(|value| value.split_once(' ')) else {
            return Self::Nonsense;
        };
        let rest = rest.trim_matches(' ');
        if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            return Self::Token(rest.into());
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return basic(rest).unwrap_or(Self::Nonsense);
        }
        Self::Nonsense
    }
}

/// RFC 7617: base64 of UTF-8, and the first colon ends the name.
fn basic(encoded: &str) -> Option<Presented> {
    let text = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(Presented::Password {
        name: name.into(),
        password: password.into(),
    })
}

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Presented {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, http::HeaderValue::from_bytes(value).unwrap());
        }
        Presented::read(&headers)
    }

    fn password(name: &str, password: &str) -> Presented {
        Presented::Password {
            name: name.into(),
            password: password.into(),
        }
    }

    impl std::fmt::Debug for Presented {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("***")
        }
    }

    #[test]
    fn header_of_every_form_is_read_or_nonsense() {
        let encode = |bytes: &[u8]| BASE64.encode(bytes);
        let basic = |bytes: &[u8]| read(&[format!("Basic {}", encode(bytes)).as_bytes()]);
        assert!(read(&[]) == Presented::Nothing);
        assert!(basic(b"alice:secret") == password("alice", "secret"));
        assert!(basic(b"alice:a:b:") == password("alice", "a:b:"));
        assert!(basic(b":") == password("", ""));
        assert!(basic("jörg:pässwörd".as_bytes()) == password("jörg", "pässwörd"));
        let long = "x".repeat(8 << 10);
        assert!(basic(format!("a:{long}").as_bytes()) == password("a", &long));
        for alike in ["basic YTpi", "BASIC  YTpi", "bAsIc YTpi "] {
            assert!(read(&[alike.as_bytes()]) == password("a", "b"), "{alike}");
        }
        // Without its padding.
        assert!(read(&[b"Basic YTo"]) == password("a", ""));
        assert!(read(&[b"bearer abc.def"]) == Presented::Token("abc.def".into()));
        for nonsense in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Bearer",
            b"Bearer ",
            b"Basic !!!!",
            b"Basic YWxpY2U=",
            b"Basic YT pi",
            b"Basic /w==",
            b"Basic \xff",
            b"Digest username=\"a\"",
            b"YTpi",
        ] {
            let shown = nonsense.escape_ascii();
            assert!(read(&[nonsense]) == Presented::Nonsense, "{shown}");
        }
        assert!(basic(b"\xff\xfe:secret") == Presented::Nonsense);
        assert!(read(&[b"Basic YTpi", b"Basic YTpi"]) == Presented::Nonsense);
        assert!(read(&[b"Basic YTpi", b"Bearer x"]) == Presented::Nonsense);
    }
}
