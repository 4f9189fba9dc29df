//! One wall socket: its task.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant as StdInstant},
};

use futures_util::{Stream, StreamExt, stream::FuturesUnordered};
use mjpeg_manager::mjpeg_http::Grant;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{Instant, sleep},
};
use tokio_websockets::{Error as SocketError, Message, WebSocketStream};

use super::{
    board::{Board, Followup},
    budget::MessageBudget,
    end::WallEnd,
    io::{close, poll_outgoing},
    liveness::Liveness,
    message::{ClientMessage, NotUnderstood, ServerMessage},
    outgoing::OutgoingMessage,
    tile::TileFuture,
    timer::WallTimer,
};
use crate::{
    caller::{ApiCaller, RECHECK_AGAIN},
    state::ApiState,
};

/// A socket that is open. It ends when its client or the relay does.
pub(crate) struct WallSocket<T> {
    socket: WebSocketStream<T>,
    state: Arc<ApiState>,
    caller: Arc<ApiCaller>,
    board: Board,
    /// What is being written. Nothing is read meanwhile.
    outgoing: Option<OutgoingMessage>,
    /// How many messages may still be read, as far as they have come, before a frame is chosen.
    reads_first: usize,
    budget: MessageBudget,
    liveness: Liveness,
    /// Until when the client may stay.
    until: Option<StdInstant>,
    /// Changes when rights have changed; `None` when all is to end.
    rechecks: watch::Receiver<Option<u64>>,
    /// Whether a client that was rechecked may stay.
    looks: FuturesUnordered<LookFuture>,
    /// The number of the latest event.
    events: watch::Receiver<u64>,
    timer: WallTimer,
}

type LookFuture = Pin<Box<dyn Future<Output = Option<Grant>> + Send>>;

/// What a socket waited for.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one at a time, on the stack"
)]
enum Waited {
    /// Rights have changed, or all is to end.
    Rechecked,
    Looked(Option<Grant>),
    Tile(<TileFuture as Future>::Output),
    Written(std::io::Result<()>),
    Read(Option<Result<Message, SocketError>>),
    /// There is nothing to read.
    Nothing,
    Events,
    Time,
}

impl<T: AsyncRead + AsyncWrite + Unpin> WallSocket<T> {
    /// Begins to serve a client that may stay until its grant ends.
    pub(crate) fn new(
        socket: WebSocketStream<T>,
        state: Arc<ApiState>,
        caller: Arc<ApiCaller>,
        grant: &Grant,
    ) -> Self {
        let now = Instant::now();
        let mut rechecks = state.rechecks.subscribe();
        // If all is to end already, that is still to be seen.
        if rechecks.borrow().is_none() {
            rechecks.mark_changed();
        }
        Self {
            socket,
            board: Board::new(Arc::clone(&state), Arc::clone(&caller)),
            outgoing: None,
            reads_first: 0,
            budget: MessageBudget::new(state.config.wall_messages_per_second(), now),
            liveness: Liveness::new(caller.write_stall(), now),
            until: grant.until,
            rechecks,
            looks: FuturesUnordered::new(),
            events: state.log.watch(),
            timer: WallTimer::default(),
            state,
            caller,
        }
    }

    /// Serves until it ends, and closes the socket.
    pub(crate) async fn run(mut self) -> WallEnd {
        let end = loop {
            if let Err(end) = self.step().await {
                break end;
            }
        };
        let counters = self.state.walls.counters();
        match end {
            WallEnd::Invalid => counters.invalid.add_one(),
            WallEnd::Flood => counters.floods.add_one(),
            WallEnd::Stalled => counters.stalls.add_one(),
            WallEnd::TooSlow => counters.send_timeouts.add_one(),
            _ => {}
        }
        let Self {
            socket,
            board,
            outgoing,
            ..
        } = self;
        // Viewers end first: a client that does not answer must not keep their places.
        let texts = board.into_texts();
        close(socket, outgoing, texts, end).await;
        end
    }

