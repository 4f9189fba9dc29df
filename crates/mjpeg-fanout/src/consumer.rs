//! The receiving half.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use mjpeg_codec::multipart::Via;
use tokio::{sync::watch, time::Instant};

use crate::{
    changes::Changes,
    demand::Viewing,
    histogram::HistogramReading,
    published::{Newest, Published},
    recorder::{Recorder, RecorderConfig},
    shared::Shared,
    status::Status,
    turns::Turn,
};

/// Takes frames, always the latest one. See the [crate's contract](crate#lagging).
///
/// A clone is a new consumer that has taken no frame yet.
///
/// As a [`Stream`] it yields what [`next`](Self::next) returns. Each wait through the stream costs
/// an allocation, which `next` does without.
#[derive(Debug)]
pub struct Consumer {
    frames: Changes<Newest>,
    status: watch::Receiver<Status>,
    shared: Arc<Shared>,
    /// The sequence number of the last frame taken.
    taken: Option<u64>,
}

impl Consumer {
    pub(crate) fn new(
        frames: watch::Receiver<Newest>,
        status: watch::Receiver<Status>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            frames: Changes::new(frames),
            status,
            shared,
            taken: None,
        }
    }

    /// Waits for a frame newer than the last one taken, and takes the latest.
    ///
    /// Returns `None` once the producer is dropped and its last frame is taken.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future takes no frame.
    pub async fn next(&mut self) -> Option<Arc<Published>> {
        loop {
            if let Some(published) = self.try_next() {
                return Some(published);
            }
            if !self.frames.changed().await {
                return None;
            }
        }
    }

    /// Takes the latest frame if it is newer than the last one taken, without waiting.
    ///
    /// Returns `None` if there is no newer frame; [`is_closed`](Self::is_closed) tells whether one
    /// can still come.
    pub fn try_next(&mut self) -> Option<Arc<Published>> {
        let newest = self.frames.borrow_and_update();
        let published = newest.shown.as_ref()?;
        if self.taken == Some(published.seq) {
            return None;
        }
        self.taken = Some(published.seq);
        Some(Arc::clone(published))
    }

    /// Returns the latest frame, or the placeholder if that is shown, whether taken or not.
    ///
    /// Returns `None` before the first frame, and after
    /// [`Producer::retire`](crate::Producer::retire).
    pub fn latest(&self) -> Option<Arc<Published>> {
        self.frames.borrow().shown.clone()
    }

    /// Returns the latest frame of the source, however old. Returns `None` before the first.
    pub fn picture(&self) -> Option<Arc<Published>> {
        self.frames.borrow().picture.clone()
    }

    /// Returns the placeholder, shown or not; its sequence number is 0. Returns `None` if the
    /// producer has set none.
    pub fn placeholder(&self) -> Option<Arc<Published>> {
        self.frames.borrow().placeholder.clone()
    }

    /// Records every frame from now on in a queue within these bounds.
    ///
    /// The queue is filled and bounded whether or not the recorder is polled. Placeholders are not
    /// recorded. See [the crate's contract](crate#recording).
    pub fn record(&self, config: RecorderConfig) -> Recorder {
        self.shared.recorders.add(config, self.frames.receiver())
    }

    /// Returns the ring that keeps the last frames, if the producer's owner has
    /// [set](crate::Producer::set_replay) one.
    #[cfg(feature = "ring")]
    pub fn replay(&self) -> Option<crate::ring::ReplayRing> {
        self.shared.replay.get().cloned()
    }

    /// Returns the relays that the source's frames come through; none if it is read directly.
    pub fn via(&self) -> Via {
        self.shared.via()
    }

    /// Returns the state of the source; [`Status::Offline`] once the producer is dropped.
    pub fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// Waits until the status is set to a value that this consumer has not been given here, and
    /// returns it.
    ///
    /// A consumer counts the status at its creation as given. Changes in quick succession may be
    /// reported as one, and the value may be the same as before. Returns `None` once the producer
    /// is dropped and the last status, [`Status::Offline`], is given.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future loses no change. To wait for frames at the same time, use
    /// a clone.
    pub async fn status_changed(&mut self) -> Option<Status> {
        self.status.changed().await.ok()?;
        Some(*self.status.borrow_and_update())
    }

    /// Returns whether the producer is dropped. Its last frame may not be taken yet.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    /// Announces that this consumer is ready for the next frame: while the returned turn lives, a
    /// producer that has another frame already [waits](crate::Producer::taken) a moment with it.
    /// See [the crate's contract](crate#bursts).
    pub fn turn(&self) -> Turn {
        Turn::new(Arc::clone(&self.shared.turns))
    }

    /// Returns how many frames per second came over the last 5 s, by count over time. Returns 0
    /// before the second, and after 5 s without one. Frames that came together are one moment, so
    /// bursts do not raise it.
    pub fn fps(&self) -> f64 {
        self.shared.fps(Instant::now().into_std())
    }

    /// Returns the usual time between frames, as if those that come together came evenly. Returns
    /// `None` before the second.
    pub fn interval(&self) -> Option<Duration> {
        self.shared.interval()
    }

    /// Returns how long the times between frames have been since the start. Unlike in
    /// [`interval`](Self::interval), frames that came together are close together here.
    pub fn intervals(&self) -> HistogramReading {
        self.shared.intervals()
    }

    /// Counts as demand for frames for as long as the returned guard lives. See
    /// [the crate's contract](crate#demand).
    pub fn viewing(&self) -> Viewing {
        Viewing::new(Arc::clone(&self.shared.viewers))
    }

    /// Returns how many [`Viewing`] guards exist now.
    pub fn viewers(&self) -> usize {
        *self.shared.viewers.borrow()
    }
}

impl Clone for Consumer {
    fn clone(&self) -> Self {
        Self {
            frames: self.frames.clone(),
            status: self.status.clone(),
            shared: Arc::clone(&self.shared),
            taken: None,
        }
    }
}

impl Stream for Consumer {
    type Item = Arc<Published>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Arc<Published>>> {
        loop {
            if let Some(published) = self.try_next() {
                return Poll::Ready(Some(published));
            }
            if !ready!(self.frames.poll_changed(context)) {
                return Poll::Ready(None);
            }
        }
    }
}
