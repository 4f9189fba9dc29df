//! What one viewer is sent at one moment.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mjpeg_fanout::{Consumer, Published, Turn};
use tokio::{sync::watch, time::Instant};

#[cfg(target_os = "linux")]
use crate::shards::part_pages::PartPages;
use crate::{
    config::stream::StreamConfig,
    feed::{Next, SourceState, form::Rendered},
    shards::{
        viewer::ActiveViewer,
        viewer_socket::{ViewerSocket, WriteLimits},
    },
    viewers::cut::CutReason,
};

/// What there is to send at one moment.
pub(crate) struct NewestFrame {
    frame: Option<Arc<Published>>,
    interval: Option<Duration>,
    source: SourceState,
    pub(crate) config: Arc<StreamConfig>,
    /// Held until all viewers that are ready have what there is to send.
    turn: Option<Arc<Turn>>,
    /// No frame will come any more.
    is_last: bool,
    /// How many viewers share the frame.
    #[cfg(target_os = "linux")]
    viewers: usize,
    #[cfg(target_os = "linux")]
    pages: PartPages,
}

impl NewestFrame {
    pub(crate) fn new(config: &watch::Receiver<Arc<StreamConfig>>) -> Self {
        Self {
            frame: None,
            interval: None,
            source: SourceState::default(),
            config: Arc::clone(&config.borrow()),
            turn: None,
            is_last: false,
            #[cfg(target_os = "linux")]
            viewers: 0,
            #[cfg(target_os = "linux")]
            pages: PartPages::default(),
        }
    }

    /// Reads what there is to send now, for this many viewers.
    pub(crate) fn look(&mut self, consumer: &Consumer, has_producer: bool, viewers: usize) {
        let seq = |frame: &Option<Arc<Published>>| frame.as_ref().map(|frame| frame.seq);
        let before = seq(&self.frame);
        self.frame = consumer.latest();
        self.interval = consumer.interval();
        self.source = SourceState::of(consumer);
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

    /// Begins a turn, which was taken before the look: that of the viewers that are ready, or that
    /// of one that has caught up.
    pub(crate) fn begin_turn(&mut self, turn: Option<Arc<Turn>>) {
        self.turn = turn;
    }

    /// Ends that turn, but for those who are still writing.
    pub(crate) fn end_turn(&mut self) {
        self.turn = None;
    }

    /// Writes a part of this frame, as far as the viewer's socket takes it.
    fn write(&mut self, socket: &mut ViewerSocket, rest: &mut UnsentPart) -> Result<(), CutReason> {
        if !rest.head.is_empty() {
            socket.write_now(&mut rest.head)?;
            if !rest.head.is_empty() {
                return Ok(());
            }
        }
        let part = &mut rest.part;
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

/// The outcome of an offer.
pub(crate) enum Offered {
    /// The viewer has everything, until a frame comes or until that time.
    Waits(Option<Instant>),
    /// Its socket has not taken everything.
    Blocks(UnsentPart),
    Ends,
    Gone,
}

/// A viewer whose part has been written, and its turn.
pub(crate) type CaughtUp = (ActiveViewer, Option<Arc<Turn>>);

/// What a socket has not taken yet.
pub(crate) struct UnsentPart {
    /// What this viewer alone gets, before the part.
    head: Bytes,
    part: Bytes,
    late_at: Option<Instant>,
    /// The producer may wait a moment for it before the next frame.
    turn: Option<Arc<Turn>>,
}

/// Sends a viewer what is due now, as far as its socket takes it.
pub(crate) fn offer(viewer: &mut ActiveViewer, newest: &mut NewestFrame) -> Offered {
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
        let Rendered { head, part } = feed.render(&sending, &newest.source, now);
        let late_at = sending.late_at;
        let mut rest = UnsentPart {
            head,
            part,
            late_at,
            turn: newest.turn.clone(),
        };
        if newest.write(socket, &mut rest).is_err() {
            return Offered::Gone;
        }
        if !socket.is_done(&rest.head) || !socket.is_done(&rest.part) {
            return Offered::Blocks(rest);
        }
    }
}

/// Sends a new viewer the beginning of its response, then what is due.
pub(crate) fn open(
    viewer: &mut ActiveViewer,
    mut opening: Bytes,
    newest: &mut NewestFrame,
) -> Offered {
    if viewer.socket.write_now(&mut opening).is_err() {
        return Offered::Gone;
    }
    if viewer.socket.is_done(&opening) {
        return offer(viewer, newest);
    }
    Offered::Blocks(UnsentPart {
        head: opening,
        part: Bytes::new(),
        late_at: None,
        turn: newest.turn.clone(),
    })
}

/// Waits until a part is written. Returns the viewer with its turn, which goes on until it has had
/// what came meanwhile. Returns `None` if it had to be cut.
pub(crate) async fn write_rest(mut viewer: ActiveViewer, mut rest: UnsentPart) -> Option<CaughtUp> {
    let ActiveViewer { socket, feed, .. } = &mut viewer;
    let limits = WriteLimits::of(feed.config());
    let parts = [&mut rest.head, &mut rest.part];
    let written = socket.write_rest(parts, rest.late_at, feed.permit(), limits);
    match written.await {
        Ok(()) => Some((viewer, rest.turn)),
        Err(reason) => {
            viewer.socket.cut(reason, viewer.feed.permit().counters());
            None
        }
    }
}

/// Pages of a part are worth making from this many viewers on.
#[cfg(target_os = "linux")]
const FEWEST_VIEWERS: usize = 4;
