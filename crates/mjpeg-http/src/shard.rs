//! Many viewers served by one task.
//!
//! A frame wakes this task once, and not each viewer: it goes from viewer to viewer and writes, which is all that has to be done where sockets take
//! what they are given. A viewer whose socket is full waits by itself, in a future of its own, until its part is written.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use mjpeg_fanout::{Consumer, Published};
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::{
    alarm::Alarm,
    connection::Open,
    feed::{Feed, Next, Sending},
    service::Closing,
    wire::Wire,
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
    // When one of those that are ready may need something although no frame comes.
    let mut wake_at: Option<Instant> = None;
    let mut alarm = Alarm::default();
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut closed = pin!(closing.wanted());
    loop {
        let alone = tokio::select! {
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
                continue;
            }
        };
        let newest = Newest::of(&consumer, has_producer);
        let Some((mut viewer, opening)) = alone else {
            wake_at = None;
            let mut i = 0;
            let mut since_yield = 0;
            while i < ready.len() {
                match offer(&mut ready[i], &newest) {
                    Offered::Waits(at) => {
                        wake_at = earlier(wake_at, at);
                        i += 1;
                    }
                    Offered::Blocks(sending) => {
                        slow.push(write_rest(ready.swap_remove(i), sending));
                    }
                    Offered::Ends => ready.swap_remove(i).wire.end(),
                    Offered::Gone => drop(ready.swap_remove(i)),
                }
                since_yield += 1;
                if since_yield == YIELD_EVERY {
                    since_yield = 0;
                    yield_now().await;
                }
            }
            continue;
        };
        let offered = match opening {
            // Nothing else can be written before it.
            Some(opening) => open(&mut viewer, opening, &newest),
            None => offer(&mut viewer, &newest),
        };
        match offered {
            Offered::Waits(at) => {
                wake_at = earlier(wake_at, at);
                ready.push(viewer);
            }
            Offered::Blocks(sending) => slow.push(write_rest(viewer, sending)),
            Offered::Ends => viewer.wire.end(),
            Offered::Gone => {}
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

/// What there is to be sent at one moment.
struct Newest {
    frame: Option<Arc<Published>>,
    interval: Option<Duration>,
    /// No frame will come any more.
    is_last: bool,
}

impl Newest {
    fn of(consumer: &Consumer, has_producer: bool) -> Self {
        Self {
            frame: consumer.latest(),
            interval: consumer.interval(),
            is_last: !has_producer,
        }
    }
}

enum Offered {
    /// It has all there is for it, until a frame comes or that time.
    Waits(Option<Instant>),
    /// Its socket has not taken all.
    Blocks(Sending),
    Ends,
    Gone,
}

/// Gives a viewer what it is to have now, as far as its socket takes it.
fn offer(viewer: &mut Viewer, newest: &Newest) -> Offered {
    loop {
        let next = viewer
            .feed
            .next(newest.frame.as_ref(), newest.interval, Instant::now());
        let mut sending = match next {
            Next::Send(sending) if newest.is_last && sending.is_repeat => return Offered::Ends,
            Next::Send(sending) => sending,
            Next::Wait(_) if newest.is_last => return Offered::Ends,
            Next::Wait(at) => return Offered::Waits(at),
            Next::End => return Offered::Ends,
        };
        if viewer.wire.write_now(&mut sending.part).is_err() {
            return Offered::Gone;
        }
        if !sending.part.is_empty() {
            return Offered::Blocks(sending);
        }
    }
}

/// Gives a newcomer the beginning of its response, and then what it is to have now.
fn open(viewer: &mut Viewer, mut opening: Bytes, newest: &Newest) -> Offered {
    if viewer.wire.write_now(&mut opening).is_err() {
        return Offered::Gone;
    }
    if opening.is_empty() {
        return offer(viewer, newest);
    }
    Offered::Blocks(Sending::opening(opening))
}

/// Waits until a part is written; gives nothing if the viewer had to be cut.
async fn write_rest(mut viewer: Viewer, mut sending: Sending) -> Option<Viewer> {
    let Viewer { wire, feed, .. } = &mut viewer;
    match wire.write_rest(&mut sending, feed.seat()).await {
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

/// How often it is looked whether viewers have left that nothing is written to.
const SWEEP: Duration = Duration::from_secs(1);

/// After how many viewers others get their turn, cameras among them: a thousand viewers take ten milliseconds and more.
const YIELD_EVERY: u32 = 32;
