//! A stream that is being read from another node.

use std::{io, sync::Arc};

use mjpeg_ingest::{RelayedPart, SourceEnd};

use super::{
    connector::LinkIo,
    error::LinkFailure,
    parts::{LinkPart, PartReader},
    pulls::PullGuard,
    stats::LinkCounter,
};

/// What a client counts.
#[derive(Debug, Default)]
pub(super) struct ClientCounters {
    pub(super) pulls: LinkCounter,
    pub(super) failed: LinkCounter,
    pub(super) silent: LinkCounter,
    pub(super) broken: LinkCounter,
    pub(super) strangers: LinkCounter,
}

/// A stream that is being read.
pub(super) struct Pulling {
    pub(super) parts: PartReader<Box<dyn LinkIo>>,
    pub(super) guard: PullGuard,
    pub(super) counters: Arc<ClientCounters>,
    pub(super) has_failed: bool,
}

impl Pulling {
    pub(super) async fn next(mut self) -> Option<(io::Result<RelayedPart>, Self)> {
        if self.has_failed {
            return None;
        }
        let error = match self.parts.next().await {
            Ok(Some(LinkPart::Frame(frame))) => {
                if let RelayedPart::Frame { said, .. } = &frame {
                    self.guard.ages(said.age);
                }
                return Some((Ok(frame), self));
            }
            Ok(Some(LinkPart::State(state))) => {
                let is_online = state.is_online;
                self.guard.says(state);
                return Some((Ok(RelayedPart::State { is_online }), self));
            }
            Ok(None) => return None,
            Err(error) => error,
        };
        match &error {
            LinkFailure::Silent { .. } => self.counters.silent.add_one(),
            LinkFailure::Broken(_) => self.counters.broken.add_one(),
            _ => {}
        }
        self.has_failed = true;
        let failed = SourceEnd::Failed(Box::new(error));
        Some((Err(failed.into()), self))
    }
}
