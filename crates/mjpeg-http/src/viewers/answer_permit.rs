//! The admission of an answer other than a stream.

use std::sync::{Arc, atomic::Ordering};

use mjpeg_codec::multipart::{AllowOrigin, Part};
use tokio::time::Instant;

use crate::{
    config::stream::StreamConfig,
    limit::ViewerLimit,
    peer::Peer,
    viewers::{
        admission::{ClientOrigin, Full},
        answer::AnswerState,
        in_flight::SentBytes,
        permit::Entrance,
        table::ViewerTable,
    },
};

/// The admission of an answer, until it is handed over to the kernel.
#[derive(Debug)]
pub(crate) struct AnswerPermit {
    table: Arc<ViewerTable>,
    state: Arc<AnswerState>,
    /// The limit of several streams, in which it has a place.
    total: Option<ViewerLimit>,
}

impl AnswerPermit {
    /// Admits an answer to this peer, if the limits allow one more.
    pub(crate) fn take(entrance: &Entrance<'_>, peer: Option<Peer>) -> Result<Self, Full> {
        let table = entrance.table;
        let origin = peer.and_then(ClientOrigin::of);
        // Locked until the answer is in the table, so that no other takes the same place.
        let mut admitted = table.admitted();
        let total = admitted.admit_answer(origin, entrance.config, entrance.counters)?;
        let home = origin.map(|origin| origin.home());
        let key = (home, table.next_answer_id());
        let state = Arc::new(AnswerState::new(key, entrance.config, entrance.counters));
        admitted.insert_answer(Arc::clone(&state));
        drop(admitted);
        Ok(Self {
            table: Arc::clone(table),
            state,
            total,
        })
    }

    pub(crate) fn state(&self) -> &Arc<AnswerState> {
        &self.state
    }

    /// Records that sending a frame begins, which counts as in flight from now on.
    pub(crate) fn begin(&self, seq: u64, part: &Part, config: &StreamConfig, now: Instant) {
        self.state.begin(now);
        // Before the bookkeeping, which reads it.
        self.state.sending.store(seq, Ordering::Relaxed);
        let most = config.max_inflight_bytes();
        let counters = self.state.counters();
        let sent = SentBytes::Part(part, &AllowOrigin::ANY);
        self.table.take(seq, sent, most, counters);
    }

    /// Records that sending bytes of its own begins, a text or a small picture, which count as on
    /// its way from now on.
    pub(crate) fn begin_own(&self, bytes: usize, config: &StreamConfig, now: Instant) {
        self.state.begin(now);
        let counters = self.state.counters();
        let most = config.max_inflight_bytes();
        // Locked until it counts itself, so that no other takes the same room.
        let admitted = self.table.admitted();
        admitted.make_room_for_own(bytes, most, counters);
        self.state.set_own_bytes(bytes);
    }
}

impl Drop for AnswerPermit {
    fn drop(&mut self) {
        self.table.admitted().remove_answer(&self.state);
        if let Some(limit) = &self.total {
            limit.of_snapshots().give_back();
        }
    }
}
