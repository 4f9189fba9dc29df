//! The quota: what all jobs take together.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// Counts the bytes that all jobs take.
#[derive(Debug)]
pub(crate) struct DiskSpace {
    quota_bytes: u64,
    used_bytes: Mutex<u64>,
}

/// Bytes that are taken for something that may still fail. They are given back when this is
/// dropped, unless [`ReservedSpace::keep`] is called.
#[derive(Debug)]
pub(crate) struct ReservedSpace<'s> {
    space: &'s DiskSpace,
    bytes: u64,
}

impl DiskSpace {
    pub(crate) fn new(quota_bytes: u64, used_bytes: u64) -> Self {
        Self {
            quota_bytes,
            used_bytes: Mutex::new(used_bytes),
        }
    }

    /// Takes bytes if the quota allows.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<ReservedSpace<'_>, Error> {
        let mut used = self
            .used_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let sum = used.saturating_add(bytes);
        if sum > self.quota_bytes {
            return Err(Error::Quota {
                bytes,
                used_bytes: *used,
                quota_bytes: self.quota_bytes,
            });
        }
        *used = sum;
        Ok(ReservedSpace { space: self, bytes })
    }

    /// Gives bytes back.
    pub(crate) fn free(&self, bytes: u64) {
        let mut used = self
            .used_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(bytes);
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        *self
            .used_bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn quota_bytes(&self) -> u64 {
        self.quota_bytes
    }
}

impl ReservedSpace<'_> {
    /// Keeps the bytes, until somebody frees them.
    pub(crate) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for ReservedSpace<'_> {
    fn drop(&mut self) {
        self.space.free(self.bytes);
    }
}
