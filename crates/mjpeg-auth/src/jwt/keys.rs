//! The public keys of an identity provider.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde_json::{Map, Value};

use crate::error::InvalidJwtKeys;

/// The public keys of an identity provider, as it publishes them: a JSON Web Key Set (RFC 7517).
/// Default: none, and no token is valid.
///
/// Keys of other kinds than RSA (2048 to 4096 bits), P-256 and Ed25519, or for other uses than
/// signatures, are left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct JwtKeys(Vec<JwtKey>);

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct JwtKey {
    id: Option<String>,
    public: PublicKey,
}

/// A key, which is for one algorithm.
#[derive(Clone, PartialEq, Eq)]
enum PublicKey {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point, uncompressed.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwtAlgorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl JwtKeys {
    /// Reads a key set: `{"keys": […]}`.
    ///
    /// # Errors
    ///
    /// [`InvalidJwtKeys`] if it has more than 64 KiB or 100 keys, is something else, or has no key
    /// that can be used here.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidJwtKeys> {
        if json.len() > MOST_BYTES {
            return Err(InvalidJwtKeys::TooLarge { most: MOST_BYTES });
        }
        let set: Value = serde_json::from_slice(json).map_err(|_| InvalidJwtKeys::NoKeySet)?;
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(InvalidJwtKeys::NoKeySet)?;
        if keys.len() > MOST_KEYS {
            return Err(InvalidJwtKeys::TooMany { most: MOST_KEYS });
        }
        let keys = keys.iter().filter_map(|key| JwtKey::read(key.as_object()?));
        let keys: Vec<_> = keys.collect();
        match keys.is_empty() {
            true => Err(InvalidJwtKeys::NoneUsable),
            false => Ok(Self(keys)),
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a token was signed with. One that names no key was signed with the only one for
    /// its algorithm.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: JwtAlgorithm) -> Option<&JwtKey> {
        let mut found = self.0.iter().filter(|key| {
            key.public.algorithm() == algorithm && (id.is_none() || key.id.as_deref() == id)
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

impl JwtKey {
    /// Reads a key; `None` if it is of no use here.
    fn read(key: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        // What is there must be as expected.
        let is = |name: &str, expected: &[&str]| match key.get(name) {
            None => true,
            Some(value) => value
                .as_str()
                .is_some_and(|value| expected.contains(&value)),
        };
        let may_verify = match key.get("key_ops") {
            None => true,
            Some(uses) => uses.as_array()?.iter().any(|one| one == "verify"),
        };
        if !is("use", &["sig"]) || !may_verify {
            return None;
        }
        let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let public = match (text("kty")?, text("crv")) {
            ("RSA", _) if is("alg", &["RS256"]) => {
                let modulus = without_zeros(bytes("n")?);
                let exponent = without_zeros(bytes("e")?);
                let is_sound = RSA_BYTES.contains(&modulus.len()) && exponent.len() <= 4;
                is_sound.then_some(PublicKey::Rsa { modulus, exponent })?
            }
            ("EC", Some("P-256")) if is("alg", &["ES256"]) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                let is_point = x.len() == 32 && y.len() == 32;
                is_point.then(|| PublicKey::P256([&[4], &x[..], &y].concat()))?
            }
            ("OKP", Some("Ed25519")) if is("alg", &["EdDSA"]) => {
                let x = bytes("x")?;
                (x.len() == 32).then_some(PublicKey::Ed25519(x))?
            }
            _ => return None,
        };
        let id = text("kid").map(str::to_owned);
        Some(Self { id, public })
    }

    /// Whether this is the signature of the message.
    pub(crate) fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.public {
            PublicKey::Rsa { modulus, exponent } => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            PublicKey::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            PublicKey::Ed25519(point) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}

impl PublicKey {
    fn algorithm(&self) -> JwtAlgorithm {
        match self {
            Self::Rsa { .. } => JwtAlgorithm::Rs256,
            Self::P256(_) => JwtAlgorithm::Es256,
            Self::Ed25519(_) => JwtAlgorithm::EdDsa,
        }
    }
}

/// The keys are public, and long.
impl fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.0.iter().map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}

/// Some write numbers with zeros in front.
fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|&byte| byte == 0).collect()
}

const MOST_BYTES: usize = 64 << 10;
const MOST_KEYS: usize = 100;
/// 2048 to 4096 bits: shorter ones are weak, longer ones take long.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
