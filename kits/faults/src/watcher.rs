//! A healthy viewer that knows which pictures it must see.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use mjpeg_testkit::{Viewer, jpeg};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{camera::INTERVAL, cpu_waits::CpuWaits, sequence::Sequence, undisturbed};

/// Watches a stream until dropped.
pub(crate) struct Watcher {
    seen: watch::Receiver<Seen>,
    sequence: Arc<Sequence>,
    cpu_waits: Arc<CpuWaits>,
    task: JoinHandle<()>,
}

/// What a viewer has seen so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// How many different pictures.
    pub(crate) pictures: u64,
    /// The highest number.
    pub(crate) last: u32,
    /// Numbers between the first and the last that did not come.
    pub(crate) lost: u64,
    /// The same while the relay waited for a processor; not counted as lost.
    pub(crate) held_up: u64,
    /// Pictures without a number: placeholders.
    pub(crate) placeholders: u64,
    /// Pictures older than one that had come before.
    pub(crate) disordered: u64,
    /// The longest time from one new picture to the next. It does not include the time that the
    /// relay waited for a processor, nor that by which the camera was late.
    pub(crate) longest_gap: Duration,
    /// Why the response ended, if it has.
    pub(crate) ended: Option<String>,
    last_at: Option<Instant>,
    gaps: Vec<Gap>,
}

/// A time without a picture although one was due.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: Instant,
    to: Instant,
    lost: u32,
}

impl Seen {
    fn see(&mut self, number: u32, sequence: &Sequence) {
        if number == self.last {
            // The relay's own repeat of it.
            return;
        }
        if number < self.last {
            self.disordered += 1;
            return;
        }
        let now = Instant::now();
        if let Some(before) = self.last_at.replace(now) {
            // A camera that makes its next picture late, or rarely, does not make the gap longer.
            let due = sequence.made_at(self.last + 1).map(|made| made - INTERVAL);
            let from = due.map_or(before, |due| due.max(before));
            let lost = number - self.last - 1;
            if lost > 0 || now - from > 2 * INTERVAL {
                self.gaps.push(Gap {
                    from,
                    to: now,
                    lost,
                });
            }
        }
        self.pictures += 1;
        self.last = number;
    }
}

impl Watcher {
    /// Watches pictures of this sequence, through a relay with these cpu_waits.
    pub(crate) async fn open(
        addr: SocketAddr,
        sequence: &Arc<Sequence>,
        cpu_waits: &Arc<CpuWaits>,
    ) -> Result<Self> {
        let viewer = undisturbed::run(Viewer::open(addr, "/")).await?;
        let viewer = viewer.context("a healthy viewer")?;
        let (tell, seen) = watch::channel(Seen::default());
        Ok(Self {
            seen,
            sequence: Arc::clone(sequence),
            cpu_waits: Arc::clone(cpu_waits),
            task: undisturbed::spawn(watch_on(viewer, Arc::clone(sequence), tell)),
        })
    }

    pub(crate) fn seen(&self) -> Seen {
        let mut seen = self.seen.borrow().clone();
        for gap in &seen.gaps {
            let Gap { from, to, lost } = *gap;
            let lost = u64::from(lost);
            let held_up = lost.min(self.cpu_waits.held_up(from, to));
            seen.held_up += held_up;
            seen.lost += lost - held_up;
            let length = (to - from).saturating_sub(self.cpu_waits.waited(from, to));
            seen.longest_gap = seen.longest_gap.max(length);
        }
        seen
    }

    /// Waits for a picture with at least this number.
    pub(crate) async fn reach(&mut self, number: u32, limit: Duration) -> Result<()> {
        let reached = self
            .seen
            .wait_for(|seen| seen.last >= number || seen.ended.is_some());
        match timeout(limit, reached).await {
            Err(_) => bail!("no good picture at a viewer within {limit:?}"),
            Ok(seen) => match &seen?.ended {
                Some(why) => bail!("a healthy viewer's response ended: {why}"),
                None => Ok(()),
            },
        }
    }

    /// Waits for a picture that is sent from now on.
    pub(crate) async fn fresh(&mut self, limit: Duration) -> Result<()> {
        self.reach(self.sequence.last() + 1, limit).await
    }

    /// Waits for the end of its response, and returns how it ended.
    pub(crate) async fn ended(&self, limit: Duration) -> Result<String> {
        let mut seen = self.seen.clone();
        let ended = seen.wait_for(|seen| seen.ended.is_some());
        let ended = timeout(limit, ended).await;
        let ended = ended.context("a response does not end")??.ended.clone();
        ended.context("it has just ended")
    }

    /// Waits until everything sent has had time to arrive, and counts what is missing.
    pub(crate) async fn settle(&mut self) -> Seen {
        let sent = self.sequence.last();
        // If this fails, pictures are missing below.
        let _ = self.reach(sent, SETTLE).await;
        let mut seen = self.seen();
        seen.lost += u64::from(sent.saturating_sub(seen.last));
        seen
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn watch_on(mut viewer: Viewer, sequence: Arc<Sequence>, tell: watch::Sender<Seen>) {
    let ended = loop {
        match viewer.next_frame().await {
            Ok(Some(picture)) => match jpeg::number_of(&picture) {
                Some(number) => tell.send_modify(|seen| seen.see(number, &sequence)),
                None => tell.send_modify(|seen| seen.placeholders += 1),
            },
            Ok(None) => break "in order".to_owned(),
            // A camera that has sent no picture yet leaves nothing to read.
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            Err(error) => break error.to_string(),
        }
    };
    tell.send_modify(|seen| seen.ended = Some(ended));
}

const SETTLE: Duration = Duration::from_secs(5);