    async fn step(&mut self) -> Result<(), WallEnd> {
        let now = Instant::now();
        self.begin_writing(now);
        let at = self.next_time();
        let is_silent = self.outgoing.is_none();
        let Self {
            socket,
            board,
            outgoing,
            reads_first,
            rechecks,
            looks,
            events,
            timer,
            ..
        } = self;
        let waited = tokio::select! {
            biased;
            changed = rechecks.changed() => {
                changed.map_err(|_| WallEnd::GoingAway)?;
                Waited::Rechecked
            }
            Some(looked) = looks.next() => Waited::Looked(looked),
            Some(happened) = board.waits.next() => Waited::Tile(happened),
            written_or_read = poll_fn(|cx| poll_socket(socket, outgoing, reads_first, cx)) => {
                written_or_read
            }
            Ok(()) = events.changed(), if is_silent => Waited::Events,
            () = timer.until(at) => Waited::Time,
        };
        self.handle(waited)
    }

    fn handle(&mut self, waited: Waited) -> Result<(), WallEnd> {
        let now = Instant::now();
        match waited {
            Waited::Rechecked => {
                (*self.rechecks.borrow_and_update()).ok_or(WallEnd::GoingAway)?;
                let caller = Arc::clone(&self.caller);
                // The last question counts.
                self.looks = FuturesUnordered::new();
                self.looks.push(Box::pin(async move {
                    loop {
                        match caller.may_look().await {
                            Err(denied) if denied.is_unclear() => sleep(RECHECK_AGAIN).await,
                            looked => return looked.ok(),
                        }
                    }
                }));
            }
            Waited::Looked(grant) => self.until = grant.ok_or(WallEnd::Forbidden)?.until,
            Waited::Tile(happened) => {
                let is_free = self.outgoing.is_none() && self.reads_first == 0;
                match self.board.note(happened, is_free, now) {
                    Followup::Nothing => {}
                    Followup::Send(outgoing) => self.outgoing = Some(outgoing),
                    Followup::Ended(tile) => self.hurry(tile, now),
                }
            }
            Waited::Written(written) => {
                written.map_err(|_| WallEnd::Client)?;
                if let Some(OutgoingMessage {
                    picture: Some(picture),
                    ..
                }) = self.outgoing.take()
                {
                    self.board.schedule.written(picture.tile);
                    self.liveness.expects(now);
                }
                // Acks that have come meanwhile count before the next frame is chosen.
                self.reads_first = MESSAGES_AT_ONCE;
            }
            Waited::Read(read) => {
                self.reads_first = self.reads_first.saturating_sub(1);
                self.read(read, now)?;
            }
            Waited::Nothing => self.reads_first = 0,
            Waited::Events => {
                self.events.borrow_and_update();
                self.board.look_at_events();
            }
            Waited::Time => self.check_times(now)?,
        }
        Ok(())
    }

    /// Chooses what is written next.
    fn begin_writing(&mut self, now: Instant) {
        if self.outgoing.is_some() || self.reads_first > 0 {
            return;
        }
        if let Some(text) = self.board.next_text() {
            let deadline = self.liveness.deadline(now);
            self.outgoing = Some(OutgoingMessage::text(&text, deadline));
        } else if self.liveness.pings(now) {
            let deadline = self.liveness.deadline(now);
            self.outgoing = Some(OutgoingMessage::ping(deadline));
        } else {
            self.board.call_next(now);
        }
    }

