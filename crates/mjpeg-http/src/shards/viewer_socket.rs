//! A viewer's connection. Parts are written to it directly, with no HTTP library in between.

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
#[cfg(target_os = "linux")]
use tokio::io::Interest;
use tokio::{io::AsyncWrite, time::Instant};

#[cfg(target_os = "linux")]
use crate::shards::part_pages::Pages;
use crate::{
    config::stream::StreamConfig,
    stats::StreamCounters,
    timer::LazySleep,
    transport::{Io, Transport},
    viewers::{cut::CutReason, permit::Permit},
};

/// What a viewer has sent since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing that matters.
    Nothing,
    /// It has just closed its side. It may have gone, or still read: only a write will tell.
    Ended,
    /// It has gone.
    Gone,
    /// More than it may send.
    TooMuch,
}

/// A viewer's connection.
pub(crate) struct ViewerSocket {
    transport: Transport,
    /// The last part went whole, at once.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "pages need it"))]
    takes_all: bool,
    /// The transport itself still holds bytes back.
    is_unflushed: bool,
    /// Bytes that came behind the request, less what it may send as time passes.
    input_bytes: usize,
    ended: Option<EndedSide>,
}

/// A viewer has closed its side of the connection.
struct EndedSide {
    at: Instant,
    /// Something has been written since.
    is_written_to: bool,
}

