//! Hashes of passwords, by argon2id.

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, PasswordHasher, Version,
    password_hash::{Output, Salt, SaltString},
};

use crate::digest::random;

/// Returns a hash of a password for
/// [`User::with_password_hash`](crate::User::with_password_hash), with a salt of its own. Takes
/// tens of milliseconds and 19 MiB of memory.
///
/// ```
/// let hash = mjpeg_auth::hash_password("correct horse battery staple");
/// assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
/// ```
///
/// # Panics
///
/// If the system has no random bytes.
pub fn hash_password(password: &str) -> String {
    let salt = SaltString::encode_b64(&random::<{ Salt::RECOMMENDED_LENGTH }>());
    let salt = salt.expect("a salt may have this length");
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params())
        .hash_password(password.as_bytes(), &salt);
    // The password is shorter than 4 GiB: it is a string in an address space with room for more.
    hash.expect("all parameters are within their bounds")
        .to_string()
}

/// A hash in PHC form, shared with those who wait for a verification.
pub(crate) type SharedHash = Arc<str>;

/// A hash that a password is verified against. Shows as `***`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredPassword {
    hash: SharedHash,
    /// How much work a verification is.
    work: u64,
    /// Whether there is a password that it is of.
    is_real: bool,
}

impl StoredPassword {
    /// Reads a hash in PHC form; `None` if it is not one of argon2id within bounds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hash = PasswordHash::new(text).ok()?;
        let is_known = hash.algorithm.as_str() == "argon2id" && hash.version == Some(19);
        let params = Params::try_from(&hash).ok()?;
        let is_bounded = params.m_cost() <= MOST_KIB
            && params.t_cost() <= MOST_PASSES
            && params.p_cost() <= MOST_LANES;
        let is_whole = hash.salt.is_some() && hash.hash.is_some();
        (is_known && is_bounded && is_whole).then(|| Self {
            hash: text.into(),
            work: work(&params),
            is_real: true,
        })
    }

    /// A hash that no password has, but that takes as much work to find that out as the dearest of
    /// these.
    pub(crate) fn dummy<'a>(like: impl Iterator<Item = &'a Self>) -> Self {
        let dearest = like.max_by_key(|stored| stored.work);
        let params = dearest
            .and_then(|stored| Params::try_from(&PasswordHash::new(&stored.hash).ok()?).ok())
            .unwrap_or_else(params);
        let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
        let salt = SaltString::encode_b64(&random::<{ Salt::RECOMMENDED_LENGTH }>());
        let salt = salt.expect("a salt may have this length");
        let output = Output::new(&random::<32>());
        let output = output.expect("a hash may have this length");
        Self {
            hash: format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${output}").into(),
            work: work(&params),
            is_real: false,
        }
    }

    pub(crate) fn hash(&self) -> &SharedHash {
        &self.hash
    }

    /// Whether there is a password that it is of.
    pub(crate) fn is_real(&self) -> bool {
        self.is_real
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a hash is computed in. One hash after another in the same memory costs as much as one: the
/// allocator does not find such aligned blocks again once they are freed, and takes new ones.
#[derive(Default)]
pub(crate) struct HashMemory(Vec<Block>);

impl HashMemory {
    /// Whether this is the password of a hash in PHC form.
    pub(crate) fn matches(&mut self, password: &str, hash: &str) -> bool {
        let hash = PasswordHash::new(hash).ok();
        let found = hash.and_then(|hash| {
            let stored = hash.hash?;
            Some(self.hashed(password, &hash, stored.len())? == stored)
        });
        found.unwrap_or(false)
    }

    /// Hashes a password as it was hashed before.
    fn hashed(&mut self, password: &str, before: &PasswordHash<'_>, len: usize) -> Option<Output> {
        let params = Params::try_from(before).ok()?;
        let mut salt = [0; Salt::MAX_LENGTH];
        let salt = before.salt?.decode_b64(&mut salt).ok()?;
        self.0.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let output = Output::init_with(len, |out| {
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut self.0)?;
            Ok(())
        });
        output.ok()
    }
}

fn params() -> Params {
    let params = Params::new(KIB, PASSES, LANES, None);
    params.expect("the parameters are within their bounds")
}

fn work(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

/// What OWASP recommends where memory is short: 19 MiB, two passes.
const KIB: u32 = 19 << 10;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a hash from elsewhere may cost.
const MOST_KIB: u32 = 256 << 10;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;
