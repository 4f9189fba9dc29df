//! Watching a stream without a response: for services that send frames in a protocol of their own.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;
use mjpeg_fanout::{Consumer, Published, Status};
use tokio::{sync::watch, time::Instant};

use crate::{
    closing::Closing,
    config::stream::StreamConfig,
    feed::{Due, Feed},
    timer::LazySleep,
    viewers::{permit::Permit, viewer::ViewerState},
};

/// How another service wants to watch a stream: see [`StreamService::watch`].
///
/// [`StreamService::watch`]: crate::StreamService::watch
#[derive(Clone, Debug)]
pub struct WatchRequest {
    pub(crate) protocol: &'static str,
    pub(crate) fps: Option<f64>,
    pub(crate) skips_gate: bool,
}

impl WatchRequest {
    /// Makes a request of a service that calls its protocol so, for [`ViewerInfo::protocol`].
    ///
    /// [`ViewerInfo::protocol`]: crate::ViewerInfo::protocol
    pub fn new(protocol: &'static str) -> Self {
        Self {
            protocol,
            fps: None,
            skips_gate: false,
        }
    }

    /// Admits the viewer without asking the gate, neither now nor when it is asked
    /// [again](crate::StreamService::recheck) about the others. Default: it is asked.
    ///
    /// For a service that has found out by itself that the viewer may watch, such as one whose
    /// clients are other nodes of a cluster, which ask their own gates.
    pub fn without_gate(mut self) -> Self {
        self.skips_gate = true;
        self
    }

    /// Sets how many frames per second are wanted at most. Default: all. Only a number above 0
    /// counts. What the stream's configuration and the gate allow holds as well.
    pub fn with_fps(mut self, most: impl Into<Option<f64>>) -> Self {
        self.fps = positive(most.into());
        self
    }
}

/// Why somebody may not watch a stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum WatchRefusal {
    /// The gate refuses it, with this response.
    Denied(Box<Response<Bytes>>),
    /// The gate did not decide in time.
    Undecided,
    /// A limit on viewers is reached; the reason is for people.
    Full(String),
    /// The service is closed.
    Closed,
}

/// Why a viewer may watch no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchEnd {
    /// The stream has ended, or its service is closed.
    Closed,
    /// [`StreamService::kick`](crate::StreamService::kick) was called.
    Kicked,
    /// The gate no longer admits it.
    Denied,
    /// Its grant has expired.
    Expired,
    /// A new viewer [has its place](crate#when-the-stream-is-full).
    Replaced,
    /// It has watched as long as [allowed](StreamConfig::with_max_duration).
    Duration,
    /// It held the oldest frame when those in flight passed the
    /// [limit](StreamConfig::with_max_inflight_bytes).
    InFlight,
}

/// A viewer whose frames another service sends: from [`StreamService::watch`]. It counts as a
/// viewer, and as demand, for as long as this lives.
///
/// The service asks for one frame at a time. When the one before has arrived, it waits until one is
/// [due](Self::due). When it can send it, it [takes](Self::take) the [newest](Self::newest). What
/// came in between is skipped. While a frame is on its way, [`ended`](Self::ended) tells when the
/// viewer may watch no longer.
///
/// ```
/// use mjpeg_http::{Action, Inquiry, StreamConfig, StreamService, WatchRequest};
/// # use mjpeg_fanout::channel;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (producer, consumer) = channel();
/// # const JPEG: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
/// # ];
/// # producer.publish_now(mjpeg_codec::Frame::parse(JPEG).unwrap());
/// let service = StreamService::new(consumer, StreamConfig::default());
/// let inquiry = Inquiry::new(Action::Stream);
/// let request = WatchRequest::new("mine");
/// let mut watcher = service.watch(inquiry, &request).await.expect("it may");
/// watcher.due().await.expect("the stream runs");
/// let newest = watcher.newest().expect("it is due");
/// let bytes = newest.frame.bytes().clone();
/// let frame = watcher.take(&newest, bytes).expect("it is due");
/// assert_eq!(&frame.form()[..2], b"\xFF\xD8");
/// # }
/// ```
///
/// [`StreamService::watch`]: crate::StreamService::watch
pub struct StreamWatcher {
    feed: Feed,
    consumer: Consumer,
    /// Waits for new frames.
    frames: Consumer,
    has_producer: bool,
    closing: Closing,
    config: watch::Receiver<Arc<StreamConfig>>,
    timer: LazySleep,
    /// What the gate allows.
    most_fps: Option<f64>,
    /// The service counts it as watching.
    _watching: watch::Receiver<()>,
}

