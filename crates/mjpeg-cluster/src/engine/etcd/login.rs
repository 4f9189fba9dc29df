//! The login at etcd, and what is said of it when it is refused.

use std::sync::{
    Mutex as SyncMutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use etcd_client::{Client, Error};
use tokio::{
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::engine::{
    error::EngineError,
    etcd::failure::{failed, is_login_lost},
};

/// A user of etcd, and whether this client is logged in.
pub(super) struct EtcdLogin {
    user: String,
    password: String,
    /// Held while a login is under way: one is enough for all calls.
    has_token: Mutex<bool>,
    /// When a login was refused last. Each takes etcd a tenth of a second of computing.
    refused: SyncMutex<Option<Instant>>,
}

/// Says once per outage that somebody has to do something.
#[derive(Default)]
pub(super) struct Complaint(AtomicBool);

impl EtcdLogin {
    pub(super) fn new((user, password): (String, String)) -> Self {
        Self {
            user,
            password,
            has_token: Mutex::new(false),
            refused: SyncMutex::default(),
        }
    }

    /// Logs in unless that is done.
    pub(super) async fn log_in(&self, client: &Client) -> Result<(), EngineError> {
        let mut has_token = self.has_token.lock().await;
        if *has_token {
            return Ok(());
        }
        let lately = |at: &Instant| at.elapsed() < RETRY;
        let refused = *self.refused();
        if refused.as_ref().is_some_and(lately) {
            return Err(EngineError::Login("it was refused a moment ago".into()));
        }
        // Clones share the token.
        let mut client = client.clone();
        let credentials = (self.user.clone(), self.password.clone());
        match client.update_user(Some(credentials)).await {
            Ok(()) => {
                *has_token = true;
                *self.refused() = None;
                Ok(())
            }
            Err(error) => Err(match failed(error) {
                EngineError::Refused(error) | EngineError::Login(error) => {
                    *self.refused() = Some(Instant::now());
                    EngineError::Login(error)
                }
                error => error,
            }),
        }
    }

    /// Takes note of an error that tells that etcd does not know the login any more.
    pub(super) async fn note(&self, error: &Error) {
        if is_login_lost(error) {
            *self.has_token.lock().await = false;
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Complaint {
    /// Logs what will not pass by itself, unless it was logged since etcd last worked.
    pub(super) fn note<T>(&self, result: &Result<T, EngineError>) {
        match result {
            Ok(_) => self.0.store(false, Ordering::Relaxed),
            Err(error @ (EngineError::Login(_) | EngineError::Tls(_))) => {
                if !self.0.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        error = error as &dyn std::error::Error,
                        "etcd cannot be used as it is set; trying again"
                    );
                }
            }
            Err(_) => {}
        }
    }
}

/// How long after a refusal the login is tried again.
const RETRY: Duration = Duration::from_secs(1);
