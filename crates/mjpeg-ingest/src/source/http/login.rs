//! Answers to challenges: Basic (RFC 7617) and Digest (RFC 7616, RFC 2069).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512_256};

use super::{challenge::Challenge, settings::Account};

/// How to log in, as a camera asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) enum Login {
    Basic,
    Digest(Digest),
}

/// What a Digest challenge holds, and how often it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Digest {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    /// As the camera wrote it.
    algorithm: Option<Vec<u8>>,
    hash: Hash,
    /// The hash depends on the nonces too (`-sess`).
    is_session: bool,
    qop: Option<&'static str>,
    hashes_user: bool,
    is_stale: bool,
    count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

impl Login {
    /// Chooses among challenges: Digest if it is offered, then Basic. Without any challenge it is
    /// Basic, as curl and browsers try it. `None` if none is understood.
    pub(in crate::source) fn choose(challenges: &[Challenge]) -> Option<Self> {
        if challenges.is_empty() {
            return Some(Self::Basic);
        }
        let digest = challenges.iter().find_map(Digest::new);
        let is_basic = |challenge: &Challenge| challenge.scheme == b"basic";
        let basic = || challenges.iter().any(is_basic).then_some(Self::Basic);
        digest.map(Self::Digest).or_else(basic)
    }

    /// Names the way to log in, in lower case.
    pub(in crate::source) fn scheme(&self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Digest(digest) => match digest.hash {
                Hash::Md5 => "digest md5",
                Hash::Sha256 => "digest sha-256",
                Hash::Sha512_256 => "digest sha-512-256",
            },
        }
    }

    /// Whether the password itself is sent.
    pub(in crate::source) fn is_plain(&self) -> bool {
        *self == Self::Basic
    }

    /// Whether the camera says that only its nonce was too old.
    pub(in crate::source) fn is_stale(&self) -> bool {
        matches!(self, Self::Digest(digest) if digest.is_stale)
    }

    /// Writes the value of the header `Authorization` for a request. `random` makes each answer to
    /// one nonce unique.
    pub(in crate::source) fn answer(
        &mut self,
        account: &Account,
        method: &str,
        path: &str,
        random: u128,
    ) -> Vec<u8> {
        match self {
            Self::Basic => {
                let pair = format!("{}:{}", account.user, account.password);
                format!("Basic {}", STANDARD.encode(pair)).into()
            }
            Self::Digest(digest) => digest.answer(account, method, path, random),
        }
    }
}

