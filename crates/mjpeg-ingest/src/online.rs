//! One connection, from its first byte to its end.

use std::{any::Any, future::poll_fn, time::Duration};

use mjpeg_codec::Found;
use tokio::{
    io::AsyncRead,
    time::{Instant, timeout_at},
};

use crate::{
    Connection, Error, Event, IngestConfig, SourceEnd, reading::Reading, stall::StallWatch,
};

pub(crate) struct Online {
    reading: Reading<Box<dyn AsyncRead + Send + Unpin>>,
    stall: StallWatch,
    since: Instant,
    frames: u64,
    /// Why no more will be read; what is left in the splitter still comes out.
    pub(crate) ending: Option<Ending>,
}

pub(crate) enum Ending {
    Error(Error),
    Paused,
    Finished,
}

impl Online {
    /// Begins to read; gives what must outlive the connection.
    pub(crate) fn new(
        connection: Connection,
        config: &IngestConfig,
    ) -> (Self, Option<Box<dyn Any + Send>>) {
        let now = Instant::now();
        let online = Self {
            reading: Reading::new(connection.io, connection.framing, config.splitter.clone()),
            stall: StallWatch::new(now, config.stall_limit, connection.interval),
            since: now,
            frames: 0,
            ending: None,
        };
        (online, connection.anchor)
    }

    /// Whether there were frames, and for long enough.
    pub(crate) fn was_stable(&self, stable_after: Duration) -> bool {
        self.frames > 0 && self.since.elapsed() >= stable_after
    }

    pub(crate) fn poll(&mut self) -> Option<Event> {
        Some(match self.reading.found()? {
            Found::Frame(frame) => {
                self.stall.frame(self.reading.last_read(), self.frames == 0);
                self.frames += 1;
                Event::Frame(self.reading.captured(frame))
            }
            Found::Discarded { reason, range } => Event::Discarded {
                reason,
                bytes: range.end - range.start,
            },
            // The enum may grow; what this crate does not know, it does not pass on.
            _ => return self.poll(),
        })
    }

    /// Reads once, or finds that the camera is stalled, or that nothing more comes.
    pub(crate) async fn read(&mut self) -> Option<Event> {
        let (silence, no_frame) = (self.stall.silence_limit(), self.stall.no_frame_limit());
        let (stalls_after, last_frame) = (self.stall.stalls_after(), self.stall.last_frame());
        if let Some(after) = stalls_after.filter(|&after| self.stall.noise() >= after) {
            self.stall.told();
            return Some(Event::Stalled { after });
        }
        if self.stall.noise() >= no_frame {
            self.end(Ending::Error(Error::NoFrame { after: no_frame }));
            return None;
        }
        let silent_at = self.reading.last_read() + silence;
        let no_frame_at = last_frame + no_frame;
        let given_up_at = silent_at.min(no_frame_at);
        let stalls_at = stalls_after
            .map(|after| last_frame + after)
            .filter(|&at| at < given_up_at);
        let read = poll_fn(|cx| self.reading.poll_read(cx));
        // It reads before it looks at the clock: what came while nobody pulled is there.
        let outcome = timeout_at(stalls_at.unwrap_or(given_up_at), read).await;
        let ending = match outcome {
            Ok(Ok(0)) => Error::Closed,
            Ok(Ok(_)) => {
                self.stall.bytes(self.reading.last_read());
                return None;
            }
            Ok(Err(error)) => match error.downcast() {
                Ok(SourceEnd::Finished) => {
                    self.end(Ending::Finished);
                    return None;
                }
                Ok(SourceEnd::Replaced { by }) => Error::Replaced { by },
                Ok(SourceEnd::Failed(error)) => Error::Source(error),
                Err(error) => Error::Read(error),
            },
            Err(_elapsed) => match stalls_after {
                Some(after) if stalls_at.is_some() => {
                    self.stall.told();
                    return Some(Event::Stalled { after });
                }
                _ if silent_at <= no_frame_at => Error::Stalled { after: silence },
                _ => Error::NoFrame { after: no_frame },
            },
        };
        self.end(Ending::Error(ending));
        None
    }

    pub(crate) fn end(&mut self, ending: Ending) {
        self.reading.finish();
        self.ending = Some(ending);
    }
}
