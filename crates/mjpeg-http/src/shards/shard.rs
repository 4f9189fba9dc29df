//! Many viewers served by one task.
//!
//! A frame wakes this task once, not each viewer: the task writes to one viewer after another, and
//! most sockets take everything at once. A viewer whose socket is full waits in a future of its own
//! until its part is written.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    stream::{FuturesUnordered, StreamExt},
};
use mjpeg_fanout::Consumer;
use tokio::{
    sync::{mpsc, watch},
    task::yield_now,
    time::{Instant, Interval, MissedTickBehavior, interval},
};

use crate::{
    closing::Closing,
    config::stream::StreamConfig,
    shards::{
        attached::Attached,
        offer::{Newest, Offered, Rest, offer, open, write_rest},
        viewer::{ActiveViewer, NewViewer},
    },
    timer::LazySleep,
};

/// A viewer to serve by itself, with its opening if it is new.
type Single = (ActiveViewer, Option<Bytes>);

/// What wakes a shard.
#[allow(
    clippy::large_enum_variant,
    reason = "a box would be one more allocation per slow write"
)]
enum Wake {
    /// All viewers may have something to do: a frame came, a timer fired, or the configuration
    /// changed.
    All,
    One(Single),
    Sweep,
    /// A slow viewer was cut.
    Nothing,
    Closed,
}

/// Serves viewers until the service closes and all have ended.
pub(crate) struct Shard<F> {
    consumer: Consumer,
    /// Waits for new frames.
    frames: Consumer,
    has_producer: bool,
    incoming: mpsc::UnboundedReceiver<(NewViewer, Attached)>,
    closing: Closing,
    config: watch::Receiver<Arc<StreamConfig>>,
    /// Viewers whose sockets took everything so far.
    ready: Vec<ActiveViewer>,
    /// Viewers whose sockets are full.
    slow: FuturesUnordered<F>,
    write_rest: fn(ActiveViewer, Rest) -> F,
    newest: Newest,
    /// When a ready viewer may need something even without a new frame.
    wake_at: Option<Instant>,
    timer: LazySleep,
    sweep: Interval,
    turns: Turns,
}

/// Runs a shard. Dropping the future cuts its viewers.
pub(crate) async fn serve(
    consumer: Consumer,
    incoming: mpsc::UnboundedReceiver<(NewViewer, Attached)>,
    closing: Closing,
    config: watch::Receiver<Arc<StreamConfig>>,
) {
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let shard = Shard {
        frames: consumer.clone(),
        newest: Newest::new(&config),
        consumer,
        has_producer: true,
        incoming,
        closing,
        config,
        ready: Vec::new(),
        slow: FuturesUnordered::new(),
        write_rest,
        wake_at: None,
        timer: LazySleep::default(),
        sweep,
        turns: Turns::default(),
    };
    shard.run().await;
}

impl<F: Future<Output = Option<ActiveViewer>>> Shard<F> {
    async fn run(mut self) {
        loop {
            self.turns.take().await;
            let single = match self.wait().await {
                Wake::All => {
                    self.look();
                    self.serve_ready().await;
                    self.next_single()
                }
                Wake::One(single) => {
                    self.look();
                    Some(single)
                }
                Wake::Sweep => {
                    self.sweep().await;
                    continue;
                }
                Wake::Nothing => continue,
                Wake::Closed => break,
            };
            self.serve_singles(single).await;
        }
        self.end().await;
    }

    async fn wait(&mut self) -> Wake {
        tokio::select! {
            biased;
            () = self.closing.wait() => Wake::Closed,
            frame = self.frames.next(), if self.has_producer => {
                self.has_producer = frame.is_some();
                Wake::All
            }
            Some(written) = self.slow.next() => match written {
                Some(viewer) => Wake::One((viewer, None)),
                None => Wake::Nothing,
            },
            Some((viewer, attached)) = self.incoming.recv() => {
                Wake::One(new_single(viewer, attached))
            }
            () = self.timer.until(self.wake_at) => Wake::All,
            Ok(()) = self.config.changed() => Wake::All,
            _ = self.sweep.tick() => Wake::Sweep,
        }
    }

