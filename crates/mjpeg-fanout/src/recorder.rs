//! A consumer that misses no frame, within bounds.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use tokio::sync::watch;

use crate::{
    changes::Changes,
    published::{Newest, Published},
};

/// Takes every frame in order, from a bounded queue of its own. See
/// [the crate's contract](crate#recording).
///
/// Made by [`Consumer::record`](crate::Consumer::record) and
/// [`Producer::record`](crate::Producer::record).
pub struct Recorder {
    queue: Arc<Mutex<RecorderQueue>>,
    /// Wakes the recorder. Frames come through the queue.
    frames: Changes<Newest>,
    /// How many lost frames a ring has counted.
    #[cfg(feature = "ring")]
    counted: u64,
}

impl Recorder {
    /// Waits for a frame, and takes the oldest one in the queue.
    ///
    /// Returns `None` once the producer is dropped and the queue is empty.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future takes no frame.
    pub async fn next(&mut self) -> Option<Arc<Published>> {
        loop {
            if let Some(published) = self.try_next() {
                return Some(published);
            }
            // Frames are queued before this fires, so none is left behind when it ends.
            if !self.frames.changed().await {
                return None;
            }
        }
    }

    /// Takes the oldest frame in the queue, without waiting. Returns `None` if the queue is empty.
    pub fn try_next(&mut self) -> Option<Arc<Published>> {
        self.queue().pop()
    }

    /// Returns how many frames the queue has dropped because it was full.
    ///
    /// A frame counts here as soon as it is dropped, which is before the frames that are still in
    /// the queue are taken.
    pub fn lost(&self) -> u64 {
        self.queue().lost
    }

    /// Returns how many frames the queue holds.
    pub fn queued_frames(&self) -> usize {
        self.queue().frames.len()
    }

    /// Returns how much memory the frames in the queue keep allocated.
    pub fn queued_bytes(&self) -> usize {
        self.queue().bytes
    }

    /// Returns whether the producer is dropped. The queue may still hold frames.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }

    /// Returns how many frames were dropped since this was asked last.
    #[cfg(feature = "ring")]
    pub(crate) fn newly_lost(&mut self) -> u64 {
        let lost = self.lost();
        lost - std::mem::replace(&mut self.counted, lost)
    }

    fn queue(&self) -> MutexGuard<'_, RecorderQueue> {
        lock(&self.queue)
    }
}

/// The frames that [`Recorder::next`] takes; ends when that returns `None`.
impl Stream for Recorder {
    type Item = Arc<Published>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Arc<Published>>> {
        loop {
            // Marked as seen before the look into the queue, so that a later frame wakes the task.
            drop(self.frames.borrow_and_update());
            if let Some(published) = self.try_next() {
                return Poll::Ready(Some(published));
            }
            if !ready!(self.frames.poll_changed(context)) {
                return Poll::Ready(None);
            }
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.queue();
        f.debug_struct("Recorder")
            .field("queued_frames", &queue.frames.len())
            .field("queued_bytes", &queue.bytes)
            .field("lost", &queue.lost)
            .field("config", &queue.config)
            .finish_non_exhaustive()
    }
}

/// Bounds of a [`Recorder`]'s queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecorderConfig {
    max_frames: usize,
    max_bytes: usize,
}

impl RecorderConfig {
    /// Sets how many frames the queue may hold. Default: 100.
    ///
    /// With 0, the queue holds no frame and counts each one as lost.
    pub fn with_max_frames(mut self, frames: usize) -> Self {
        self.max_frames = frames;
        self
    }

    /// Sets how many bytes of memory the frames in the queue may keep allocated. Default: 32 MiB.
    ///
    /// Counted by [`Frame::memory_bytes`](mjpeg_codec::Frame::memory_bytes), so read buffers count
    /// in full. A frame that alone exceeds the bound is never queued and counts as lost.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// How many frames the queue may hold.
    pub fn max_frames(&self) -> usize {
        self.max_frames
    }

    /// How many bytes of memory the frames in the queue may keep allocated.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }
}

impl Default for RecorderConfig {
    fn default() -> Self {
        Self {
            max_frames: 100,
            max_bytes: 32 << 20,
        }
    }
}

/// The recorders of a fan-out.
#[derive(Default)]
pub(crate) struct Recorders {
    queues: Mutex<Vec<Weak<Mutex<RecorderQueue>>>>,
    /// The length of `queues`, so that publishing takes no lock where nothing is recorded.
    count: AtomicUsize,
}

impl Recorders {
    /// Adds a recorder, which receives the frames published from now on.
    pub(crate) fn add(&self, config: RecorderConfig, frames: watch::Receiver<Newest>) -> Recorder {
        let queue = Arc::new(Mutex::new(RecorderQueue::new(config)));
        let mut queues = lock(&self.queues);
        queues.push(Arc::downgrade(&queue));
        self.count.store(queues.len(), Ordering::Release);
        Recorder {
            queue,
            frames: Changes::new(frames),
            #[cfg(feature = "ring")]
            counted: 0,
        }
    }

    /// Queues a frame for each recorder.
    pub(crate) fn push(&self, published: &Published) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        // Not the frame that viewers share: the part that they render must not stay in memory for
        // as long as a queue holds the frame.
        let recorded = Arc::new(Published::new(
            published.seq,
            published.epoch,
            published.frame.clone(),
            published.stamp,
        ));
        let mut queues = lock(&self.queues);
        queues.retain(|queue| {
            let queue = queue.upgrade();
            if let Some(queue) = &queue {
                lock(queue).push(Arc::clone(&recorded));
            }
            queue.is_some()
        });
        self.count.store(queues.len(), Ordering::Release);
    }
}

impl fmt::Debug for Recorders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorders")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

struct RecorderQueue {
    frames: VecDeque<Arc<Published>>,
    /// The memory that `frames` keep allocated.
    bytes: usize,
    lost: u64,
    config: RecorderConfig,
}

impl RecorderQueue {
    fn new(config: RecorderConfig) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            lost: 0,
            config,
        }
    }

    /// Adds a frame, and drops the oldest ones to make room for it.
    fn push(&mut self, published: Arc<Published>) {
        let bytes = published.frame.memory_bytes();
        if self.config.max_frames == 0 || bytes > self.config.max_bytes {
            self.lost += 1;
            return;
        }
        while self.frames.len() >= self.config.max_frames
            || self.bytes > self.config.max_bytes - bytes
        {
            self.pop();
            self.lost += 1;
        }
        self.bytes += bytes;
        self.frames.push_back(published);
    }

    /// Takes the oldest frame.
    fn pop(&mut self) -> Option<Arc<Published>> {
        let published = self.frames.pop_front()?;
        self.bytes -= published.frame.memory_bytes();
        Some(published)
    }
}

/// Poisoning is ignored: nothing under these locks can panic and leave a change half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