/// What a [`StreamWatcher`] needs of its service.
pub(crate) struct WatchedService {
    pub(crate) consumer: Consumer,
    pub(crate) closing: Closing,
    pub(crate) config: watch::Receiver<Arc<StreamConfig>>,
    pub(crate) watching: watch::Receiver<()>,
}

impl StreamWatcher {
    pub(crate) fn new(feed: Feed, service: WatchedService, most_fps: Option<f64>) -> Self {
        Self {
            feed,
            frames: service.consumer.clone(),
            consumer: service.consumer,
            has_producer: true,
            closing: service.closing,
            config: service.config,
            timer: LazySleep::default(),
            most_fps,
            _watching: service.watching,
        }
    }

    /// Sets how many frames per second are wanted at most, from the next frame on.
    pub fn set_fps(&mut self, most: impl Into<Option<f64>>) {
        let asked = positive(most.into());
        let most = asked.into_iter().chain(self.most_fps).reduce(f64::min);
        self.feed.ask_fps(most);
    }

    /// Waits until a frame is due: a new one as soon as the rate allows it, or the last one again
    /// at the pace of the [keepalive](StreamConfig::with_keepalive).
    ///
    /// Call it when the frame before has arrived.
    ///
    /// # Errors
    ///
    /// [`WatchEnd`] when the viewer may watch no longer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no frame is taken.
    pub async fn due(&mut self) -> Result<(), WatchEnd> {
        loop {
            let at = match self.look(Instant::now())? {
                Looked::Due { .. } => return Ok(()),
                Looked::Wait(at) => at,
            };
            let permit = self.feed.permit();
            tokio::select! {
                biased;
                () = self.closing.wait() => return Err(WatchEnd::Closed),
                () = permit.cut() => {}
                () = permit.regranted() => {}
                Ok(()) = self.config.changed() => {}
                frame = self.frames.next() => self.has_producer = frame.is_some(),
                () = self.timer.until(at) => {}
            }
        }
    }

    /// Returns the newest frame, without taking it. Returns `None` if none is due.
    pub fn newest(&mut self) -> Option<Arc<Published>> {
        match self.look(Instant::now()) {
            Ok(Looked::Due { frame, .. }) => Some(frame),
            _ => None,
        }
    }

    /// Takes a frame that was the [newest](Self::newest), to be sent now in this form: the bytes of
    /// the image, or something that was made of it. Returns `None` if none is due any more.
    pub fn take<F: AsRef<[u8]>>(
        &mut self,
        frame: &Arc<Published>,
        form: F,
    ) -> Option<WatchedFrame<F>> {
        let now = Instant::now();
        let Ok(Looked::Due { .. }) = self.look(now) else {
            return None;
        };
        let is_repeat = self.feed.has_sent(frame);
        let is_old = is_repeat || (self.feed.is_new() && self.is_idle(frame, now));
        let sending = self.feed.send(frame, is_repeat, now);
        self.feed.begin(&sending, form.as_ref().len(), now);
        let (viewer, _) = self.feed.permit().shared();
        Some(WatchedFrame {
            frame: Arc::clone(frame),
            form,
            is_repeat: is_old,
            max_send_time: self.feed.config().max_frame_send_time(),
            viewer,
        })
    }