    fn look(&mut self) {
        self.newest
            .look(&self.consumer, self.has_producer, self.ready.len());
        self.newest.config = Arc::clone(&self.config.borrow_and_update());
    }

    /// Ends idle viewers that have left, or have to end.
    async fn sweep(&mut self) {
        let now = Instant::now();
        let mut i = 0;
        while i < self.ready.len() {
            let viewer = &mut self.ready[i];
            if viewer.socket.is_gone() {
                drop(self.ready.swap_remove(i));
            } else if viewer.feed.permit().must_end() || viewer.feed.has_expired(now) {
                self.ready.swap_remove(i).end();
            } else {
                i += 1;
            }
            self.turns.take().await;
        }
    }

    /// Sends each ready viewer what is due now.
    async fn serve_ready(&mut self) {
        self.wake_at = None;
        let mut i = 0;
        while i < self.ready.len() {
            match offer(&mut self.ready[i], &mut self.newest) {
                Offered::Waits(at) => {
                    self.wake_at = earlier(self.wake_at, at);
                    i += 1;
                }
                Offered::Blocks(rest) => {
                    let viewer = self.ready.swap_remove(i);
                    self.slow.push((self.write_rest)(viewer, rest));
                }
                Offered::Ends => self.ready.swap_remove(i).end(),
                Offered::Gone => drop(self.ready.swap_remove(i)),
            }
            self.turns.take().await;
        }
    }

    /// Serves viewers that have caught up, and new ones. They get a turn even if frames come faster
    /// than all viewers can be served.
    async fn serve_singles(&mut self, mut single: Option<Single>) {
        let mut left = self.slow.len() + self.incoming.len();
        while let Some((mut viewer, opening)) = single.take() {
            let offered = match opening {
                // Nothing else can be written before it.
                Some(opening) => open(&mut viewer, opening, &mut self.newest),
                None => offer(&mut viewer, &mut self.newest),
            };
            match offered {
                Offered::Waits(at) => {
                    self.wake_at = earlier(self.wake_at, at);
                    self.ready.push(viewer);
                }
                Offered::Blocks(rest) => self.slow.push((self.write_rest)(viewer, rest)),
                Offered::Ends => viewer.end(),
                Offered::Gone => {}
            }
            self.turns.take().await;
            if left > 0 {
                left -= 1;
                single = self.next_single();
            }
        }
    }

    /// A viewer that can be served by itself now, if there is one.
    fn next_single(&mut self) -> Option<Single> {
        while let Some(Some(written)) = self.slow.next().now_or_never() {
            if let Some(viewer) = written {
                return Some((viewer, None));
            }
        }
        let (viewer, attached) = self.incoming.try_recv().ok()?;
        Some(new_single(viewer, attached))
    }

    /// Ends waiting viewers at once, and those in the middle of a part after it.
    async fn end(mut self) {
        for viewer in self.ready.drain(..) {
            viewer.end();
        }
        self.incoming.close();
        while let Some((viewer, _)) = self.incoming.recv().await {
            viewer.socket.end();
        }
        while let Some(written) = self.slow.next().await {
            if let Some(viewer) = written {
                viewer.end();
            }
        }
    }
}

fn new_single(viewer: NewViewer, attached: Attached) -> Single {
    let (viewer, opening) = viewer.begin(attached);
    (viewer, Some(opening))
}

/// Lets other tasks run now and then.
#[derive(Default)]
struct Turns(u32);

impl Turns {
    async fn take(&mut self) {
        self.0 = self.0.wrapping_add(1);
        if self.0.is_multiple_of(YIELD_EVERY) {
            yield_now().await;
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

/// How often to check whether idle viewers have left.
const SWEEP: Duration = Duration::from_secs(1);

/// Let other tasks run, cameras among them, after this many viewers: a thousand take ten
/// milliseconds or more.
const YIELD_EVERY: u32 = 32;
