//! Keeps the placeholder ready, and shows it when there is no frame.

use std::{
    future::pending,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    spec::{Placeholder, StreamSpec},
    state::StreamState,
    status::record::Record,
};

/// What the placeholder depends on, at one moment.
#[derive(Debug)]
pub(crate) struct Scene {
    state: StreamState,
    since: SystemTime,
    size: Option<(u16, u16)>,
}

impl Scene {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            state: record.state.clone(),
            since: record.since,
            size: record.size,
        }
    }
}

/// Decides when a stream's placeholder is drawn and shown.
#[derive(Debug)]
pub(crate) struct PlaceholderControl {
    consumer: Consumer,
    /// Since when frames have been wanted.
    wanted_since: Option<Instant>,
    /// What the placeholder has to say, and since when that has been so.
    notice: Option<(PlaceholderText, Instant)>,
    /// Whether that is drawn, or being drawn.
    is_drawn: bool,
    drawing: Option<JoinHandle<Option<Bytes>>>,
}

/// What a drawn placeholder says.
#[derive(Clone, Debug, PartialEq)]
struct PlaceholderText {
    text: String,
    since: SystemTime,
    size: (u16, u16),
}

impl PlaceholderControl {
    pub(crate) fn new(spec: &StreamSpec, consumer: Consumer, producer: &Producer) -> Self {
        if let Placeholder::Picture(frame) = spec.placeholder() {
            set(frame.clone(), producer);
        }
        Self {
            consumer,
            wanted_since: None,
            notice: None,
            is_drawn: false,
            drawing: None,
        }
    }

    /// Takes over the placeholder of a new spec. If the old one is shown, the new one replaces it
    /// as soon as it is ready.
    pub(crate) fn configure(&mut self, spec: &StreamSpec, old: &StreamSpec, producer: &Producer) {
        if spec.placeholder() == old.placeholder() {
            return;
        }
        self.notice = None;
        self.is_drawn = false;
        self.drawing = None;
        match spec.placeholder() {
            Placeholder::Picture(frame) => set(frame.clone(), producer),
            Placeholder::None => producer.clear_placeholder(),
            #[cfg(feature = "placeholder")]
            Placeholder::Drawn => {}
        }
    }

    /// Draws and shows what is due. Returns when to call it again at the latest.
    pub(crate) fn tend(
        &mut self,
        scene: &Scene,
        spec: &StreamSpec,
        producer: &Producer,
        now: Instant,
    ) -> Option<Instant> {
        if matches!(spec.placeholder(), Placeholder::None) {
            return None;
        }
        if self.consumer.viewers() == 0 {
            self.wanted_since = None;
        } else {
            self.wanted_since.get_or_insert(now);
        }
        let shown = self.consumer.latest();
        let is_online = scene.state == StreamState::Online;
        let after = spec.placeholder_after();
        if is_online && let Some(shown) = shown.as_ref().filter(|shown| !shown.is_placeholder) {
            // Connected, but perhaps nothing comes that can be shown, such as damaged frames only.
            // Before the second frame the usual interval is not known.
            let interval = self.consumer.interval()?;
            let late = after.max(interval.saturating_mul(LATE_INTERVALS));
            let late_at = Instant::from_std(shown.stamp.monotonic()).checked_add(late)?;
            if late_at > now {
                return Some(late_at);
            }
        }
        let draws_at = self.draw(scene, spec, is_online, now);
        // One that is shown already is kept up to date by drawing it again.
        let shows_at = match shown {
            None => self.wanted_since.map(|since| since + PATIENCE),
            Some(shown) if !shown.is_placeholder => {
                Some(Instant::from_std(shown.stamp.monotonic()) + after)
            }
            Some(_) => None,
        };
        let shows_at = shows_at.filter(|_| self.consumer.placeholder().is_some());
        if shows_at.is_some_and(|at| at <= now) {
            producer.show_placeholder();
            return draws_at;
        }
        shows_at.into_iter().chain(draws_at).min()
    }

    /// Begins to draw the notice if it is not drawn yet and has been the same for a moment. Returns
    /// when that will be so.
    fn draw(
        &mut self,
        scene: &Scene,
        spec: &StreamSpec,
        is_online: bool,
        now: Instant,
    ) -> Option<Instant> {
        if matches!(spec.placeholder(), Placeholder::Picture(_)) {
            return None;
        }
        let text = if is_online {
            "waiting for a picture".into()
        } else {
            scene.state.to_string()
        };
        let notice = PlaceholderText {
            text,
            since: scene.since,
            size: scene.size.unwrap_or(SIZE),
        };
        let same_since = match &self.notice {
            Some((before, at)) if *before == notice => *at,
            _ => {
                self.notice = Some((notice.clone(), now));
                self.is_drawn = false;
                now
            }
        };
        // One drawing at a time; this is called again when it is done.
        if self.is_drawn || self.drawing.is_some() {
            return None;
        }
        // A state that lasts for a moment only is not worth a picture.
        let at = same_since + SETTLED;
        if at > now {
            return Some(at);
        }
        self.is_drawn = true;
        self.drawing = begin_drawing(spec, notice);
        None
    }

    /// Waits until a drawing is done and makes it the placeholder. Waits forever if nothing is
    /// being drawn.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the drawing goes on.
    pub(crate) async fn drawn(&mut self, producer: &Producer) {
        let Some(drawing) = &mut self.drawing else {
            return pending().await;
        };
        let drawn = drawing.await;
        self.drawing = None;
        let frame = drawn
            .ok()
            .flatten()
            .and_then(|jpeg| Frame::parse(jpeg).ok());
        if let Some(frame) = frame {
            set(frame, producer);
        }
    }
}

/// Makes the picture the placeholder, dated now.
fn set(picture: Frame, producer: &Producer) {
    let now = Instant::now().into_std();
    producer.set_placeholder(picture, Stamp::new(SystemTime::now(), now));
}

#[cfg(feature = "placeholder")]
fn begin_drawing(spec: &StreamSpec, notice: PlaceholderText) -> Option<JoinHandle<Option<Bytes>>> {
    use mjpeg_picture::TestPicture;

    let name = spec.name().to_string();
    let side = |pixels: u16| pixels.clamp(TestPicture::MIN_SIDE, TestPicture::MAX_SIDE);
    // It takes milliseconds, for which it would block everything else on this thread.
    Some(tokio::task::spawn_blocking(move || {
        let PlaceholderText { text, since, size } = notice;
        let drawing = mjpeg_picture::Notice::new(name)
            .with_text(text)
            .with_since(since);
        let drawing = drawing.with_size(side(size.0), side(size.1)).ok()?;
        Some(drawing.render())
    }))
}

#[cfg(not(feature = "placeholder"))]
fn begin_drawing(_: &StreamSpec, _: PlaceholderText) -> Option<JoinHandle<Option<Bytes>>> {
    None
}

/// After how many usual intervals without a frame to show the placeholder replaces the frame of a
/// connected camera.
const LATE_INTERVALS: u32 = 10;

/// How long a viewer waits for a first frame before it is shown the placeholder.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a stream must have been in a state before that is drawn. Together with the drawing it
/// is shorter than the wait of a snapshot.
const SETTLED: Duration = Duration::from_millis(250);

/// The size before the first frame.
const SIZE: (u16, u16) = (640, 480);
