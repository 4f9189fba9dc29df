//! The keys of an identity provider: where they are, and when they are read again.

pub(crate) mod place;

use std::{sync::Arc, time::Duration};

use mjpeg_auth::{Auth, JwtKeys};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tracing::{info, warn};

use self::place::KeySource;
use crate::{gateway::state::Relayed, outbound::outage::RequestOutage};

/// Reads the keys, again and again. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct KeyReader {
    wanted: watch::Sender<Option<KeySource>>,
    auth: Auth,
    task: JoinHandle<()>,
}

impl KeyReader {
    /// Begins to read.
    pub(crate) fn start(relayed: Arc<Relayed>, source: Option<KeySource>) -> Self {
        let (wanted, receiver) = watch::channel(source);
        Self {
            wanted,
            auth: relayed.auth.clone(),
            task: tokio::spawn(read(relayed, receiver)),
        }
    }

    /// Reads these keys from now on. Those of another provider are forgotten.
    pub(crate) fn set(&self, source: Option<KeySource>) {
        let issuer = |source: &Option<KeySource>| source.as_ref().map(|it| it.issuer.clone());
        let is_same = issuer(&self.wanted.borrow()) == issuer(&source);
        self.wanted.send_if_modified(|wanted| {
            let differs = *wanted != source;
            *wanted = source;
            differs
        });
        if !is_same {
            self.auth.set_jwt_keys(JwtKeys::default());
        }
    }
}

impl Drop for KeyReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(relayed: Arc<Relayed>, mut wanted: watch::Receiver<Option<KeySource>>) {
    let mut outage = RequestOutage::default();
    loop {
        let source = wanted.borrow_and_update().clone();
        let Some(KeySource { issuer, place }) = source else {
            outage = RequestOutage::default();
            match wanted.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        let began = Instant::now();
        let found = tokio::select! {
            found = place.read() => found,
            _ = wanted.changed() => continue,
        };
        let rest = match found {
            Ok(keys) => {
                if let Some(end) = outage.succeed(Instant::now()) {
                    let (failures, seconds) = (end.failures, end.lasted.as_secs());
                    info!(
                        issuer,
                        failures,
                        outage_seconds = seconds,
                        "keys are read again"
                    );
                }
                if has_changed(&relayed.auth, keys, &issuer, &wanted) {
                    relayed.recheck().await;
                }
                FRESH
            }
            Err(error) => {
                if outage.fail(Instant::now()) {
                    warn!(issuer, error, "keys cannot be read; those before stay");
                }
                PAUSE
            }
        };
        let unknown_key = async {
            relayed.auth.unknown_jwt_key().await;
            sleep_until(began + PAUSE).await;
        };
        tokio::select! {
            () = sleep_until(began + rest) => {}
            () = unknown_key => {}
            changed = wanted.changed() => if changed.is_err() { return },
        }
    }
}

/// Replaces the keys, unless others are wanted meanwhile. Returns whether they differ.
fn has_changed(
    auth: &Auth,
    keys: JwtKeys,
    issuer: &str,
    wanted: &watch::Receiver<Option<KeySource>>,
) -> bool {
    // Nobody changes what is wanted while this is held.
    let now = wanted.borrow();
    if now.as_ref().is_none_or(|source| source.issuer != issuer) {
        return false;
    }
    let count = keys.len();
    let differ = auth.set_jwt_keys(keys);
    if differ {
        info!(issuer, keys = count, "keys were read");
    }
    differ
}

/// How long keys are taken for those of now.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// How long it takes at least to the next attempt.
const PAUSE: Duration = Duration::from_secs(30);
