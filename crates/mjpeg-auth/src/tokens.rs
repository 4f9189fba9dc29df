//! Tokens, for programs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::digest::{Sha256, random};

/// Makes a token of 256 random bits, such as
/// `mjpeg_bCzUJZCzYJTyoWxG3O8sTXdT7Q0yQdw2L7wdlJHdN3g`. Its owner sends it as
/// `Authorization: Bearer …`; settings hold its [digest](hash_token).
///
/// # Panics
///
/// If the system has no random bytes.
pub fn new_token() -> String {
    format!("mjpeg_{}", BASE64_URL_SAFE_NO_PAD.encode(random::<32>()))
}

/// Returns a token's digest for [`User::with_token_hash`](crate::User::with_token_hash).
///
/// ```
/// let hash = mjpeg_auth::hash_token(&mjpeg_auth::new_token());
/// assert!(hash.starts_with("sha256:"));
/// ```
pub fn hash_token(token: &str) -> String {
    format!("sha256:{}", Sha256::of(token.as_bytes()).to_hex())
}
