//! The interface between a kind of source and the loop that reads it.

use std::{fmt, io, time::Duration};

use async_trait::async_trait;
use futures_util::Stream;
use futures_util::StreamExt as _;
use mjpeg_codec::{Frame, Stamp, multipart::Via};
use tokio::io::AsyncRead;

#[cfg(any(feature = "http", all(feature = "v4l2", target_os = "linux")))]
use crate::parsed::ParsedFeed;
use crate::{
    config::IngestConfig,
    contained::Contained,
    error::ConnectError,
    fence::{BoxedAttempt, Fence},
    framing::Framing,
    input::Input,
    order::FrameOrder,
    relayed::{Delivered, RelayedPart},
    tenure::Tenure,
    text::escaped,
    within::within,
};

/// A kind of source: it connects, again and again, to a camera, an encoder or a test.
///
/// Makes a [`Source`](crate::Source) by [`Source::custom`](crate::Source::custom).
///
/// ```
/// use async_trait::async_trait;
/// use mjpeg_ingest::{Connect, ConnectError, Connection, Source};
/// use tokio::net::TcpStream;
///
/// /// A camera that sends images only after a request.
/// struct Camera(String);
///
/// #[async_trait]
/// impl Connect for Camera {
///     async fn connect(&self) -> Result<Connection, ConnectError> {
///         let stream = TcpStream::connect(&self.0).await?;
///         stream.writable().await?;
///         stream.try_write(b"START\n")?;
///         Ok(Connection::bytes(stream, &*self.0))
///     }
/// }
///
/// let source = Source::custom("start://camera.local", Camera("camera.local:6001".into()));
/// ```
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Opens a new connection.
    ///
    /// [`Ingest`](crate::Ingest) calls this, through [`connect_within`](Self::connect_within), only
    /// while it holds no earlier connection, and limits its time.
    ///
    /// # Errors
    ///
    /// If no connection can be made. Users see the error; the attempt is repeated after a backoff.
    ///
    /// # Cancel safety
    ///
    /// Must be cancel safe in that a dropped call leaves no connection open.
    async fn connect(&self) -> Result<Connection, ConnectError>;

    /// Opens a new connection within the limits of an ingest. Default: [`connect`](Self::connect),
    /// for [`connect_timeout`](IngestConfig::connect_timeout) at most unless the source is
    /// [passive](Self::is_passive).
    ///
    /// For sources that wait for more than a connection, and limit each step by itself. The time
    /// when this process stood still should not count.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect), and [`ConnectError::TimedOut`].
    ///
    /// # Cancel safety
    ///
    /// As for [`connect`](Self::connect).
    async fn connect_within(&self, config: &IngestConfig) -> Result<Connection, ConnectError> {
        if self.is_passive() {
            return self.connect().await;
        }
        let after = config.connect_timeout();
        let connected = within(after, self.connect()).await;
        connected.unwrap_or(Err(ConnectError::TimedOut { after }))
    }

    /// Whether the other side connects to us. Default: false.
    ///
    /// An attempt of a passive source may wait without a limit, and after the end of a connection
    /// the next attempt begins at once.
    fn is_passive(&self) -> bool {
        false
    }
}

/// A fresh connection to a source.
///
/// It carries either [bytes](Self::bytes), which are split into frames, or whole
/// [frames](Self::frames). Dropping it closes the connection.
#[must_use]
pub struct Connection {
    pub(crate) input: Input,
    pub(crate) framing: Framing,
    pub(crate) peer: String,
    pub(crate) interval: Option<Duration>,
    pub(crate) via: Via,
    pub(crate) guard: Option<Guard>,
    pub(crate) tenure: Option<Tenure>,
    pub(crate) order: Option<FrameOrder>,
}

/// Something that is only kept until it is dropped.
pub(crate) type Guard = Contained<Box<dyn Send>>;

impl Connection {
    /// Makes a connection that carries bytes: [concatenated](Framing::Concatenated) JPEG images
    /// unless [`with_framing`](Self::with_framing) says otherwise.
    ///
    /// `peer` names the other side for people: an address, a path, a command. An error that holds a
    /// [`SourceEnd`](crate::SourceEnd) tells why the connection ended.
    pub fn bytes(io: impl AsyncRead + Send + Unpin + 'static, peer: impl Into<String>) -> Self {
        Self::new(Input::Bytes(Contained::new(Box::new(io))), peer.into())
    }

    /// Makes a connection that carries whole frames with their own times, as RTP, V4L2 or a screen
    /// capture have them.
    ///
    /// The stream is polled for the next frame only when the ingest's owner wants one; nothing is
    /// queued. Its end closes the connection, and so does an error, which may hold a
    /// [`SourceEnd`](crate::SourceEnd). A frame above
    /// [`max_frame_bytes`](mjpeg_codec::SplitterConfig::max_frame_bytes) is discarded.
    ///
    /// Frames may be [parsed](Frame::parse) from an encoder's output. A
    /// [camera time](Stamp::with_camera) in the stamp is passed on.
    ///
    /// ```
    /// use std::{io, time::SystemTime};
    /// use futures_util::stream;
    /// use mjpeg_codec::{Frame, Stamp};
    /// use mjpeg_ingest::Connection;
    /// use tokio::time::Instant;
    ///
    /// # fn capture() -> io::Result<(Vec<u8>, SystemTime)> { unimplemented!() }
    /// let frames = stream::repeat_with(|| {
    ///     let (jpeg, captured_at) = capture()?;
    ///     let frame = Frame::parse(jpeg).map_err(io::Error::other)?;
    ///     let stamp = Stamp::new(SystemTime::now(), Instant::now().into_std());
    ///     Ok((frame, stamp.with_camera(captured_at)))
    /// });
    /// let connection = Connection::frames(frames, "screen 1");
    /// # drop(connection);
    /// ```
    pub fn frames(
        frames: impl Stream<Item = io::Result<(Frame, Stamp)>> + Send + 'static,
        peer: impl Into<String>,
    ) -> Self {
        let delivered = |(frame, stamp)| Delivered::Frame(frame, stamp);
        Self::delivered(frames.map(move |next| next.map(delivered)), peer)
    }

