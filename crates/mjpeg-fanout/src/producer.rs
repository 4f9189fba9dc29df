//! The publishing half.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{self, SystemTime},
};

use mjpeg_codec::{Frame, Stamp, multipart::Via};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    consumer::Consumer,
    demand::Demand,
    patience::Patience,
    published::{Newest, Published},
    recorder::{Recorder, RecorderConfig},
    shared::Shared,
    status::Status,
};

/// Publishes frames. Dropping it closes the fan-out, see the [crate's contract](crate#closing).
///
/// All methods take `&self`, so an `Arc` lets several threads publish.
#[derive(Debug)]
pub struct Producer {
    frames: watch::Sender<Newest>,
    status: watch::Sender<Status>,
    shared: Arc<Shared>,
    /// Held while anything is sent, so that numbers and frames go out in the same order.
    sent: Mutex<Sent>,
    patience: Mutex<Patience>,
    epoch: u64,
}

/// What was sent last.
#[derive(Debug, Default)]
struct Sent {
    seq: u64,
    /// When the last frame of the source was captured.
    captured: Option<time::Instant>,
    /// Whether the status was set, by the owner or by the first frame.
    has_status: bool,
}

impl Producer {
    pub(crate) fn new(
        frames: watch::Sender<Newest>,
        status: watch::Sender<Status>,
        shared: Arc<Shared>,
        epoch: u64,
    ) -> Self {
        Self {
            frames,
            status,
            shared,
            sent: Mutex::default(),
            patience: Mutex::default(),
            epoch,
        }
    }

    /// Publishes a frame with its time of capture, and returns its sequence number.
    ///
    /// Never waits. The first frame makes the status [`Online`](Status::Online), unless
    /// [`set_status`](Self::set_status) was called before.
    ///
    /// A frame that follows at once replaces this one before consumers have taken it: see
    /// [`publish_next`](Self::publish_next) for frames that come together. A task that publishes in
    /// a loop must yield between frames, see [the crate's
    /// contract](crate#publishing-from-a-task).
    pub fn publish(&self, frame: Frame, stamp: Stamp) -> u64 {
        let mut sent = self.sent();
        sent.seq += 1;
        let captured = stamp.monotonic();
        let before = sent.captured.replace(captured);
        let since_last = before.map(|before| captured.saturating_duration_since(before));
        self.shared.record(captured, since_last);
        // Before the frame, so that nobody takes the frame and reads the old status.
        if !sent.has_status {
            sent.has_status = true;
            self.status.send_replace(Status::Online);
        }
        let published = Arc::new(Published::new(sent.seq, self.epoch, frame, stamp));
        // Before consumers are woken, for a recorder wakes with them and looks into its queue.
        self.shared.recorders.push(&published);
        self.shared.turns.published();
        self.frames.send_modify(|newest| {
            newest.shown = Some(Arc::clone(&published));
            newest.picture = Some(published);
        });
        sent.seq
    }

    /// Publishes a frame as captured now, by the clocks of the system, and returns its sequence
    /// number.
    ///
    /// Otherwise the same as [`publish`](Self::publish). The monotonic clock is tokio's, which
    /// tests can pause.
    pub fn publish_now(&self, frame: Frame) -> u64 {
        let now = Instant::now().into_std();
        self.publish(frame, Stamp::new(SystemTime::now(), now))
    }

    /// Waits until the consumers that were ready for the latest frame have taken it, then publishes
    /// the next one as [`publish`](Self::publish) does.
    ///
    /// For frames that come together, see [the crate's contract](crate#bursts). Waits as
    /// [`taken`](Self::taken) does, and publishes in any case.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping the future loses the frame. To keep it, wait for
    /// [`taken`](Self::taken) first.
    pub async fn publish_next(&self, frame: Frame, stamp: Stamp) -> u64 {
        self.taken().await;
        self.publish(frame, stamp)
    }

