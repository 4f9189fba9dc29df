//! Many viewers served by one task.
//!
//! A frame wakes this task once, and not each viewer: it goes from viewer to viewer and writes, which is all that has to be done where sockets take
//! what they are given. A viewer whose socket is full waits by itself, in a future of its own, until its part is written.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt,
    stream::{FuturesUnordered, StreamExt},
};
use mjpeg_codec::multipart::Layout;
use mjpeg_fanout::{Consumer, Published};
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval},
};

#[cfg(target_os = "linux")]
use crate::part_pages::PartPages;
use crate::{
    alarm::Alarm,
    connection::Open,
    feed::{Feed, Next},
    service::Closing,
    wire::{Cut, Wire},
};

/// One viewer, and how it is reached.
pub(crate) struct Viewer {
    pub(crate) wire: Wire,
    pub(crate) feed: Feed,
    pub(crate) _open: Open,
}

/// A viewer that has come, and what it gets before the first part.
pub(crate) struct Newcomer {
    pub(crate) viewer: Viewer,
    pub(crate) opening: Bytes,
}

/// Serves the viewers that come until the service closes and all have ended. Dropping the future cuts them.
pub(crate) async fn serve(
    consumer: Consumer,
    mut coming: mpsc::UnboundedReceiver<Newcomer>,
    mut closing: Closing,
) {
    let mut ready: Vec<Viewer> = Vec::new();
    let mut slow = FuturesUnordered::new();
    let mut frames = consumer.clone();
    let mut has_producer = true;
    let mut newest = Newest::default();
    // When one of those that are ready may need something although no frame comes.
    let mut wake_at: Option<Instant> = None;
    let mut alarm = Alarm::default();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut closed = pin!(closing.wanted());
    let mut turns = 0;
    loop {
        take_turn(&mut turns).await;
        let mut alone = tokio::select! {
            biased;
            () = &mut closed => break,
            frame = frames.next(), if has_producer => {
                has_producer = frame.is_some();
                None
            }
            Some(written) = slow.next() => match written {
                Some(viewer) => Some((viewer, None)),
                None => continue,
            },
            Some(Newcomer { viewer, opening }) = coming.recv() => {
                Some((viewer, Some(opening)))
            }
            () = alarm.until(wake_at) => None,
            _ = sweep.tick() => {
                ready.retain(|viewer| !viewer.wire.is_gone());
                for viewer in ready.extract_if(.., |viewer| viewer.feed.seat().is_replaced()) {
                    viewer.wire.end();
                }
                continue;
            }
        };
        newest.look(&consumer, has_producer, ready.len());
        if alone.is_none() {
            wake_at = None;
            let mut i = 0;
            while i < ready.len() {
                match offer(&mut ready[i], &mut newest) {
                    Offered::Waits(at) => {
                        wake_at = earlier(wake_at, at);
                        i += 1;
                    }
                    Offered::Blocks(rest) => {
                        slow.push(write_rest(ready.swap_remove(i), rest));
                    }
                    Offered::Ends => ready.swap_remove(i).wire.end(),
                    Offered::Gone => drop(ready.swap_remove(i)),
                }
                take_turn(&mut turns).await;
            }
            alone = next_alone(&mut slow, &mut coming);
        }
        // Those that have caught up, and newcomers: they get their turn also where frames come faster than all can be served.
        let mut left = slow.len() + coming.len();
        while let Some((mut viewer, opening)) = alone.take() {
            let offered = match opening {
                // Nothing else can be written before it.
                Some(opening) => open(&mut viewer, opening, &mut newest),
                None => offer(&mut viewer, &mut newest),
            };
            match offered {
                Offered::Waits(at) => {
                    wake_at = earlier(wake_at, at);
                    ready.push(viewer);
                }
                Offered::Blocks(rest) => slow.push(write_rest(viewer, rest)),
                Offered::Ends => viewer.wire.end(),
                Offered::Gone => {}
            }
            take_turn(&mut turns).await;
            if left > 0 {
                left -= 1;
                alone = next_alone(&mut slow, &mut coming);
            }
        }
    }
    // Those that wait end at once, those in the middle of a part after it.
    for viewer in ready {
        viewer.wire.end();
    }
    coming.close();
    while let Some(newcomer) = coming.recv().await {
        newcomer.viewer.wire.end();
    }
    while let Some(written) = slow.next().await {
        if let Some(viewer) = written {
            viewer.wire.end();
        }
    }
}

