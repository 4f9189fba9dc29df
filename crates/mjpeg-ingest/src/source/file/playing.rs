//! Plays a file, pass after pass.

use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep},
};

use super::pass::{Pass, PassStep};
use crate::error::{ConnectError, SourceEnd, local::NoImage};

/// Reads the file's bytes unchanged, but each frame only when it is due.
pub(super) struct Playing {
    path: Arc<Path>,
    repeat: bool,
    ticks: Interval,
    /// The time from frame to frame.
    every: Duration,
    state: PlayingState,
}

enum PlayingState {
    Plays(Box<Pass>),
    /// Waits until the first frame of the next pass is due.
    Waits,
    Opens(Pin<Box<dyn Future<Output = Result<Pass, ConnectError>> + Send>>),
}

impl Playing {
    pub(super) fn new(path: Arc<Path>, first: Pass, every: Duration, repeat: bool) -> Self {
        let mut ticks = interval(every);
        // Never play late frames in a burst.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is now, as the first frame is.
        ticks.reset();
        Self {
            path,
            repeat,
            ticks,
            every,
            state: PlayingState::Plays(Box::new(first)),
        }
    }
}

impl AsyncRead for Playing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                PlayingState::Plays(pass) => match pass.next() {
                    PassStep::Bytes => {
                        pass.play(buf);
                        return Poll::Ready(Ok(()));
                    }
                    PassStep::Tick => {
                        ready!(this.ticks.poll_tick(cx));
                        pass.take_mark();
                    }
                    PassStep::Read => ready!(pass.poll_read(cx))?,
                    PassStep::End if !pass.has_image() => {
                        let path = this.path.display().to_string();
                        let failed = SourceEnd::Failed(Box::new(NoImage { path }));
                        return Poll::Ready(Err(failed.into()));
                    }
                    PassStep::End if !this.repeat => {
                        return Poll::Ready(Err(SourceEnd::Finished.into()));
                    }
                    PassStep::End => this.state = PlayingState::Waits,
                },
                PlayingState::Waits => {
                    ready!(this.ticks.poll_tick(cx));
                    let pass = next_pass(Arc::clone(&this.path), this.every);
                    this.state = PlayingState::Opens(Box::pin(pass));
                }
                PlayingState::Opens(opening) => {
                    let opened = ready!(opening.as_mut().poll(cx));
                    let failed = |error| SourceEnd::Failed(Box::new(error));
                    this.state = PlayingState::Plays(Box::new(opened.map_err(failed)?));
                }
            }
        }
    }
}

/// Opens the file again. While it is missing or without an image, looks again for some time.
async fn next_pass(path: Arc<Path>, every: Duration) -> Result<Pass, ConnectError> {
    let begun = Instant::now();
    loop {
        let error = match Pass::begin(&path).await {
            Ok(pass) => return Ok(pass),
            Err(error) => error,
        };
        let patience = match error {
            ConnectError::Open { .. } => MISSING,
            _ => HALF_WRITTEN,
        };
        if begun.elapsed() >= patience.max(every) {
            return Err(error);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// The least interval to declare: a connection is given up after three without a byte, and a file
/// that is being written has none for [that long](HALF_WRITTEN).
pub(super) const LEAST_INTERVAL: Duration = Duration::from_secs(10);

/// How long a file that was played may be missing: a program may delete it before it writes anew.
const MISSING: Duration = Duration::from_secs(5);

/// How long it may be without a whole image: an upload over a slow link takes its time.
const HALF_WRITTEN: Duration = Duration::from_secs(25);

/// The time between two looks at such a file.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
