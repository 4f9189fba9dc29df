//! Verifying passwords: one at a time, away from the threads that serve, and only so many.

use std::{
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mjpeg_http::Peer;
use ring::hmac;
use tokio::{sync::Semaphore, time::Instant};
use tracing::warn;

use crate::{
    config::limits::AuthLimits,
    digest::random,
    error::LoginError,
    passwords::{
        attempts::{LoginAttempts, NameTag},
        cache::VerifiedLogins,
        thread::PasswordThread,
    },
    rules::Rules,
};

pub(crate) mod attempts;
pub(crate) mod cache;
pub(crate) mod failures;
pub(crate) mod origin;
pub(crate) mod rate;
pub(crate) mod thread;

/// Verifies passwords, and remembers who is who.
pub(crate) struct Passwords {
    /// Random per process: what is remembered of names and passwords tells nothing without it.
    key: hmac::Key,
    thread: PasswordThread,
    /// Whose turn it is to verify.
    turn: tokio::sync::Mutex<()>,
    /// Bounds how many wait for their turn.
    waiting: Semaphore,
    state: Mutex<PasswordState>,
    wrong: AtomicU64,
    refused: AtomicU64,
}

struct PasswordState {
    verified: VerifiedLogins,
    attempts: LoginAttempts,
}

/// A name and a password, with where they come from.
struct LoginAttempt<'a> {
    name: &'a str,
    password: &'a str,
    tag: NameTag,
    home: Option<IpAddr>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()),
            thread: PasswordThread::default(),
            turn: tokio::sync::Mutex::default(),
            waiting: Semaphore::new(MOST_WAITING),
            state: Mutex::new(PasswordState {
                verified: VerifiedLogins::default(),
                attempts: LoginAttempts::default(),
            }),
            wrong: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Decides whether this is the password of the user of this name. An unknown name takes as long
    /// as a wrong password, and counts in the same way.
    ///
    /// Cancel safe: an attempt that is given up counts as a failed one.
    pub(crate) async fn verify(
        &self,
        rules: &Rules,
        name: &str,
        password: &str,
        peer: Option<Peer>,
    ) -> Result<(), LoginError> {
        let attempt = LoginAttempt {
            name,
            password,
            tag: NameTag::of(&self.key, name),
            home: peer.and_then(|peer| origin::home(&peer)),
        };
        if self.is_verified(rules, &attempt) {
            return Ok(());
        }
        self.admit(&attempt, rules.limits())?;
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err(self.refuse(SOON));
        };
        let _turn = self.turn.lock().await;
        // The one before may have been for the same user.
        if self.is_verified(rules, &attempt) {
            return Ok(());
        }
        let limits = rules.limits();
        self.admit(&attempt, limits)?;
        let now = Instant::now();
        let begun = self
            .lock()
            .attempts
            .begin(&attempt.tag, attempt.home, limits, now);
        let before = begun.map_err(|wait| self.refuse(wait))?;
        let stored = rules.password(name);
        let is_right = self.thread.verify(password, stored.hash()).await;
        let is_right = is_right.ok_or_else(|| self.refuse(SOON))?;
        if !is_right || !stored.is_real() {
            self.record_wrong(&attempt, peer, Instant::now() - now);
            return Err(LoginError::Wrong);
        }
        let mut state = self.lock();
        let now = Instant::now();
        state
            .attempts
            .succeed(&attempt.tag, attempt.home, before, now);
        if !limits.login_cache().is_zero() {
            let tag = hmac::sign(&self.key, &attempt.message());
            state.verified.insert(name, tag, stored.hash(), now);
        }
        Ok(())
    }

    /// Proves that a request with this name was verified against the password that the user has
    /// now; `None` without a password.
    pub(crate) fn proof(&self, rules: &Rules, name: &str) -> Option<hmac::Tag> {
        let stored = rules.password(name);
        let message = proof_message(name, stored.hash());
        stored.is_real().then(|| hmac::sign(&self.key, &message))
    }

    /// Whether this proves that the same request was verified earlier, against the password that
    /// the user has now.
    pub(crate) fn is_proof(&self, rules: &Rules, name: &str, proof: &[u8]) -> bool {
        let stored = rules.password(name);
        let message = proof_message(name, stored.hash());
        stored.is_real() && hmac::verify(&self.key, &message, proof).is_ok()
    }

    /// Forgets logins of users who are gone or have another password.
    pub(crate) fn retain(&self, rules: &Rules) {
        let is_current = |name: &str, hash: &str| rules.is_password_hash(name, hash);
        self.lock().verified.retain(is_current);
    }

    /// How many passwords were hashed, how many of them were wrong, and how many were refused
    /// unseen.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (self.thread.hashed(), read(&self.wrong), read(&self.refused))
    }

    fn is_verified(&self, rules: &Rules, attempt: &LoginAttempt<'_>) -> bool {
        let stored = rules.password(attempt.name);
        let kept = rules.limits().login_cache();
        let now = Instant::now();
        let mut state = self.lock();
        let found = state
            .verified
            .tag(attempt.name, stored.hash(), kept, now)
            .is_some_and(|tag| hmac::verify(&self.key, &attempt.message(), tag).is_ok());
        if found {
            state.verified.touch(attempt.name, now);
        }
        found
    }

    /// Refuses an attempt that has to wait.
    fn admit(&self, attempt: &LoginAttempt<'_>, limits: &AuthLimits) -> Result<(), LoginError> {
        if attempt.password.len() > LONGEST_PASSWORD_BYTES {
            return Err(LoginError::Wrong);
        }
        let now = Instant::now();
        let wait = self
            .lock()
            .attempts
            .wait(&attempt.tag, attempt.home, limits, now);
        wait.map_or(Ok(()), |wait| Err(self.refuse(wait)))
    }

    /// Counts and logs a wrong password, which took this long to find out.
    fn record_wrong(&self, attempt: &LoginAttempt<'_>, peer: Option<Peer>, took: Duration) {
        self.lock().attempts.fail(&attempt.tag, attempt.home, took);
        self.wrong.fetch_add(1, Ordering::Relaxed);
        let address = peer.and_then(|peer| peer.addr()).map(|addr| addr.ip());
        let address = address.map_or("local".into(), |ip| ip.to_canonical().to_string());
        // Quoted and escaped, so that nobody forges a line.
        let user: String = attempt.name.chars().take(LOGGED_CHARS).collect();
        warn!(peer = address, ?user, "login failed");
    }

    fn refuse(&self, retry_after: Duration) -> LoginError {
        self.refused.fetch_add(1, Ordering::Relaxed);
        LoginError::TooMany { retry_after }
    }

    fn lock(&self) -> MutexGuard<'_, PasswordState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoginAttempt<'_> {
    /// What is signed of a name and a password.
    fn message(&self) -> Vec<u8> {
        let mut message = b"login".to_vec();
        message.extend((self.name.len() as u64).to_be_bytes());
        message.extend(self.name.as_bytes());
        message.extend(self.password.as_bytes());
        message
    }
}

fn proof_message(name: &str, hash: &str) -> Vec<u8> {
    [b"proof", hash.as_bytes(), b" ", name.as_bytes()].concat()
}

/// How many logins may wait for their turn: as many as are verified in a few seconds.
const MOST_WAITING: usize = 32;

/// After which time there is a place again.
const SOON: Duration = Duration::from_secs(1);

/// Longer passwords are wrong without being hashed.
pub(crate) const LONGEST_PASSWORD_BYTES: usize = 1024;

/// How much of a name that somebody claims is logged.
const LOGGED_CHARS: usize = 64;