    /// Waits until the consumers that were ready for the latest frame have taken it. Returns
    /// whether they have.
    ///
    /// Only consumers with a [`Turn`](crate::Turn) are waited for, and none that was still busy
    /// with an earlier frame. A wait takes at most 100 ms, and all waits together at most half
    /// of the time that passes, with 400 ms to begin with. Lets other tasks run at least once.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Panics
    ///
    /// If it has to wait outside a tokio runtime with timers.
    pub async fn taken(&self) -> bool {
        let mut has_yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        if self.shared.turns.is_taken() {
            return true;
        }
        let begun = Instant::now();
        let wait = self.patience().left(begun);
        let taken = timeout(wait, self.shared.turns.taken()).await;
        self.patience().spend(begun.elapsed());
        taken.is_ok()
    }

    /// Sets the placeholder, with its time, in place of the previous one. If that one is shown, the
    /// new one is shown at once.
    pub fn set_placeholder(&self, frame: Frame, stamp: Stamp) {
        let placeholder = Arc::new(Published::placeholder(0, self.epoch, frame, stamp));
        let mut sent = self.sent();
        self.frames.send_if_modified(|newest| {
            newest.placeholder = Some(placeholder);
            let shown = newest.shown.as_ref();
            // Otherwise consumers have nothing new to take.
            shown.is_some_and(|shown| shown.is_placeholder)
                && newest.show_placeholder(&mut sent.seq)
        });
    }

    /// Shows the placeholder to all consumers as the latest frame, until the next frame is
    /// published. Does nothing if no placeholder is set.
    pub fn show_placeholder(&self) {
        let mut sent = self.sent();
        self.frames
            .send_if_modified(|newest| newest.show_placeholder(&mut sent.seq));
    }

    /// Removes the placeholder. If it is shown, consumers get the latest frame of the source once
    /// more, under a new sequence number, or wait for the first one.
    pub fn clear_placeholder(&self) {
        let mut sent = self.sent();
        self.frames.send_if_modified(|newest| {
            newest.placeholder = None;
            newest.show_picture(&mut sent.seq)
        });
    }

    /// Withdraws the latest frame, or the placeholder: new consumers wait for the next frame.
    /// [`Consumer::picture`] still returns it.
    pub fn retire(&self) {
        self.frames.send_if_modified(|newest| {
            newest.shown = None;
            // Consumers have nothing new to take.
            false
        });
    }

    /// Sets the state of the source, which consumers read.
    ///
    /// From the first call on, publishing a frame no longer changes the status.
    pub fn set_status(&self, status: Status) {
        self.sent().has_status = true;
        self.status.send_replace(status);
    }

    /// Sets the relays that the source's frames come through, which consumers read. Default: none.
    pub fn set_via(&self, via: Via) {
        self.shared.set_via(via);
    }

    /// Sets the ring that keeps the last frames, for consumers to read. Filling it is the caller's
    /// business. Returns whether it was set: a fan-out has one ring, for good.
    #[cfg(feature = "ring")]
    pub fn set_replay(&self, ring: crate::ring::ReplayRing) -> bool {
        self.shared.replay.set(ring).is_ok()
    }

    /// Adds a consumer that has taken no frame yet.
    pub fn subscribe(&self) -> Consumer {
        Consumer::new(
            self.frames.subscribe(),
            self.status.subscribe(),
            Arc::clone(&self.shared),
        )
    }

    /// Records every frame from now on, as [`Consumer::record`] does.
    pub fn record(&self, config: RecorderConfig) -> Recorder {
        self.shared.recorders.add(config, self.frames.subscribe())
    }

    /// Returns a view of how many consumers want frames.
    pub fn demand(&self) -> Demand {
        Demand::new(self.shared.viewers.subscribe())
    }

    /// Returns the number, random per producer, that each of its frames carries.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Poisoning is ignored: nothing under these locks can panic and leave a change half done.
    fn patience(&self) -> MutexGuard<'_, Patience> {
        self.patience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.status.send_replace(Status::Offline);
    }
}
