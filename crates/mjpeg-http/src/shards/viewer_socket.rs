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
    viewers::permit::Permit,
};

/// Why a response was cut in the middle of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutReason {
    /// The viewer has gone.
    Gone,
    /// It took no byte for too long.
    Stalled,
    /// One frame took too long.
    TooSlow,
    /// The frame is too old by now.
    Lagging,
    /// Another part of the service decided and counted it.
    Chosen,
}

impl CutReason {
    pub(crate) fn count(self, counters: &StreamCounters) {
        match self {
            Self::Gone | Self::Chosen => {}
            Self::Stalled => counters.write_stalls.add_one(),
            Self::TooSlow => counters.send_timeouts.add_one(),
            Self::Lagging => counters.lag_cuts.add_one(),
        }
    }
}

/// A viewer's connection.
pub(crate) struct ViewerSocket {
    transport: Transport,
    /// The last part went whole, at once.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "pages need it"))]
    takes_all: bool,
    /// The transport itself still holds bytes back.
    is_unflushed: bool,
}

impl ViewerSocket {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            takes_all: false,
            is_unflushed: false,
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
            Ok(n) => part.advance(n),
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
        permit.blocks(progress);
        while !head.is_empty() || !self.is_done(part) {
            let next = if head.is_empty() {
                &mut *part
            } else {
                &mut *head
            };
            let stalled_at = progress + limits.write_stall;
            let first = late_at.unwrap_or(slow_at).min(slow_at).min(stalled_at);
            tokio::select! {
                biased;
                took_some = poll_fn(|cx| self.poll_progress(cx, next)) => {
                    took_some.map_err(|_| CutReason::Gone)?;
                    progress = Instant::now();
                    permit.blocks(progress);
                }
                () = permit.cut() => return Err(CutReason::Chosen),
                () = timer.until(Some(first)) => {
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
        self.is_unflushed = matches!(self.transport.io, Io::Other(_));
        Poll::Ready(Ok(()))
    }

    /// Whether the viewer has closed its side. Costs no system call when nothing has come.
    ///
    /// What a viewer sends after its request is read and dropped, at most 256 KiB each time.
    pub(crate) fn is_gone(&mut self) -> bool {
        let mut dropped = [0; 4096];
        for _ in 0..MOST_READS {
            match self.transport.try_read(&mut dropped) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
        false
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

/// A viewer that keeps sending must not delay the others.
const MOST_READS: u32 = 64;
