//! Keeps the last frames of a stream while its spec asks for that.

use std::{future::pending, sync::Arc};

use mjpeg_fanout::{
    Consumer, Producer, RecorderConfig, ReplayRing, RingConfig, RingMemory, RingWriter,
};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{spec::StreamSpec, status::info::ReplayInfo};

/// The task that keeps frames of a stream. Dropping it ends the task.
#[derive(Debug)]
pub(crate) struct ReplayTask(JoinHandle<()>);

impl ReplayTask {
    /// Gives the stream of this producer a ring, and fills it from now on.
    pub(crate) fn start(
        specs: watch::Receiver<Arc<StreamSpec>>,
        producer: &Producer,
        consumer: Consumer,
        memory: &RingMemory,
    ) -> Self {
        let (writer, ring) = ReplayRing::new(nothing(), memory);
        producer.set_replay(ring.clone());
        Self(tokio::spawn(fill(specs, consumer, writer, ring)))
    }

    /// Ends it.
    pub(crate) async fn stop(&mut self) {
        self.0.abort();
        // An error is the abort just asked for.
        let _ = (&mut self.0).await;
    }
}

impl Drop for ReplayTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a ring keeps.
pub(crate) fn info(ring: &ReplayRing) -> ReplayInfo {
    let stats = ring.stats();
    let now = Instant::now();
    let oldest = ring.span().map(|(oldest, _)| oldest);
    ReplayInfo {
        frames: stats.frames,
        bytes: stats.bytes,
        recorded: stats.recorded,
        lost: stats.lost,
        evicted: stats.evicted,
        span: oldest.map(|oldest| now.saturating_duration_since(oldest)),
    }
}

/// Fills the ring while the spec wants one, until the stream ends.
async fn fill(
    mut specs: watch::Receiver<Arc<StreamSpec>>,
    consumer: Consumer,
    mut writer: RingWriter,
    ring: ReplayRing,
) {
    let mut recorder = None;
    loop {
        let wanted = specs.borrow_and_update().replay().cloned();
        // A recorder costs each frame a little, so there is one only while it is needed.
        match &wanted {
            Some(_) if recorder.is_none() => {
                recorder = Some(consumer.record(RecorderConfig::default()))
            }
            Some(_) => {}
            None => recorder = None,
        }
        ring.configure(wanted.unwrap_or_else(nothing));
        let recorded = async {
            match &mut recorder {
                Some(recorder) => writer.record(recorder).await,
                None => pending().await,
            }
        };
        tokio::select! {
            changed = specs.changed() => match changed {
                Ok(()) => {}
                Err(_) => return,
            },
            () = recorded => return,
        }
    }
}

fn nothing() -> RingConfig {
    RingConfig::default().with_tiers([])
}
