//! Many viewers served by one task.
//!
//! A frame wakes this task once, not each viewer: the task goes from viewer to viewer and writes,
//! which is all there is to do where sockets take what they are given. A viewer whose socket is full
//! waits in a future of its own until its part is written.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    stream::{FuturesUnordered, StreamExt},
};
use mjpeg_fanout::{Consumer, Published};
use tokio::{
    sync::{mpsc, watch},
    task::yield_now,
    time::{Instant, Interval, MissedTickBehavior, interval},
};

#[cfg(target_os = "linux")]
use crate::shards::part_pages::PartPages;
use crate::{
    closing::Closing,
    config::stream::StreamConfig,
    feed::{Feed, Next},
    shards::{
        attached::Attached,
        viewer_socket::{CutReason, ViewerSocket, WriteLimits},
    },
    stats::OpenConnection,
    timer::LazySleep,
};

/// A viewer that is being served.
pub(crate) struct ActiveViewer {
    pub(crate) socket: ViewerSocket,
    pub(crate) feed: Feed,
    pub(crate) _open: OpenConnection,
    pub(crate) _attached: Attached,
}

impl ActiveViewer {
    pub(crate) fn end(self) {
        self.socket.end();
    }
}

/// A viewer that has just come, and what it gets before the first part.
pub(crate) struct NewViewer {
    pub(crate) socket: ViewerSocket,
    pub(crate) feed: Feed,
    pub(crate) open: OpenConnection,
    pub(crate) opening: Bytes,
}

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
    /// When one of the ready viewers may need something although no frame comes.
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
                Wake::One(begin(viewer, attached))
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

    /// Ends the viewers that nothing is written to and that have left, or have to go.
    async fn sweep(&mut self) {
        let mut i = 0;
        while i < self.ready.len() {
            let viewer = &mut self.ready[i];
            if viewer.socket.is_gone() {
                drop(self.ready.swap_remove(i));
            } else if viewer.feed.permit().must_end() {
                self.ready.swap_remove(i).end();
            } else {
                i += 1;
            }
            self.turns.take().await;
        }
    }

    /// Gives each ready viewer what it is to have now.
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

    /// Serves viewers that have caught up, and new ones. They get their turn also where frames come
    /// faster than all can be served.
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
        Some(begin(viewer, attached))
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

fn begin(viewer: NewViewer, attached: Attached) -> Single {
    let NewViewer {
        socket,
        feed,
        open,
        opening,
    } = viewer;
    let viewer = ActiveViewer {
        socket,
        feed,
        _open: open,
        _attached: attached,
    };
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

/// What there is to send at one moment.
struct Newest {
    frame: Option<Arc<Published>>,
    interval: Option<Duration>,
    config: Arc<StreamConfig>,
    /// No frame will come any more.
    is_last: bool,
    /// How many viewers share the frame.
    #[cfg(target_os = "linux")]
    viewers: usize,
    #[cfg(target_os = "linux")]
    pages: PartPages,
}

impl Newest {
    fn new(config: &watch::Receiver<Arc<StreamConfig>>) -> Self {
        Self {
            frame: None,
            interval: None,
            config: Arc::clone(&config.borrow()),
            is_last: false,
            #[cfg(target_os = "linux")]
            viewers: 0,
            #[cfg(target_os = "linux")]
            pages: PartPages::default(),
        }
    }

    /// Looks what there is now, for this many viewers.
    fn look(&mut self, consumer: &Consumer, has_producer: bool, viewers: usize) {
        let seq = |frame: &Option<Arc<Published>>| frame.as_ref().map(|frame| frame.seq);
        let before = seq(&self.frame);
        self.frame = consumer.latest();
        self.interval = consumer.interval();
        self.is_last = !has_producer;
        #[cfg(target_os = "linux")]
        {
            self.viewers = viewers;
            if before != seq(&self.frame) {
                self.pages.clear();
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (before, viewers);
    }

    /// Gives a viewer a part of this frame, as far as its socket takes it.
    fn write(&mut self, socket: &mut ViewerSocket, part: &mut Bytes) -> Result<(), CutReason> {
        #[cfg(target_os = "linux")]
        if self.viewers >= FEWEST_VIEWERS
            && socket.takes_pages()
            && let Some(pages) = self.pages.of(part)
        {
            return socket.splice_now(pages, part);
        }
        socket.write_now(part)
    }
}

enum Offered {
    /// The viewer has everything, until a frame comes or until that time.
    Waits(Option<Instant>),
    /// Its socket has not taken everything.
    Blocks(Rest),
    Ends,
    Gone,
}

/// What a socket has not taken yet.
pub(crate) struct Rest {
    part: Bytes,
    late_at: Option<Instant>,
}

/// Gives a viewer what it is to have now, as far as its socket takes it.
fn offer(viewer: &mut ActiveViewer, newest: &mut Newest) -> Offered {
    let ActiveViewer { socket, feed, .. } = viewer;
    if feed.permit().must_end() {
        return Offered::Ends;
    }
    feed.configure(&newest.config);
    loop {
        let now = Instant::now();
        let sending = match feed.next(newest.frame.as_ref(), newest.interval, now) {
            Next::Send(sending) if newest.is_last && sending.is_repeat => return Offered::Ends,
            Next::Send(sending) => sending,
            Next::Wait(_) if newest.is_last => return Offered::Ends,
            Next::Wait(at) => return Offered::Waits(at),
            Next::End => return Offered::Ends,
        };
        let mut part = feed.render(&sending, now);
        if newest.write(socket, &mut part).is_err() {
            return Offered::Gone;
        }
        if !socket.is_done(&part) {
            let late_at = sending.late_at;
            return Offered::Blocks(Rest { part, late_at });
        }
    }
}

/// Gives a new viewer the beginning of its response, and then what it is to have now.
fn open(viewer: &mut ActiveViewer, mut opening: Bytes, newest: &mut Newest) -> Offered {
    if viewer.socket.write_now(&mut opening).is_err() {
        return Offered::Gone;
    }
    if viewer.socket.is_done(&opening) {
        return offer(viewer, newest);
    }
    Offered::Blocks(Rest {
        part: opening,
        late_at: None,
    })
}

/// Waits until a part is written. Returns nothing if the viewer had to be cut.
async fn write_rest(mut viewer: ActiveViewer, mut rest: Rest) -> Option<ActiveViewer> {
    let ActiveViewer { socket, feed, .. } = &mut viewer;
    let limits = WriteLimits::of(feed.config());
    let written = socket.write_rest(&mut rest.part, rest.late_at, feed.permit(), limits);
    match written.await {
        Ok(()) => Some(viewer),
        Err(reason) => {
            viewer.socket.cut(reason, viewer.feed.permit().counters());
            None
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

/// How often to check for viewers that nothing is written to and that have left.
const SWEEP: Duration = Duration::from_secs(1);

/// After how many viewers other tasks run, cameras among them: a thousand viewers take ten
/// milliseconds and more.
const YIELD_EVERY: u32 = 32;

/// Pages of a part are worth making from this many viewers on.
#[cfg(target_os = "linux")]
const FEWEST_VIEWERS: usize = 4;
