//! A healthy viewer, which knows which pictures must arrive.

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
    /// Different pictures that have arrived.
    pub(crate) pictures: u64,
    /// The highest number among them.
    pub(crate) last: u32,
    /// Numbers between the first and the last that are missing.
    pub(crate) lost: u64,
    /// Missing numbers that are excused, because the relay was waiting for a processor.
    pub(crate) held_up: u64,
    /// Pictures without a number.
    pub(crate) placeholders: u64,
    /// Pictures that arrived after a newer one.
    pub(crate) disordered: u64,
    /// The longest time from one picture to the next, without the time that the relay waited for a
    /// processor, and without the camera's own delay.
    pub(crate) longest_gap: Duration,
    /// How the response ended, if it has.
    pub(crate) ended: Option<String>,
    last_at: Option<Instant>,
    gaps: Vec<Gap>,
}

/// A time in which pictures were missing or late.
#[derive(Clone, Copy, Debug)]
struct Gap {
    from: Instant,
    to: Instant,
    lost: u32,
}

impl Seen {
    fn see(&mut self, number: u32, sequence: &Sequence) {
        if number == self.last {
            // The relay repeats the last picture when there is no new one.
            return;
        }
        if number < self.last {
            self.disordered += 1;
            return;
        }
        let now = Instant::now();
        if let Some(before) = self.last_at.replace(now) {
            // If the camera made the next picture late, the gap begins one interval before that.
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
    /// Connects to a stream of these pictures. `cpu_waits` are those of its relay.
    pub(crate) async fn open(
        addr: SocketAddr,
        sequence: &Arc<Sequence>,
        cpu_waits: &Arc<CpuWaits>,
    ) -> Result<Self> {
        let viewer = undisturbed::run(Viewer::open(addr, "/")).await?;
        let viewer = viewer.context("a healthy viewer cannot connect")?;
        let (sender, seen) = watch::channel(Seen::default());
        Ok(Self {
            seen,
            sequence: Arc::clone(sequence),
            cpu_waits: Arc::clone(cpu_waits),
            task: undisturbed::spawn(watch_on(viewer, Arc::clone(sequence), sender)),
        })
    }

    /// Counts what has arrived so far.
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

    /// Waits for a picture with this number or a higher one.
    pub(crate) async fn reach(&mut self, number: u32, limit: Duration) -> Result<()> {
        let reached = self
            .seen
            .wait_for(|seen| seen.last >= number || seen.ended.is_some());
        match timeout(limit, reached).await {
            Err(_) => bail!("no new picture at a healthy viewer within {limit:?}"),
            Ok(seen) => match &seen?.ended {
                Some(why) => bail!("a healthy viewer's response ended: {why}"),
                None => Ok(()),
            },
        }
    }

    /// Waits for a picture that is made from now on.
    pub(crate) async fn fresh(&mut self, limit: Duration) -> Result<()> {
        self.reach(self.sequence.last() + 1, limit).await
    }

    /// Waits for the end of the response, and returns how it ended.
    pub(crate) async fn ended(&self, limit: Duration) -> Result<String> {
        let mut seen = self.seen.clone();
        let ended = seen.wait_for(|seen| seen.ended.is_some());
        let ended = timeout(limit, ended).await;
        let ended = ended
            .with_context(|| format!("a response still lasts after {limit:?}"))??
            .ended
            .clone();
        ended.context("it was there when the wait ended")
    }

    /// Waits until all pictures made so far have had time to arrive. Counts those that have not.
    pub(crate) async fn settle(&mut self) -> Seen {
        let sent = self.sequence.last();
        // If this fails, the missing pictures are counted below.
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

async fn watch_on(mut viewer: Viewer, sequence: Arc<Sequence>, sender: watch::Sender<Seen>) {
    let ended = loop {
        match viewer.next_frame().await {
            Ok(Some(picture)) => match jpeg::number_of(&picture) {
                Some(number) => sender.send_modify(|seen| seen.see(number, &sequence)),
                None => sender.send_modify(|seen| seen.placeholders += 1),
            },
            Ok(None) => break "in order".to_owned(),
            // Nothing arrives as long as the camera has sent no picture.
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            Err(error) => break error.to_string(),
        }
    };
    sender.send_modify(|seen| seen.ended = Some(ended));
}

const SETTLE: Duration = Duration::from_secs(5);