    /// Makes a connection to another relay, whose protocol the stream reads.
    ///
    /// As one of [`frames`](Self::frames), and what the relay says counts: frames keep their
    /// identity and their age, repeats are left out, and a lost camera is reported as
    /// [`Error::RelayOffline`](crate::Error::RelayOffline) while the connection goes on.
    pub fn relayed(
        frames: impl Stream<Item = io::Result<RelayedPart>> + Send + 'static,
        peer: impl Into<String>,
    ) -> Self {
        Self::delivered(frames.map(|next| next.map(Delivered::Relayed)), peer)
    }

    fn delivered(
        stream: impl Stream<Item = io::Result<Delivered>> + Send + 'static,
        peer: impl Into<String>,
    ) -> Self {
        Self::new(Input::Frames(Contained::new(Box::pin(stream))), peer.into())
    }

    /// Makes a connection that finds its frames itself.
    #[cfg(any(feature = "http", all(feature = "v4l2", target_os = "linux")))]
    pub(crate) fn feed(feed: impl ParsedFeed + 'static, peer: impl Into<String>) -> Self {
        Self::new(Input::Feed(Box::new(feed)), peer.into())
    }

    fn new(input: Input, peer: String) -> Self {
        Self {
            input,
            framing: Framing::Concatenated,
            // It may be what the other side calls itself.
            peer: escaped(&peer).into_owned(),
            interval: None,
            via: Via::default(),
            guard: None,
            tenure: None,
            order: None,
        }
    }

    /// Sets how frames lie in the bytes. Default [`Framing::Concatenated`]. Without meaning for a
    /// connection of whole frames.
    pub fn with_framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Sets the time from frame to frame, if the source knows it, so that a slow source is not
    /// taken for a dead one. Default: unknown, and measured.
    ///
    /// The [stall limit](IngestConfig::with_stall_limit) of the connection is at least three
    /// intervals.
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Names the relays that the frames come through. Default: none, for the source is a camera.
    pub fn with_via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// Makes a connection in a tenure: by this attempt, as long as the tenure is open.
    ///
    /// When the tenure ends, the attempt is dropped at once, even if nobody polls it, and so is the
    /// connection, which is made [`with_tenure`](Self::with_tenure). Both count in
    /// [`TenureHolder::closed`](crate::TenureHolder::closed).
    ///
    /// # Errors
    ///
    /// Those of the attempt, or that the tenure has ended.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// As safe as the attempt: it is dropped with the call.
    pub async fn in_tenure(
        tenure: &Tenure,
        attempt: impl Future<Output = Result<Self, ConnectError>> + Send + 'static,
    ) -> Result<Self, ConnectError> {
        let within = tenure.clone();
        // One inside the other: the connection counts before the attempt has ended.
        let attempt = async move { Ok(attempt.await?.with_tenure(within)) };
        let attempt: BoxedAttempt<Self, ConnectError> = Box::pin(attempt);
        Fence::within(attempt, tenure).await
    }

    /// Lets the connection be used only as long as this tenure is open.
    ///
    /// When it ends, the connection is closed at once, by a task that waits for nothing else, and
    /// no frame that was read before comes out any more: the ingest reports
    /// [`Error::TenureEnded`](crate::Error::TenureEnded). Frames are numbered from 1 in the
    /// tenure, over all of its connections, and carry its epoch and that number as their
    /// [identity](Stamp::id), whatever they had before.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn with_tenure(mut self, tenure: Tenure) -> Self {
        self.input = match self.input {
            Input::Bytes(io) => {
                Input::Bytes(Contained::new(Box::new(Fence::within(io, &tenure)) as _))
            }
            Input::Frames(frames) => {
                Input::Frames(Contained::new(Box::pin(Fence::within(frames, &tenure)) as _))
            }
            Input::Feed(feed) => Input::Feed(Box::new(Fence::within(feed, &tenure))),
        };
        self.tenure = Some(tenure);
        self
    }

    /// Closes the connection when this future completes, because the frames are elsewhere then.
    ///
    /// As if a [tenure](Self::with_tenure) ended, but frames keep their identity. The next attempt
    /// begins at once.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.input = match self.input {
            Input::Bytes(io) => Input::Bytes(Contained::new(Box::new(Fence::until(io, end)) as _)),
            Input::Frames(frames) => {
                Input::Frames(Contained::new(Box::pin(Fence::until(frames, end)) as _))
            }
            Input::Feed(feed) => Input::Feed(Box::new(Fence::until(feed, end))),
        };
        self
    }

    /// Leaves out the frames that do not come after those that this order has seen, and counts
    /// them there. Frames without an [identity](Stamp::id) are not compared.
    pub fn with_order(mut self, order: FrameOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Keeps a value from this connection to the next, such as the listener that it came through.
    ///
    /// It is dropped when the next connection is made, on pause, and with the ingest.
    pub fn keeping(mut self, guard: impl Send + 'static) -> Self {
        self.guard = Some(Contained::new(Box::new(guard)));
        self
    }

    /// The other side's name, for people.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// How frames lie in the bytes.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The time from frame to frame, if the source knows it.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("framing", &self.framing)
            .field("peer", &self.peer)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}
