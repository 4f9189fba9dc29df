//! A synthetic camera.

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

use super::{invalid::InvalidSource, rate};
use crate::{
    connect::{Connect, Connection},
    error::ConnectError,
};

/// A camera of moving test pictures; see [`Source::test`](crate::Source::test). (Feature
/// `test-picture`.)
///
/// ```
/// use mjpeg_ingest::{Source, TestCamera};
///
/// let camera = TestCamera::new().with_name("door").with_size(1280, 720)?.with_fps(30.0)?;
/// let source = Source::test(camera);
/// assert_eq!(source.to_string(), "test:?name=door&size=1280x720&fps=30");
/// # Ok::<(), mjpeg_ingest::InvalidSource>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TestCamera {
    name: String,
    width: u16,
    height: u16,
    fps: f64,
}

impl TestCamera {
    /// Makes a camera named "test" with pictures of 640x480 at 15 frames per second.
    pub fn new() -> Self {
        Self {
            name: "test".into(),
            width: 640,
            height: 480,
            fps: 15.0,
        }
    }

    /// Sets the name shown in the picture. Default "test".
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the width and height in pixels, 16 to 8192 each. Default 640x480.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a size out of bounds.
    pub fn with_size(mut self, width: u16, height: u16) -> Result<Self, InvalidSource> {
        let bounds = TestPicture::MIN_SIDE..=TestPicture::MAX_SIDE;
        if !bounds.contains(&width) || !bounds.contains(&height) {
            return Err(InvalidSource::BadOption(format!("size={width}x{height}")));
        }
        (self.width, self.height) = (width, height);
        Ok(self)
    }

    /// Sets the rate in frames per second, 0.001 to 1000. Default 15.
    ///
    /// # Errors
    ///
    /// [`InvalidSource::BadOption`] for a rate out of bounds.
    pub fn with_fps(mut self, fps: f64) -> Result<Self, InvalidSource> {
        self.fps = rate::checked(fps, &rate::PLAYED)?;
        Ok(self)
    }

    /// The name shown in the picture.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The width and height in pixels.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// The rate in frames per second.
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Writes the camera as a URL.
    pub(super) fn text(&self) -> String {
        let Self {
            name,
            width,
            height,
            fps,
        } = self;
        let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        format!("test:?name={name}&size={width}x{height}&fps={fps}")
    }
}

impl Default for TestCamera {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Connect for TestCamera {
    async fn connect(&self) -> Result<Connection, ConnectError> {
        let (name, width, height) = (self.name.clone(), self.width, self.height);
        // Drawing takes milliseconds, which would delay other tasks of this thread.
        let drawn = spawn_blocking(move || TestPicture::new(&name, width, height)).await;
        let picture = drawn.map_err(io::Error::from)?;
        let picture = picture.map_err(|error| ConnectError::Other(Box::new(error)))?;
        let every = Duration::from_secs_f64(1.0 / self.fps);
        let mut ticks = interval(every);
        // A machine that is too slow drops frames, as a real camera does.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let filming = Filming {
            picture: Arc::new(picture),
            ticks,
            number: 0,
            drawing: None,
            rest: Bytes::new(),
        };
        Ok(Connection::bytes(filming, "the built-in test picture"))
    }
}

/// Draws a picture per tick, in a thread for blocking work.
struct Filming {
    picture: Arc<TestPicture>,
    ticks: Interval,
    number: u64,
    drawing: Option<JoinHandle<Bytes>>,
    /// The unread rest of the last picture.
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
            let draw = move || picture.render(number, SystemTime::now());
            this.drawing = Some(spawn_blocking(draw));
        }
        let n = this.rest.len().min(buf.remaining());
        buf.put_slice(&this.rest[..n]);
        this.rest.advance(n);
        Poll::Ready(Ok(()))
    }
}
