//! An identity provider's keys and tokens, made by `openssl`, which shares no code with the code
//! under test.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// A key of an identity provider, which signs JSON Web Tokens.
pub struct IssuerKey {
    algorithm: &'static str,
    id: String,
    folder: PathBuf,
}

impl IssuerKey {
    /// Makes a key with this id for `RS256`, `ES256` or `EdDSA`.
    ///
    /// # Panics
    ///
    /// If there is no `openssl`, or for another algorithm.
    pub fn new(algorithm: &'static str, id: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mjpeg-issuer-{}-{number}", process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder of its own");
        let kind: &[&str] = match algorithm {
            "RS256" => &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "ES256" => &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "EdDSA" => &["ed25519"],
            other => panic!("no algorithm {other}"),
        };
        let key = folder.join("key.pem");
        let args = ["genpkey", "-out", text(&key), "-algorithm"];
        openssl(&[&args, kind].concat(), b"");
        Self {
            algorithm,
            id: id.into(),
            folder,
        }
    }

    /// The public key as an entry of a key set.
    ///
    /// # Panics
    ///
    /// If `openssl` fails.
    pub fn jwk(&self) -> String {
        let key = self.folder.join("key.pem");
        let key = text(&key);
        let id = &self.id;
        let spki = || openssl(&["pkey", "-in", key, "-pubout", "-outform", "DER"], b"");
        let last = |bytes: &[u8], n: usize| bytes[bytes.len() - n..].to_vec();
        let members = match self.algorithm {
            "RS256" => {
                let said = openssl(&["rsa", "-in", key, "-noout", "-modulus"], b"");
                let said = String::from_utf8(said).expect("text");
                let digits = said.trim().strip_prefix("Modulus=").expect("a modulus");
                let bytes = digits.as_bytes().chunks(2).map(|pair| {
                    let pair = std::str::from_utf8(pair).expect("digits");
                    u8::from_str_radix(pair, 16).expect("hexadecimal")
                });
                let modulus = encoded(&bytes.collect::<Vec<_>>());
                format!(r#""kty":"RSA","n":"{modulus}","e":"AQAB""#)
            }
            "ES256" => {
                let point = last(&spki(), 64);
                let (x, y) = (encoded(&point[..32]), encoded(&point[32..]));
                format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#)
            }
            _ => {
                let x = encoded(&last(&spki(), 32));
                format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#)
            }
        };
        format!(r#"{{{members},"kid":"{id}","use":"sig"}}"#)
    }

    /// The key set of these keys.
    ///
    /// # Panics
    ///
    /// If `openssl` fails.
    pub fn set<'a>(keys: impl IntoIterator<Item = &'a Self>) -> String {
        let keys: Vec<_> = keys.into_iter().map(Self::jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// A token with these claims, in JSON.
    ///
    /// # Panics
    ///
    /// If `openssl` fails.
    pub fn sign(&self, claims: &str) -> String {
        let (algorithm, id) = (self.algorithm, &self.id);
        let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"{id}"}}"#);
        self.sign_with(&header, claims)
    }

    /// A token with this header, whatever it says; signed by this key.
    ///
    /// # Panics
    ///
    /// If `openssl` fails.
    pub fn sign_with(&self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            encoded(header.as_bytes()),
            encoded(claims.as_bytes())
        );
        let key = self.folder.join("key.pem");
        let key = text(&key);
        let digest = |signed: &str| openssl(&["dgst", "-sha256", "-sign", key], signed.as_bytes());
        let signature = match self.algorithm {
            "RS256" => digest(&signed),
            "ES256" => two_numbers(&digest(&signed)),
            _ => {
                let file = self.folder.join("signed");
                fs::write(&file, &signed).expect("the folder is ours");
                let args = ["pkeyutl", "-sign", "-rawin", "-inkey", key, "-in"];
                openssl(&[&args[..], &[text(&file)]].concat(), b"")
            }
        };
        format!("{signed}.{}", encoded(&signature))
    }

    /// The public key in PEM, as a secret of `HS256` for those who mistake one for the other.
    ///
    /// # Panics
    ///
    /// If `openssl` fails.
    pub fn public_pem(&self) -> Vec<u8> {
        let key = self.folder.join("key.pem");
        openssl(&["pkey", "-in", text(&key), "-pubout"], b"")
    }
}

impl Drop for IssuerKey {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// ECDSA's two numbers in DER, as JSON Web Tokens have them: 32 bytes each.
fn two_numbers(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut both = Vec::new();
    for _ in 0..2 {
        let length = usize::from(rest[1]);
        let number = &rest[2..2 + length];
        let number = &number[number.len().saturating_sub(32)..];
        both.extend(std::iter::repeat_n(0, 32 - number.len()));
        both.extend(number);
        rest = &rest[2 + length..];
    }
    both
}

fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl runs (cargo xtask ci --install installs it)");
    let mut stdin = child.stdin.take().expect("piped");
    // It may not read it.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "openssl {args:?}");
    output.stdout
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}
