//! A camera that there is not.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use mjpeg_picture::TestPicture;
use tokio::{
    io::{AsyncRead, ReadBuf},
    task::{JoinHandle, spawn_blocking},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::{Connect, ConnectError, Connection};

/// Films a moving test picture.
#[derive(Debug)]
pub(crate) struct TestCamera {
    picture: Arc<TestPicture>,
    interval: Duration,
}

impl TestCamera {
    pub(crate) fn new(picture: TestPicture, fps: f64) -> Self {
        Self {
            picture: Arc::new(picture),
            interval: Duration::from_secs_f64(1.0 / fps),
        }
    }
}

#[async_trait]
impl Connect for TestCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let mut ticks = interval(self.interval);
        // On a machine that is too slow it drops frames, as a real camera does.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let filming = Filming {
            picture: Arc::clone(&self.picture),
            ticks,
            number: 0,
            drawing: None,
            rest: Bytes::new(),
        };
        Ok(Connection::new(filming, "the built-in test picture"))
    }
}

struct Filming {
    picture: Arc<TestPicture>,
    ticks: Interval,
    number: u64,
    drawing: Option<JoinHandle<Bytes>>,
    /// What is still to be read of the last picture.
    rest: Bytes,
}

impl AsyncRead for Filming {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            if let Some(drawing) = &mut this.drawing {
                let drawn = ready!(Pin::new(drawing).poll(cx));
                this.drawing = None;
                this.rest = drawn.map_err(io::Error::other)?;
                break;
            }
            ready!(this.ticks.poll_tick(cx));
            let (picture, number) = (Arc::clone(&this.picture), this.number);
            this.number += 1;
            // It takes milliseconds, which would hold up whatever else runs on this thread.
            let draw = move || picture.render(number, SystemTime::now());
            this.drawing = Some(spawn_blocking(draw));
        }
        let n = this.rest.len().min(buf.remaining());
        buf.put_slice(&this.rest[..n]);
        this.rest.advance(n);
        Poll::Ready(Ok(()))
    }
}
