//! Accepting that fails: what is logged of it, and when it is tried again.

use std::{io, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::{accept::Accept, handle::ListenerShared};
use crate::{address::ListenAddress, peer::Peer, transport::Transport};

/// Failures that follow one another. Most likely there are no file descriptors left, and clients
/// decide how many attempts fail, so one outage has two lines in the log, however long it lasts.
pub(crate) struct AcceptOutage {
    listener: Arc<ListenerShared>,
    address: ListenAddress,
    /// Failures of this outage.
    failures: u64,
    failed_at: Option<Instant>,
    /// Failures since a connection was last accepted.
    in_a_row: u32,
}

impl AcceptOutage {
    pub(crate) fn new(listener: Arc<ListenerShared>, address: ListenAddress) -> Self {
        Self {
            listener,
            address,
            failures: 0,
            failed_at: None,
            in_a_row: 0,
        }
    }

    /// Waits for the next connection, however often that fails.
    ///
    /// Cancel safe: a dropped future has taken no connection.
    pub(crate) async fn accept(&mut self, accept: &mut dyn Accept) -> (Transport, Peer) {
        loop {
            if let Some(at) = self.retry_at() {
                sleep_until(at).await;
            }
            match accept.accept().await {
                Ok(accepted) => {
                    self.accepted(Instant::now());
                    return accepted;
                }
                Err(error) => {
                    self.listener.counters.accept_errors.add_one();
                    self.failed(&error, Instant::now());
                }
            }
        }
    }

    /// When to try again. The backlog stays full meanwhile, so do not spin.
    fn retry_at(&self) -> Option<Instant> {
        let doublings = self.in_a_row.checked_sub(1)?;
        let wait = FIRST_RETRY.saturating_mul(1 << doublings.min(16));
        Some(self.failed_at? + wait.min(LAST_RETRY))
    }

    fn accepted(&mut self, now: Instant) {
        self.in_a_row = 0;
        if self.failed_at.is_some() && self.is_over(now) {
            let config = self.listener.config();
            let (listener, address, failures) = (config.log_name(), &self.address, self.failures);
            info!(listener, %address, failures, "connections are accepted again");
            self.failed_at = None;
        }
    }

    fn failed(&mut self, error: &io::Error, now: Instant) {
        if self.is_over(now) {
            let config = self.listener.config();
            let (listener, address) = (config.log_name(), &self.address);
            warn!(listener, %address, %error, "cannot accept connections; trying again");
            self.failures = 0;
        }
        self.failures += 1;
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.failed_at = Some(now);
    }

    fn is_over(&self, now: Instant) -> bool {
        let since = self.failed_at.map(|at| now.saturating_duration_since(at));
        since.is_none_or(|since| since >= CALM)
    }
}

/// How long to wait after a failure. It doubles with each that follows.
const FIRST_RETRY: Duration = Duration::from_millis(100);

/// The longest wait: clients give up after a few seconds.
const LAST_RETRY: Duration = Duration::from_secs(1);

/// How long nothing fails before an outage is over. Without descriptors, one connection is accepted
/// for each that ends.
const CALM: Duration = Duration::from_secs(10);
