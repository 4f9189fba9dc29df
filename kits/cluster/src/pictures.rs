//! Numbered pictures, made at a steady rate, and when each was made.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use mjpeg_testkit::jpeg;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

/// Makes pictures until it is dropped.
pub(crate) struct Pictures {
    latest: watch::Receiver<Bytes>,
    made: Arc<Made>,
    task: JoinHandle<()>,
}

/// When pictures were made. The first has number 1.
#[derive(Default)]
pub(crate) struct Made(Mutex<Vec<Instant>>);

impl Pictures {
    /// Makes pictures of at least this many bytes at this interval.
    pub(crate) fn start(bytes: usize, every: Duration) -> Self {
        let template = jpeg::of_length(0, bytes);
        let (sender, latest) = watch::channel(Bytes::new());
        let made = Arc::new(Made::default());
        let times = Arc::clone(&made);
        let task = tokio::spawn(async move {
            let mut ticks = interval(every);
            // Late pictures do not come two at once: a relay passes on only the newer of them.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let number = times.next();
                // `number_of` reads the first comment, which is this one.
                let comment = format!("n={number:010}");
                let bytes = jpeg::with_segment(&template, COM, comment.as_bytes());
                sender.send_replace(bytes);
            }
        });
        Self { latest, made, task }
    }

    /// The newest picture, which changes as time goes by.
    pub(crate) fn latest(&self) -> watch::Receiver<Bytes> {
        self.latest.clone()
    }

    pub(crate) fn made(&self) -> &Arc<Made> {
        &self.made
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Made {
    #[cfg(test)]
    pub(crate) fn of(times: impl IntoIterator<Item = Instant>) -> Self {
        Self(Mutex::new(times.into_iter().collect()))
    }

    /// When this picture was made.
    pub(crate) fn at(&self, number: u32) -> Option<Instant> {
        self.times().get(number.checked_sub(1)? as usize).copied()
    }

    /// Notes that a picture is made now, and returns its number.
    fn next(&self) -> u32 {
        let mut times = self.times();
        times.push(Instant::now());
        u32::try_from(times.len()).unwrap_or(u32::MAX)
    }

    fn times(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const COM: u8 = 0xfe;
/// 25 pictures a second.
pub(crate) const INTERVAL: Duration = Duration::from_millis(40);
/// What a socket's buffer holds many of.
pub(crate) const SMALL_BYTES: usize = 4 << 10;
