//! A reader, and what cuts its bytes into frames.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use mjpeg_codec::{
    Event, Frame, Splitter, SplitterConfig, Stamp,
    multipart::{Parser, ParserConfig},
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::coop,
    time::Instant,
};

use crate::{Captured, Framing};

/// The part of the codec that reads a framing.
enum Cutter {
    Concatenated(Splitter),
    Multipart(Parser),
}

impl Cutter {
    fn new(framing: Framing, config: SplitterConfig) -> Self {
        match framing {
            Framing::Concatenated => Self::Concatenated(Splitter::new(config)),
            Framing::Multipart => {
                Self::Multipart(Parser::new(ParserConfig::default().with_splitter(config)))
            }
        }
    }

    fn poll(&mut self) -> Option<Event> {
        match self {
            Self::Concatenated(splitter) => splitter.poll(),
            Self::Multipart(parser) => parser.poll(),
        }
    }

    fn spare_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Concatenated(splitter) => splitter.spare_mut(),
            Self::Multipart(parser) => parser.spare_mut(),
        }
    }

    fn filled(&mut self, n: usize) {
        match self {
            Self::Concatenated(splitter) => splitter.filled(n),
            Self::Multipart(parser) => parser.filled(n),
        }
    }

    fn finish(&mut self) {
        match self {
            Self::Concatenated(splitter) => splitter.finish(),
            Self::Multipart(parser) => parser.finish(),
        }
    }
}

pub(crate) struct Reading<R> {
    io: R,
    cutter: Cutter,
    /// When bytes last came, by both clocks; before that, when the reading began.
    last_read: (SystemTime, Instant),
}

impl<R: AsyncRead + Unpin> Reading<R> {
    pub(crate) fn new(io: R, framing: Framing, config: SplitterConfig) -> Self {
        Self {
            io,
            cutter: Cutter::new(framing, config),
            last_read: (SystemTime::now(), Instant::now()),
        }
    }

    /// Takes what was found in the bytes read so far, or `None` when more must be read.
    pub(crate) fn found(&mut self) -> Option<Event> {
        self.cutter.poll()
    }

    /// Reads once, straight into the cutter's buffer, and returns how many bytes came: 0 at the end of the stream.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            // A reader that always has bytes, and never a frame among them, must not keep the task from its runtime; not
            // every reader sees to that itself, as tokio's do.
            let progress = ready!(coop::poll_proceed(cx));
            let mut room = ReadBuf::new(self.cutter.spare_mut());
            let outcome = ready!(Pin::new(&mut self.io).poll_read(cx, &mut room));
            progress.made_progress();
            return Poll::Ready(match outcome {
                Ok(()) => {
                    let n = room.filled().len();
                    if n > 0 {
                        self.cutter.filled(n);
                        self.last_read = (SystemTime::now(), Instant::now());
                    }
                    Ok(n)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            });
        }
    }

    /// Says that nothing more will be read; what is left still comes out of [`found`](Self::found).
    pub(crate) fn finish(&mut self) {
        self.cutter.finish();
    }

    /// When bytes last came, or the reading began.
    pub(crate) fn last_read(&self) -> Instant {
        self.last_read.1
    }

    /// Stamps a frame that was just found.
    pub(crate) fn captured(&self, frame: Frame) -> Captured {
        let (received, monotonic) = self.last_read;
        Captured {
            frame,
            stamp: Stamp::new(received, monotonic.into_std()),
        }
    }
}