    /// Waits until the viewer may watch no longer, while a frame is being sent or is on its way.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn ended(&mut self) -> WatchEnd {
        loop {
            let now = Instant::now();
            if let Some(end) = end(self.feed.permit()) {
                return end;
            }
            if let Some(end) = self.is_over(now) {
                return end;
            }
            let until = self.feed.until();
            let permit = self.feed.permit();
            tokio::select! {
                biased;
                () = self.closing.wait() => return WatchEnd::Closed,
                () = permit.cut() => {
                    let (viewer, _) = permit.shared();
                    if !viewer.must_end() && viewer.is_sending() {
                        return WatchEnd::InFlight;
                    }
                }
                () = permit.regranted() => {}
                Ok(()) = self.config.changed() => {
                    self.feed.configure(&self.config.borrow_and_update());
                }
                () = self.timer.until(until) => {}
            }
        }
    }

    /// What there is to do now.
    fn look(&mut self, now: Instant) -> Result<Looked, WatchEnd> {
        if let Some(end) = end(self.feed.permit()) {
            return Err(end);
        }
        self.feed.configure(&self.config.borrow_and_update());
        if let Some(end) = self.is_over(now) {
            return Err(end);
        }
        let newest = self.consumer.latest();
        let interval = self.consumer.interval();
        match self.feed.due(newest.as_ref(), interval, now) {
            Due::Frame { frame, is_repeat } if self.has_producer || !is_repeat => {
                let frame = Arc::clone(frame);
                Ok(Looked::Due { frame })
            }
            Due::Wait(at) if self.has_producer => Ok(Looked::Wait(at)),
            _ => Err(WatchEnd::Closed),
        }
    }

    /// Why its time is over, if it is.
    fn is_over(&mut self, now: Instant) -> Option<WatchEnd> {
        let granted_until = self.feed.permit().granted_until();
        let has_expired = granted_until.is_some_and(|at| at <= now);
        self.feed.is_over(now).then_some(match has_expired {
            true => WatchEnd::Expired,
            false => WatchEnd::Duration,
        })
    }

    /// Whether no frame has followed this one for so long that it says little of now.
    fn is_idle(&self, frame: &Published, now: Instant) -> bool {
        let captured = frame.stamp.monotonic();
        let age = now.into_std().saturating_duration_since(captured);
        let usual = self.consumer.interval().unwrap_or_default();
        self.consumer.status() != Status::Online || age > IDLE_AFTER.max(3 * usual)
    }
}

enum Looked {
    Due { frame: Arc<Published> },
    Wait(Option<Instant>),
}

/// Why a viewer has to end whatever frames there are.
fn end(permit: &Permit) -> Option<WatchEnd> {
    let (viewer, _) = permit.shared();
    if viewer.is_replaced() {
        return Some(WatchEnd::Replaced);
    }
    viewer.must_end().then(|| match viewer.is_denied() {
        true => WatchEnd::Denied,
        false => WatchEnd::Kicked,
    })
}

impl fmt::Debug for StreamWatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamWatcher").finish_non_exhaustive()
    }
}

/// A frame to be sent to a viewer. It counts as in flight for as long as this lives: drop it when
/// its last byte is in the kernel.
pub struct WatchedFrame<F> {
    frame: Arc<Published>,
    form: F,
    is_repeat: bool,
    max_send_time: Duration,
    viewer: Arc<ViewerState>,
}

impl<F> WatchedFrame<F> {
    /// What is to be sent.
    pub fn form(&self) -> &F {
        &self.form
    }

    /// The number of the frame in its stream: the one that the first relay of a chain gave it.
    pub fn seq(&self) -> u64 {
        self.frame.id().seq
    }

    /// When it was captured, as `X-Timestamp` of a part says it.
    pub fn captured(&self) -> SystemTime {
        self.frame.stamp.shown()
    }

    /// How old it is at this time.
    pub fn age(&self, now: Instant) -> Duration {
        let captured = self.frame.stamp.monotonic();
        now.into_std().saturating_duration_since(captured)
    }

    /// Whether the viewer had it before, or it is the viewer's first and none has followed it for a
    /// while.
    pub fn is_repeat(&self) -> bool {
        self.is_repeat
    }

    /// Whether it is the placeholder in place of a frame of the camera.
    pub fn is_placeholder(&self) -> bool {
        self.frame.is_placeholder
    }

    /// How long sending it may [take](StreamConfig::with_max_frame_send_time).
    pub fn max_send_time(&self) -> Duration {
        self.max_send_time
    }
}

impl<F> Drop for WatchedFrame<F> {
    fn drop(&mut self) {
        self.viewer.sent_whole();
    }
}

impl<F> fmt::Debug for WatchedFrame<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedFrame")
            .field("frame", &self.frame)
            .field("is_repeat", &self.is_repeat)
            .finish_non_exhaustive()
    }
}

fn positive(fps: Option<f64>) -> Option<f64> {
    fps.filter(|fps| fps.is_finite() && *fps > 0.0)
}

/// A newcomer's first frame that is older than this, and than three intervals, is a repetition.
const IDLE_AFTER: Duration = Duration::from_secs(1);