impl Digest {
    /// Reads a challenge, if it is one that can be answered.
    fn new(challenge: &Challenge) -> Option<Self> {
        if challenge.scheme != b"digest" {
            return None;
        }
        let param = |name| challenge.param(name);
        let is_true = |name| param(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
        let (hash, is_session) = hash(param("algorithm").unwrap_or_default())?;
        Some(Self {
            realm: param("realm").unwrap_or_default().into(),
            nonce: param("nonce").filter(|nonce| !nonce.is_empty())?.into(),
            opaque: param("opaque").map(Into::into),
            algorithm: param("algorithm").map(Into::into),
            hash,
            is_session,
            qop: qop(param("qop").unwrap_or_default()),
            hashes_user: is_true("userhash"),
            is_stale: is_true("stale"),
            count: 0,
        })
    }

    fn answer(&mut self, account: &Account, method: &str, path: &str, random: u128) -> Vec<u8> {
        self.count = self.count.saturating_add(1);
        let (count, random) = (format!("{:08x}", self.count), format!("{random:032x}"));
        let (user, password) = (account.user.as_bytes(), account.password.as_bytes());
        let method = method.as_bytes();
        let h = |parts: &[&[u8]]| self.hash.hex(&parts.join(&b":"[..]));
        let mut a1 = h(&[user, &self.realm, password]);
        if self.is_session {
            a1 = h(&[a1.as_bytes(), &self.nonce, random.as_bytes()]);
        }
        let a2 = match self.qop {
            // The body is empty.
            Some("auth-int") => h(&[method, path.as_bytes(), h(&[]).as_bytes()]),
            _ => h(&[method, path.as_bytes()]),
        };
        let (a1, a2) = (a1.as_bytes(), a2.as_bytes());
        let response = match self.qop {
            Some(qop) => {
                let (count, random) = (count.as_bytes(), random.as_bytes());
                h(&[a1, &self.nonce, count, random, qop.as_bytes(), a2])
            }
            None => h(&[a1, &self.nonce, a2]),
        };
        let hashed_user = self.hashes_user.then(|| h(&[user, &self.realm]));
        let mut fields = Fields(b"Digest ".to_vec());
        fields.quoted(
            "username",
            hashed_user.as_ref().map_or(user, |user| user.as_bytes()),
        );
        fields.quoted("realm", &self.realm);
        fields.quoted("nonce", &self.nonce);
        fields.quoted("uri", path.as_bytes());
        if let Some(algorithm) = self.algorithm.as_ref().filter(|name| !name.is_empty()) {
            fields.bare("algorithm", algorithm);
        }
        if let Some(qop) = self.qop {
            fields.bare("qop", qop.as_bytes());
            fields.bare("nc", count.as_bytes());
        }
        if self.qop.is_some() || self.is_session {
            fields.quoted("cnonce", random.as_bytes());
        }
        fields.quoted("response", response.as_bytes());
        if let Some(opaque) = &self.opaque {
            fields.quoted("opaque", opaque);
        }
        if self.hashes_user {
            fields.bare("userhash", b"true");
        }
        fields.0
    }
}

impl Hash {
    fn hex(self, bytes: &[u8]) -> String {
        let hex = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Md5 => hex(&Md5::digest(bytes)),
            Self::Sha256 => hex(&Sha256::digest(bytes)),
            Self::Sha512_256 => hex(&Sha512_256::digest(bytes)),
        }
    }
}

/// The hash of this name in any case, and whether its session variant is meant. No name is MD5.
fn hash(name: &[u8]) -> Option<(Hash, bool)> {
    let name = name.trim_ascii().to_ascii_lowercase();
    let (name, is_session) = match name.strip_suffix(b"-sess") {
        Some(name) => (name, true),
        None => (&name[..], false),
    };
    let hash = match name {
        b"" | b"md5" => Hash::Md5,
        b"sha-256" | b"sha256" => Hash::Sha256,
        b"sha-512-256" | b"sha512-256" => Hash::Sha512_256,
        _ => return None,
    };
    Some((hash, is_session))
}

/// The quality of protection to answer with. Without integrity protection if possible: some cameras
/// offer it and get it wrong. `None`, as in RFC 2069, if the camera offers nothing that is known.
fn qop(offered: &[u8]) -> Option<&'static str> {
    let offers = |name: &str| {
        let mut words = offered.split(|b| b", \t".contains(b));
        words.any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    ["auth", "auth-int"].into_iter().find(|name| offers(name))
}

/// The fields of an `Authorization` header.
struct Fields(Vec<u8>);

