//! Many viewers served by one task.
//!
//! A frame wakes this task once, not each viewer: the task writes to one viewer after another, and
//! most sockets take everything at once. A viewer whose socket is full waits in a future of its own
//! until its part is written.

use std::{
    future::{Future, ready},
    mem,
    sync::Arc,
    time::Duration,
};

use futures_util::{
    FutureExt,
    stream::{FuturesUnordered, StreamExt},
};
use mjpeg_fanout::{Consumer, Turn};
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
        offer::{CaughtUp, NewestFrame, Offered, UnsentPart, offer, open, write_rest},
        single::Single,
        viewer::{ActiveViewer, NewViewer},
        viewer_socket::Heard,
    },
    timer::LazySleep,
    viewers::cut::CutReason,
};

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
    write_rest: fn(ActiveViewer, UnsentPart) -> F,
    newest: NewestFrame,
    /// For the next frame.
    turn: Turn,
    /// When a ready viewer may need something even without a new frame.
    wake_at: Option<Instant>,
    timer: LazySleep,
    sweep: Interval,
    /// How many of the ready viewers are still to be swept.
    unswept: usize,
    /// For what viewers send, which is dropped.
    input: Box<[u8]>,
    work: Work,
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
        newest: NewestFrame::new(&config),
        turn: consumer.turn(),
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
        unswept: 0,
        input: vec![0; INPUT_BYTES_AT_ONCE].into(),
        work: Work::default(),
    };
    shard.run().await;
}

impl<F: Future<Output = Option<CaughtUp>>> Shard<F> {
    async fn run(mut self) {
        loop {
            self.work.one().await;
            let single = match self.wait().await {
                Wake::All => {
                    // Before the look, so that it is for every frame that the look does not find.
                    let turn = mem::replace(&mut self.turn, self.consumer.turn());
                    self.newest.begin_turn(Some(Arc::new(turn)));
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
                    if self.is_over() {
                        break;
                    }
                    continue;
                }
                Wake::Nothing => continue,
                Wake::Closed => break,
            };
            self.serve_singles(single).await;
            self.newest.end_turn();
        }
        self.end().await;
    }

    /// Whether it has no viewer and will get none.
    fn is_over(&self) -> bool {
        let has_none = self.ready.is_empty() && self.slow.is_empty();
        has_none && self.incoming.is_closed() && self.incoming.is_empty()
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
                Some(caught_up) => Wake::One(Single::from(caught_up)),
                None => Wake::Nothing,
            },
            Some((viewer, attached)) = self.incoming.recv() => {
                Wake::One(Single::new(viewer, attached))
            }
            () = self.timer.until(self.wake_at) => Wake::All,
            Ok(()) = self.config.changed() => Wake::All,
            _ = self.sweep.tick() => {
                self.unswept = self.ready.len();
                Wake::Sweep
            }
            // In slices, so that frames come first.
            () = ready(()), if self.unswept > 0 => Wake::Sweep,
        }
    }

    fn look(&mut self) {
        self.newest
            .look(&self.consumer, self.has_producer, self.ready.len());
        self.newest.config = Arc::clone(&self.config.borrow_and_update());
    }

    /// Ends idle viewers that have left, have to end, or send too much: some of them at a time.
    async fn sweep(&mut self) {
        let now = Instant::now();
        let most = self.newest.config.max_viewer_input_bytes();
        let end = self.unswept.saturating_sub(SWEPT_AT_ONCE);
        // Downwards, so that a viewer that takes the place of another has been swept.
        while self.unswept > end {
            self.unswept -= 1;
            let at = self.unswept;
            let Some(viewer) = self.ready.get_mut(at) else {
                continue;
            };
            match viewer.socket.hear(&mut self.input, most, now) {
                Heard::Gone => drop(self.ready.swap_remove(at)),
                Heard::TooMuch => {
                    let ActiveViewer { socket, feed, .. } = self.ready.swap_remove(at);
                    socket.cut(CutReason::TooMuchInput, feed.permit().counters());
                }
                _ if viewer.feed.permit().must_end() || viewer.feed.has_expired(now) => {
                    self.ready.swap_remove(at).end();
                }
                Heard::Ended => {
                    viewer.feed.probe();
                    self.wake_at = Some(now);
                }
                Heard::Nothing => {}
            }
            self.work.one().await;
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
            self.work.one().await;
        }
    }

    /// Serves viewers that have caught up, and new ones. They get a turn even if frames come faster
    /// than all viewers can be served.
    async fn serve_singles(&mut self, mut single: Option<Single>) {
        let mut left = self.slow.len() + self.incoming.len();
        while let Some(Single {
            mut viewer,
            opening,
            turn,
        }) = single.take()
        {
            self.newest.begin_turn(turn);
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
            self.work.one().await;
            if left > 0 {
                left -= 1;
                single = self.next_single();
            }
        }
    }

    /// A viewer that can be served by itself now, if there is one.
    fn next_single(&mut self) -> Option<Single> {
        while let Some(Some(written)) = self.slow.next().now_or_never() {
            if let Some(caught_up) = written {
                return Some(Single::from(caught_up));
            }
        }
        let (viewer, attached) = self.incoming.try_recv().ok()?;
        Some(Single::new(viewer, attached))
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
            if let Some((viewer, _)) = written {
                viewer.end();
            }
        }
    }
}

/// Lets other tasks run now and then.
#[derive(Default)]
struct Work(u32);

impl Work {
    /// One viewer was served, or heard.
    async fn one(&mut self) {
        self.0 = self.0.wrapping_add(1);
        if self.0.is_multiple_of(YIELD_EVERY) {
            yield_now().await;
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

/// How many viewers are swept before frames are looked for again.
const SWEPT_AT_ONCE: usize = 64;

/// How much of what a viewer sends is read in one look: a viewer that keeps sending must not delay
/// the others.
const INPUT_BYTES_AT_ONCE: usize = 16 << 10;

/// How often to check whether idle viewers have left.
const SWEEP: Duration = Duration::from_secs(1);

/// Let other tasks run, cameras among them, after this many viewers: a thousand take ten
/// milliseconds or more.
const YIELD_EVERY: u32 = 32;
