//! A signed token as it is sent: `HEADER.CLAIMS.SIGNATURE` (RFC 7515).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::jwt::keys::{JwtAlgorithm, JwtKeys};

/// A token whose signature has not been looked at.
pub(crate) struct Compact<'a> {
    algorithm: JwtAlgorithm,
    key: Option<String>,
    /// What is signed: the header and the claims, as they were sent.
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusedToken {
    /// It names a key that is not there. There may be new ones.
    UnknownKey,
    Because(&'static str),
}

impl RefusedToken {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::UnknownKey => "no key of this name and algorithm",
            Self::Because(reason) => reason,
        }
    }
}

impl<'a> Compact<'a> {
    /// Reads a token.
    pub(crate) fn read(token: &'a str) -> Result<Self, RefusedToken> {
        if token.len() > MOST_BYTES {
            return Err(RefusedToken::Because("too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(NO_TOKEN)?;
        let (header, claims) = signed.split_once('.').ok_or(NO_TOKEN)?;
        let header = object(header)?;
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("RS256") => JwtAlgorithm::Rs256,
            Some("ES256") => JwtAlgorithm::Es256,
            Some("EdDSA") => JwtAlgorithm::EdDsa,
            _ => return Err(RefusedToken::Because("not signed by RS256, ES256 or EdDSA")),
        };
        // What must be understood, and is not.
        if header.contains_key("crit") {
            return Err(RefusedToken::Because("critical header"));
        }
        if !header.get("typ").is_none_or(is_access) {
            return Err(RefusedToken::Because("a token of another type"));
        }
        let key = match header.get("kid") {
            None => None,
            Some(Value::String(key)) => Some(key.clone()),
            Some(_) => return Err(NO_TOKEN),
        };
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature);
        Ok(Self {
            algorithm,
            key,
            signed,
            claims,
            signature: signature.map_err(|_| NO_TOKEN)?,
        })
    }

    /// The claims, if one of these keys has signed them.
    pub(crate) fn verified(&self, keys: &JwtKeys) -> Result<Map<String, Value>, RefusedToken> {
        let key = keys.find(self.key.as_deref(), self.algorithm);
        let key = key.ok_or(RefusedToken::UnknownKey)?;
        match key.is_signature(self.signed.as_bytes(), &self.signature) {
            true => object(self.claims),
            false => Err(RefusedToken::Because("the signature is wrong")),
        }
    }
}

fn object(encoded: &str) -> Result<Map<String, Value>, RefusedToken> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded);
    let bytes = bytes.map_err(|_| NO_TOKEN)?;
    serde_json::from_slice(&bytes).map_err(|_| NO_TOKEN)
}

/// Whether tokens of this type are for access. Providers sign others as well, such as those that
/// tell of a logout.
fn is_access(kind: &Value) -> bool {
    let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    matches!(kind, "jwt" | "at+jwt")
}

const NO_TOKEN: RefusedToken = RefusedToken::Because("not a signed JSON Web Token");

/// The longest token.
const MOST_BYTES: usize = 8 << 10;
