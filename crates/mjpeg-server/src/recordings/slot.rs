//! A store that is opened when it is first needed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use mjpeg_control::{Error, ErrorCode};
use mjpeg_timelapse::TimelapseStore;

use super::refusal::refusal;
use crate::links::make;

/// A store that is opened when it is first needed: a relay that is only tried out leaves no folder
/// behind.
pub(super) struct StoreSlot {
    folder: Option<PathBuf>,
    quota: u64,
    store: OnceLock<Arc<TimelapseStore>>,
    /// Held while it is being opened, on a thread of its own.
    opening: Mutex<()>,
}

impl StoreSlot {
    pub(super) fn new(folder: Option<PathBuf>, quota: u64) -> Self {
        Self {
            folder,
            quota,
            store: OnceLock::new(),
            opening: Mutex::default(),
        }
    }

    pub(super) fn quota(&self) -> u64 {
        self.quota
    }

    /// The store, if it is open.
    pub(super) fn opened(&self) -> Option<Arc<TimelapseStore>> {
        self.store.get().cloned()
    }

    /// Opens it if it has been used before.
    pub(super) fn open_existing(&self) -> Result<(), Error> {
        match &self.folder {
            Some(folder) if folder.is_dir() => self.open().map(drop),
            _ => Ok(()),
        }
    }

    /// Opens it, and makes its folder if there is none.
    pub(super) fn open(&self) -> Result<Arc<TimelapseStore>, Error> {
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = self.store.get() {
            return Ok(Arc::clone(store));
        }
        let folder = self.folder.as_ref().ok_or_else(|| {
            let detail = "there is no folder in which recordings could be kept";
            let error = Error::new(ErrorCode::NotPersistent, detail);
            error.with_hint("set state_dir in the configuration")
        })?;
        if let Some(parent) = folder.parent() {
            // If it cannot be made, opening the store says so.
            let _ = make(parent);
        }
        let store = Arc::new(TimelapseStore::open(folder, self.quota).map_err(refusal)?);
        Ok(Arc::clone(self.store.get_or_init(|| store)))
    }
}
