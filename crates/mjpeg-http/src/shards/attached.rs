//! How many viewers a service's tasks serve.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Counts the viewers that are attached to a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttachedCount(Arc<AtomicUsize>);

impl AttachedCount {
    pub(crate) fn one(&self) -> Attached {
        self.0.fetch_add(1, Ordering::Relaxed);
        Attached(self.clone())
    }

    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts one viewer for as long as it lives.
#[derive(Debug)]
pub(crate) struct Attached(AttachedCount);

impl Drop for Attached {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