impl Fields {
    fn bare(&mut self, name: &str, value: &[u8]) {
        if self.0.contains(&b'=') {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.0.extend_from_slice(value);
    }

    fn quoted(&mut self, name: &str, value: &[u8]) {
        self.bare(name, b"\"");
        for &byte in value {
            if b"\"\\".contains(&byte) {
                self.0.push(b'\\');
            }
            self.0.push(byte);
        }
        self.0.push(b'"');
    }
}

/// Names the schemes of challenges for people. What else is in them may be secret, and what looks
/// like a scheme may be something else.
pub(in crate::source) fn schemes(challenges: &[Challenge]) -> String {
    let names = challenges.iter().map(|challenge| {
        let known = |scheme: &&&str| scheme.as_bytes().eq_ignore_ascii_case(&challenge.scheme);
        SCHEMES.iter().find(known).copied().unwrap_or("another")
    });
    let mut names: Vec<_> = names.collect();
    names.dedup();
    names.join(", ")
}

/// Schemes that are shown by their names.
const SCHEMES: [&str; 6] = ["Basic", "Digest", "Negotiate", "NTLM", "Bearer", "OAuth"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::http::challenge::challenges;

    fn account(user: &str, password: &str) -> Account {
        Account {
            user: user.into(),
            password: password.into(),
        }
    }

    fn choose(header: &[u8]) -> Option<Login> {
        Login::choose(&challenges(header))
    }

    fn answer(header: &[u8], account: &Account, path: &str, random: u128) -> String {
        let answer = choose(header)
            .expect("understood")
            .answer(account, "GET", path, random);
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn basic_is_the_pair_in_base64() {
        let mut login = choose(b"Basic realm=x").unwrap();
        let answer = login.answer(&account("Aladdin", "open sesame"), "GET", "/", 0);
        assert_eq!(answer, b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    /// The example of RFC 2617 section 3.5 has a client nonce of its own, so that only the variant
    /// without one can be compared: RFC 2069 section 2.4, with the erratum for its response.
    #[test]
    fn answer_without_qop_is_that_of_rfc_2069() {
        let header = br#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
        let answer = answer(
            header,
            &account("Mufasa", "CircleOfLife"),
            "/dir/index.html",
            0,
        );
        assert!(
            answer.contains(r#"response="1949323746fe6a43ef61f9606e7febea""#),
            "{answer}"
        );
        assert!(
            answer.contains(r#"opaque="5ccc069c403ebaf9f0171e9517f40e41""#),
            "{answer}"
        );
        assert!(
            !answer.contains("nc=") && !answer.contains("qop="),
            "{answer}"
        );
    }

    #[test]
    fn odd_challenges_are_answered_as_the_camera_wrote_them() {
        let me = account("me", "secret");
        for (header, has) in [
            (
                &br#"Digest realm="r", nonce="n", algorithm=md5"#[..],
                r#"algorithm=md5"#,
            ),
            (
                br#"Digest realm="r", nonce="n", qop="""#,
                r#"uri="/v", response=""#,
            ),
            (
                br#"Digest realm="r", nonce="n", qop="auth-conf, auth-int""#,
                "qop=auth-int, nc=00000001",
            ),
            (br#"Digest realm=my cam, nonce=n"#, r#"realm="my cam""#),
            (br#"Digest nonce='n'"#, r#"realm="", nonce="n""#),
            (br#"Digest realm="a\"b", nonce="n""#, r#"realm="a\"b""#),
        ] {
            let answer = answer(header, &me, "/v", 7);
            assert!(answer.contains(has), "{answer}");
        }
        // Bytes that are no UTF-8 come back as they were.
        let mut login = choose(b"Digest realm=\"K\xFCche\", nonce=\"n\"").unwrap();
        let answer = login.answer(&me, "GET", "/", 0);
        assert!(answer.windows(7).any(|part| part == b"K\xFCche\","));
    }

    #[test]
    fn best_understood_challenge_is_chosen() {
        let both = [
            &b"Basic realm=a"[..],
            b"Digest nonce=\"n\", algorithm=SHA-999",
        ];
        let all: Vec<_> = both.iter().flat_map(|header| challenges(header)).collect();
        assert_eq!(Login::choose(&all), Some(Login::Basic));
        assert_eq!(Login::choose(&[]), Some(Login::Basic));
        for unknown in [
            &b"Negotiate"[..],
            b"Digest realm=x",
            b"Digest nonce=\"\"",
            b"x",
        ] {
            assert_eq!(choose(unknown), None);
        }
        for digest in [&b"Basic, Digest nonce=n"[..], b"Digest nonce=n, Basic"] {
            assert!(!choose(digest).unwrap().is_plain());
        }
    }

    #[test]
    fn count_goes_up_with_each_answer() {
        let mut login = choose(b"Digest nonce=n, qop=auth, stale=TRUE").unwrap();
        assert!(login.is_stale());
        for count in ["nc=00000001", "nc=00000002"] {
            let answer = login.answer(&account("a", "b"), "GET", "/", 0);
            assert!(String::from_utf8(answer).unwrap().contains(count));
        }
    }
}