/// A viewer that is to be served by itself, with its opening if it is new; none if nobody is waiting for that now.
fn next_alone(
    slow: &mut FuturesUnordered<impl Future<Output = Option<Viewer>>>,
    coming: &mut mpsc::UnboundedReceiver<Newcomer>,
) -> Option<(Viewer, Option<Bytes>)> {
    while let Some(Some(written)) = slow.next().now_or_never() {
        if let Some(viewer) = written {
            return Some((viewer, None));
        }
    }
    let Newcomer { viewer, opening } = coming.try_recv().ok()?;
    Some((viewer, Some(opening)))
}

/// Lets others have their turn now and then.
async fn take_turn(turns: &mut u32) {
    *turns += 1;
    if turns.is_multiple_of(YIELD_EVERY) {
        yield_now().await;
    }
}

/// What there is to be sent at one moment.
#[derive(Default)]
struct Newest {
    frame: Option<Arc<Published>>,
    interval: Option<Duration>,
    /// No frame will come any more.
    is_last: bool,
    /// How many share the frame.
    #[cfg(target_os = "linux")]
    viewers: usize,
    #[cfg(target_os = "linux")]
    pages: PartPages,
}

impl Newest {
    /// Looks what there is now, for so many viewers.
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

    /// Gives a viewer this frame's part in its layout, as far as the socket takes it.
    fn write(&mut self, wire: &mut Wire, layout: Layout, part: &mut Bytes) -> Result<(), Cut> {
        #[cfg(target_os = "linux")]
        if self.viewers >= FEWEST_VIEWERS
            && wire.takes_all()
            && let Some(pages) = self.pages.of(part, layout)
        {
            return wire.splice_now(pages, part);
        }
        let _ = layout;
        wire.write_now(part)
    }
}

enum Offered {
    /// It has all there is for it, until a frame comes or that time.
    Waits(Option<Instant>),
    /// Its socket has not taken all.
    Blocks(Rest),
    Ends,
    Gone,
}

/// What a socket has not taken yet.
struct Rest {
    part: Bytes,
    late_at: Option<Instant>,
}

/// Gives a viewer what it is to have now, as far as its socket takes it.
fn offer(viewer: &mut Viewer, newest: &mut Newest) -> Offered {
    if viewer.feed.seat().is_replaced() {
        return Offered::Ends;
    }
    loop {
        let next = viewer
            .feed
            .next(newest.frame.as_ref(), newest.interval, Instant::now());
        let sending = match next {
            Next::Send(sending) if newest.is_last && sending.is_repeat => return Offered::Ends,
            Next::Send(sending) => sending,
            Next::Wait(_) if newest.is_last => return Offered::Ends,
            Next::Wait(at) => return Offered::Waits(at),
            Next::End => return Offered::Ends,
        };
        let mut part = sending.part;
        let Viewer { wire, feed, .. } = viewer;
        if newest.write(wire, feed.layout(), &mut part).is_err() {
            return Offered::Gone;
        }
        if !part.is_empty() {
            let late_at = sending.late_at;
            return Offered::Blocks(Rest { part, late_at });
        }
    }
}

/// Gives a newcomer the beginning of its response, and then what it is to have now.
fn open(viewer: &mut Viewer, mut opening: Bytes, newest: &mut Newest) -> Offered {
    if viewer.wire.write_now(&mut opening).is_err() {
        return Offered::Gone;
    }
    if opening.is_empty() {
        return offer(viewer, newest);
    }
    Offered::Blocks(Rest {
        part: opening,
        late_at: None,
    })
}

/// Waits until a part is written; gives nothing if the viewer had to be cut.
async fn write_rest(viewer: Viewer, mut rest: Rest) -> Option<Viewer> {
    let Viewer { wire, feed, .. } = &viewer;
    match wire
        .write_rest(&mut rest.part, rest.late_at, feed.seat())
        .await
    {
        Ok(()) => Some(viewer),
        Err(cut) => {
            viewer.wire.cut(cut, viewer.feed.seat().counters());
            None
        }
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

/// How often it is looked whether viewers have left, or others have got their places, that nothing is written to.
const SWEEP: Duration = Duration::from_secs(1);

/// After how many viewers others get their turn, cameras among them: a thousand viewers take ten milliseconds and more.
const YIELD_EVERY: u32 = 32;

/// From how many viewers on a part's pages are worth making.
#[cfg(target_os = "linux")]
const FEWEST_VIEWERS: usize = 4;
