//! What a source holds while an ingest waits for a sender or reads from one.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::error::ConnectError;

/// A value that connections keep, one after another.
#[derive(Debug)]
pub(super) struct Bound<T>(Mutex<Weak<T>>);

impl<T> Default for Bound<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Bound<T> {
    /// Returns the value, which is made unless there is one still.
    pub(super) fn get_or(
        &self,
        make: impl FnOnce() -> Result<T, ConnectError>,
    ) -> Result<Arc<T>, ConnectError> {
        let mut bound = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bound) = bound.upgrade() {
            return Ok(bound);
        }
        let made = Arc::new(make()?);
        *bound = Arc::downgrade(&made);
        Ok(made)
    }
}