    /// Handles what was read.
    fn read(
        &mut self,
        read: Option<Result<Message, SocketError>>,
        now: Instant,
    ) -> Result<(), WallEnd> {
        let message = match read {
            None => return Err(WallEnd::Client),
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                let is_about_bytes = !matches!(error, SocketError::Io(_));
                return Err(if is_about_bytes {
                    WallEnd::Invalid
                } else {
                    WallEnd::Client
                });
            }
        };
        self.liveness.heard();
        if message.is_close() {
            return Err(WallEnd::Client);
        }
        if message.is_pong() {
            if let Some(time) = self.liveness.answered(now) {
                self.board.schedule.answered(time);
            }
            return self.pay(1, now);
        }
        if message.is_ping() {
            return self.pay(1, now);
        }
        let message = match message.as_text() {
            Some(text) => ClientMessage::of_text(text),
            None => ClientMessage::of_bytes(message.as_payload()),
        };
        match message {
            Ok(ClientMessage::Ack { tile, seq }) => {
                if !self.board.acked(tile, seq, now) {
                    self.pay(1, now)?;
                }
            }
            Ok(ClientMessage::Ping(id)) => {
                self.pay(1, now)?;
                self.board.say(ServerMessage::Pong { id });
            }
            Ok(ClientMessage::Tiles(tiles)) => {
                self.pay(TILES_COST, now)?;
                self.board.set(tiles);
            }
            Err(error) => return Err(self.misunderstood(&error)),
        }
        Ok(())
    }

    fn pay(&mut self, messages: u32, now: Instant) -> Result<(), WallEnd> {
        match self.budget.pay(messages, now) {
            true => Ok(()),
            false => Err(WallEnd::Flood),
        }
    }

    /// Says what is wrong with a message, before the socket is closed.
    fn misunderstood(&mut self, error: &NotUnderstood) -> WallEnd {
        let detail = crate::error::Error::invalid(error.to_string());
        self.board.say(ServerMessage::invalid(detail.detail()));
        WallEnd::Invalid
    }

    /// A tile whose viewer has ended must not be written for long.
    fn hurry(&mut self, tile: u16, now: Instant) {
        let is_of_tile = |outgoing: &&mut OutgoingMessage| {
            let picture = outgoing.picture.as_ref();
            picture.is_some_and(|picture| picture.tile == tile)
        };
        if let Some(outgoing) = self.outgoing.as_mut().filter(is_of_tile) {
            outgoing.deadline = outgoing.deadline.min(now + LAST_PICTURE_TIME);
        }
    }

    /// When something has to be done, whatever happens. While a message is being written, the
    /// client is neither pinged nor expected to answer: nothing is read from it.
    fn next_time(&self) -> Instant {
        let next = match &self.outgoing {
            Some(outgoing) => outgoing.deadline,
            None => self.liveness.next_time(),
        };
        let until = self.until.map(Instant::from_std);
        until.map_or(next, |until| until.min(next))
    }

    fn check_times(&mut self, now: Instant) -> Result<(), WallEnd> {
        if let Some(outgoing) = &self.outgoing
            && outgoing.deadline <= now
        {
            return Err(match outgoing.picture {
                Some(_) => WallEnd::TooSlow,
                None => WallEnd::Stalled,
            });
        }
        if self.until.is_some_and(|at| Instant::from_std(at) <= now) {
            return Err(WallEnd::Forbidden);
        }
        let is_silent = self.outgoing.is_none() && self.reads_first == 0;
        match is_silent && self.liveness.is_stalled(now) {
            true => Err(WallEnd::Stalled),
            false => Ok(()),
        }
    }
}

/// Writes what is to be written, else reads.
fn poll_socket<T: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<T>,
    outgoing: &mut Option<OutgoingMessage>,
    reads_first: &usize,
    cx: &mut Context<'_>,
) -> Poll<Waited> {
    let Some(outgoing) = outgoing else {
        return match Pin::new(socket).poll_next(cx) {
            Poll::Ready(read) => Poll::Ready(Waited::Read(read)),
            Poll::Pending if *reads_first > 0 => Poll::Ready(Waited::Nothing),
            Poll::Pending => Poll::Pending,
        };
    };
    Poll::Ready(Waited::Written(ready!(poll_outgoing(socket, outgoing, cx))))
}

/// How long the rest of a picture may take whose viewer has ended.
const LAST_PICTURE_TIME: Duration = Duration::from_secs(1);

/// How many messages are read before a frame goes.
const MESSAGES_AT_ONCE: usize = 64;

/// How many plain messages are as much work as one that sets tiles.
const TILES_COST: u32 = 5;

#[cfg(test)]
mod tests;