impl ViewerSocket {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            takes_all: false,
            is_unflushed: false,
            input_bytes: 0,
            ended: None,
        }
    }

    /// Writes what the transport takes at once, which is mostly everything.
    pub(crate) fn write_now(&mut self, part: &mut Bytes) -> Result<(), CutReason> {
        let written = self.transport.try_write(part);
        self.advance(written, part)
    }

    /// Writes a part as [`Self::write_now`] does, without copying it where that is possible.
    #[cfg(target_os = "linux")]
    pub(crate) fn splice_now(
        &mut self,
        pages: Pages<'_>,
        part: &mut Bytes,
    ) -> Result<(), CutReason> {
        let Io::Tcp(stream) = &self.transport.io else {
            return self.write_now(part);
        };
        match stream.try_io(Interest::WRITABLE, || pages.send(stream)) {
            Ok(0) => self.write_now(part),
            sent => self.advance(sent, part),
        }
    }

    /// Whether parts may go to it as pages: it is a TCP socket, and took the last part whole.
    #[cfg(target_os = "linux")]
    pub(crate) fn takes_pages(&self) -> bool {
        self.takes_all && matches!(self.transport.io, Io::Tcp(_))
    }

    /// Whether everything has been handed over.
    pub(crate) fn is_done(&self, part: &Bytes) -> bool {
        part.is_empty() && !self.is_unflushed
    }

    fn advance(&mut self, written: io::Result<usize>, part: &mut Bytes) -> Result<(), CutReason> {
        match written {
            Ok(n) => {
                part.advance(n);
                self.note_written(n);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Err(CutReason::Gone),
        }
        self.is_unflushed = match self.transport.try_flush() {
            Ok(()) => false,
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(_) => return Err(CutReason::Gone),
        };
        self.takes_all = part.is_empty();
        Ok(())
    }

    /// Writes the rest of a part as the viewer takes it. After `late_at`, the part is too old to
    /// send.
    pub(crate) async fn write_rest(
        &mut self,
        [head, part]: [&mut Bytes; 2],
        late_at: Option<Instant>,
        permit: &Permit,
        limits: WriteLimits,
    ) -> Result<(), CutReason> {
        let mut timer = LazySleep::default();
        let begun = Instant::now();
        let slow_at = begun + limits.max_frame_send_time;
        let mut progress = begun;
        let mut has_listened = false;
        permit.blocks(progress);
        while !head.is_empty() || !self.is_done(part) {
            let next = if head.is_empty() {
                &mut *part
            } else {
                &mut *head
            };
            let stalled_at = progress + limits.write_stall;
            let last = late_at.unwrap_or(slow_at).min(slow_at).min(stalled_at);
            let listens_at = progress + HALF_CLOSED_WAIT;
            let first = if has_listened {
                last
            } else {
                last.min(listens_at)
            };
            tokio::select! {
                biased;
                took_some = poll_fn(|cx| self.poll_progress(cx, next)) => {
                    took_some.map_err(|_| CutReason::Gone)?;
                    progress = Instant::now();
                    has_listened = false;
                    permit.blocks(progress);
                }
                () = permit.cut() => return Err(CutReason::Chosen),
                () = timer.until(Some(first)) => {
                    if first < last {
                        has_listened = true;
                        if self.has_ended() {
                            return Err(CutReason::Stalled);
                        }
                        continue;
                    }
                    return Err(if late_at == Some(first) {
                        CutReason::Lagging
                    } else if first == slow_at {
                        CutReason::TooSlow
                    } else {
                        CutReason::Stalled
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether the viewer has closed its side, as far as one look tells.
    fn has_ended(&mut self) -> bool {
        self.ended.is_some()
            || match self.transport.try_read(&mut [0; 1024]) {
                Ok(n) => n == 0,
                Err(error) => error.kind() != ErrorKind::WouldBlock,
            }
    }

    /// Writes once, or flushes once all is written.
    fn poll_progress(&mut self, cx: &mut Context<'_>, part: &mut Bytes) -> Poll<io::Result<()>> {
        let mut transport = Pin::new(&mut self.transport);
        if part.is_empty() {
            ready!(transport.poll_flush(cx))?;
            self.is_unflushed = false;
            return Poll::Ready(Ok(()));
        }
        let n = ready!(transport.as_mut().poll_write(cx, part))?;
        if n == 0 {
            return Poll::Ready(Err(ErrorKind::WriteZero.into()));
        }
        part.advance(n);
        self.note_written(n);
        self.is_unflushed = matches!(self.transport.io, Io::Other(_));
        Poll::Ready(Ok(()))
    }

    fn note_written(&mut self, bytes: usize) {
        if let Some(ended) = &mut self.ended
            && bytes > 0
        {
            ended.is_written_to = true;
        }
    }

    /// Reads once what the viewer has sent, into a buffer whose content does not matter. To be
    /// called about once a second. Costs no system call when nothing has come.
    ///
    /// `most` is how many bytes it may send at once, and in a minute.
    pub(crate) fn hear(&mut self, input: &mut [u8], most: usize, now: Instant) -> Heard {
        if let Some(ended) = &self.ended {
            let is_late = !ended.is_written_to && now >= ended.at + HALF_CLOSED_WAIT;
            let is_gone = is_late || self.transport.has_failed();
            return if is_gone { Heard::Gone } else { Heard::Nothing };
        }
        self.input_bytes = self.input_bytes.saturating_sub(most / 60);
        match self.transport.try_read(input) {
            Ok(0) => {
                self.ended = Some(EndedSide {
                    at: now,
                    is_written_to: false,
                });
                Heard::Ended
            }
            Ok(n) => {
                self.input_bytes += n;
                if self.input_bytes > most {
                    return Heard::TooMuch;
                }
                Heard::Nothing
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Heard::Nothing,
            Err(_) => Heard::Gone,
        }
    }

    /// Ends the response after a whole part.
    pub(crate) fn end(self) {
        self.transport.end();
    }

    /// Ends the response in the middle of a part.
    pub(crate) fn cut(self, reason: CutReason, counters: &StreamCounters) {
        reason.count(counters);
        if reason != CutReason::Gone {
            self.transport.reset_on_drop();
        }
    }
}

/// How long writing may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteLimits {
    write_stall: Duration,
    max_frame_send_time: Duration,
}

impl WriteLimits {
    pub(crate) fn of(config: &StreamConfig) -> Self {
        Self {
            write_stall: config.write_stall(),
            max_frame_send_time: config.max_frame_send_time(),
        }
    }
}

/// How long a viewer that has closed its side is kept while nothing is written to it, which would
/// tell whether it has gone: because there is nothing, or because it takes nothing. As long as a
/// camera may need for its first picture.
const HALF_CLOSED_WAIT: Duration = Duration::from_secs(5);
