//! Cookies of one session (RFC 6265), as far as a camera's login needs them.

use super::address::Origin;

/// The cookies that a camera has set, while its session lasts.
///
/// They are sent back to the host that set them, whatever the path; `Domain` and `Path` are
/// ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    host: String,
    /// It may only be sent encrypted.
    is_secure: bool,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Cookies {
    /// Takes over the value of a `Set-Cookie` header.
    pub(super) fn set(&mut self, origin: &Origin, header: &[u8]) {
        let mut fields = header.split(|&b| b == b';').map(<[u8]>::trim_ascii);
        let pair = fields.next().unwrap_or_default();
        let Some(equals) = pair.iter().position(|&b| b == b'=') else {
            return;
        };
        let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        let is_sendable = |bytes: &[u8]| !bytes.iter().any(|b| b.is_ascii_control());
        if name.is_empty() || !is_sendable(name) || !is_sendable(value) {
            return;
        }
        let mut cookie = Cookie {
            host: origin.host.clone(),
            is_secure: false,
            name: name.into(),
            value: value.into(),
        };
        let mut is_over = false;
        for field in fields {
            let field = field.to_ascii_lowercase();
            cookie.is_secure |= field == b"secure";
            is_over |= field.starts_with(b"max-age=0") || field.starts_with(b"max-age=-");
            // Cookies are deleted with a date in the past, which is this one by custom.
            let is_1970 = field.windows(4).any(|year| year == b"1970");
            is_over |= field.starts_with(b"expires=") && is_1970;
        }
        self.0
            .retain(|old| old.host != cookie.host || old.name != cookie.name);
        if !is_over {
            self.0.push(cookie);
        }
        // The oldest make room.
        while self.0.len() > MAX_COOKIES || self.bytes() > MAX_BYTES {
            self.0.remove(0);
        }
    }

    /// The value of the header `Cookie` for this server; `None` if there are no cookies for it.
    pub(super) fn header(&self, origin: &Origin) -> Option<Vec<u8>> {
        let mine =
            |cookie: &&Cookie| cookie.host == origin.host && (origin.tls || !cookie.is_secure);
        let pairs: Vec<_> = self
            .0
            .iter()
            .filter(mine)
            .map(|cookie| [&cookie.name[..], b"=", &cookie.value].concat())
            .collect();
        (!pairs.is_empty()).then(|| pairs.join(&b"; "[..]))
    }

    fn bytes(&self) -> usize {
        let sizes = self
            .0
            .iter()
            .map(|cookie| cookie.name.len() + cookie.value.len());
        sizes.sum()
    }
}

/// How many cookies are kept.
const MAX_COOKIES: usize = 16;

/// How long all names and values together may be, in bytes.
const MAX_BYTES: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(host: &str, tls: bool) -> Origin {
        let host = host.into();
        Origin {
            tls,
            host,
            port: 80,
        }
    }

    #[test]
    fn cookies_go_back_to_their_host_until_they_are_deleted() {
        let (cam, other) = (origin("cam", false), origin("other", false));
        let mut cookies = Cookies::default();
        assert_eq!(cookies.header(&cam), None);
        for header in [
            "sid=abc; Path=/; HttpOnly",
            " lang = en ",
            "safe=1; Secure",
            "sid=def",
            "no pair",
            "=x",
            "bad=a\nb",
        ] {
            cookies.set(&cam, header.as_bytes());
        }
        let header = |origin: &Origin| {
            cookies
                .header(origin)
                .map(|value| String::from_utf8(value).unwrap())
        };
        assert_eq!(header(&cam).as_deref(), Some("lang=en; sid=def"));
        assert_eq!(
            header(&origin("cam", true)).as_deref(),
            Some("lang=en; safe=1; sid=def")
        );
        assert_eq!(header(&other), None);
        cookies.set(&cam, b"sid=; expires=Thu, 01 Jan 1970 00:00:00 GMT");
        cookies.set(&cam, b"lang=; Max-Age=0");
        assert_eq!(cookies.header(&cam), None);
    }

    #[test]
    fn number_and_size_are_bounded() {
        let cam = origin("cam", false);
        let mut cookies = Cookies::default();
        for n in 0..100 {
            cookies.set(&cam, format!("c{n}=1").as_bytes());
        }
        assert_eq!(cookies.0.len(), MAX_COOKIES);
        cookies.set(
            &cam,
            &[b"big=".to_vec(), vec![b'x'; MAX_BYTES - 3]].concat(),
        );
        assert_eq!(cookies.0.len(), 1);
        cookies.set(
            &cam,
            &[b"big=".to_vec(), vec![b'x'; MAX_BYTES - 2]].concat(),
        );
        assert_eq!(cookies, Cookies::default());
    }
}
