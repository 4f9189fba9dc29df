//! A watch of etcd.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use etcd_client::{EventType, WatchStream};

use crate::engine::{
    EngineChange, EngineChanges, KeyWatch,
    error::EngineError,
    etcd::{
        failure::failed,
        pair::{key_of, stored},
    },
};

pub(super) struct EtcdWatch {
    stream: WatchStream,
    prefix: Arc<str>,
    skipped: Arc<AtomicU64>,
}

impl EtcdWatch {
    pub(super) fn new(stream: WatchStream, prefix: Arc<str>, skipped: Arc<AtomicU64>) -> Self {
        Self {
            stream,
            prefix,
            skipped,
        }
    }
}

#[async_trait]
impl KeyWatch for EtcdWatch {
    async fn next(&mut self) -> Result<EngineChanges, EngineError> {
        loop {
            let response = self.stream.message().await.map_err(failed)?;
            let response = response.filter(|response| !response.canceled());
            let Some(response) = response else {
                let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
                return Err(EngineError::Unknown(Box::new(ended)));
            };
            let mut revision = 0;
            let mut changes = Vec::new();
            for event in response.events() {
                let Some(pair) = event.kv() else {
                    continue;
                };
                revision = revision.max(pair.mod_revision());
                let put = event.event_type() == EventType::Put;
                let change = match stored(&self.prefix, pair).filter(|_| put) {
                    Some(stored) => Some(EngineChange::Put(stored)),
                    // What is put there and not ours takes the place of what was.
                    None => key_of(&self.prefix, pair).map(EngineChange::Deleted),
                };
                let skipped =
                    change.is_none() || (put && matches!(change, Some(EngineChange::Deleted(_))));
                self.skipped
                    .fetch_add(u64::from(skipped), Ordering::Relaxed);
                changes.extend(change);
            }
            if revision > 0 {
                let revision = revision.unsigned_abs();
                return Ok(EngineChanges { revision, changes });
            }
        }
    }
}
