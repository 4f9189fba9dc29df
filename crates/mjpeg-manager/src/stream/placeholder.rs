//! Keeps the placeholder ready, and shows it when there is no frame.

#[cfg(feature = "placeholder")]
mod date;
#[cfg(feature = "placeholder")]
mod drawing;
#[cfg(feature = "placeholder")]
mod shape;

use std::{
    future::pending,
    pin::Pin,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer};
use tokio::time::Instant;

#[cfg(feature = "placeholder")]
use self::shape::Shape;
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
}

impl Scene {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            state: record.state.clone(),
            since: record.since,
        }
    }
}

/// Decides when a stream's placeholder is drawn and shown.
pub(crate) struct PlaceholderControl {
    consumer: Consumer,
    /// Since when frames have been wanted.
    wanted_since: Option<Instant>,
    /// What the placeholder has to say, and since when that has been so.
    notice: Option<(PlaceholderText, Instant)>,
    /// Whether that is drawn, or being drawn.
    is_drawn: bool,
    /// When the last drawing began.
    drawn_at: Option<Instant>,
    #[cfg(feature = "placeholder")]
    shape: Shape,
    /// One at a time; goes on only while it is waited for.
    work: Option<Pin<Box<dyn Future<Output = Done> + Send>>>,
}

/// What a drawn placeholder says.
#[derive(Clone, Debug, PartialEq)]
struct PlaceholderText {
    text: String,
    since: SystemTime,
    size: (u16, u16),
}

/// What was done in a thread for such work.
enum Done {
    /// A picture was drawn, unless that has failed.
    #[cfg_attr(
        not(feature = "placeholder"),
        expect(dead_code, reason = "nothing is drawn without the feature")
    )]
    Drawn(Option<Bytes>),
    /// A frame of the camera was looked at, whether it is whole.
    #[cfg(feature = "placeholder")]
    Checked { is_whole: bool },
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
            drawn_at: None,
            #[cfg(feature = "placeholder")]
            shape: Shape::default(),
            work: None,
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
        self.drawn_at = None;
        self.work = None;
        match spec.placeholder() {
            Placeholder::Picture(frame) => set(frame.clone(), producer),
            Placeholder::None => producer.clear_placeholder(),
            #[cfg(feature = "placeholder")]
            Placeholder::Drawn => self.shape.forget_check(),
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
        self.check_shape(spec, now);
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

    /// Begins to draw the notice if somebody wants to see something, it is not drawn yet and has
    /// been the same for a moment. Returns when that will be so.
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
            // Strangers see it.
            scene.state.public()
        };
        let notice = PlaceholderText {
            text,
            since: scene.since,
            size: self.size(spec),
        };
        let same_since = match &self.notice {
            Some((before, at)) if *before == notice => *at,
            _ => {
                self.notice = Some((notice.clone(), now));
                self.is_drawn = false;
                now
            }
        };
        // One work at a time; this is called again when it is done, and when a viewer comes.
        if self.is_drawn || self.work.is_some() || self.wanted_since.is_none() {
            return None;
        }
        // A state that lasts for a moment only is not worth a picture.
        let rested_at = self.drawn_at.map(|at| at + BETWEEN_DRAWINGS);
        let at = rested_at
            .into_iter()
            .fold(same_since + SETTLED, Instant::max);
        if at > now {
            return Some(at);
        }
        self.is_drawn = true;
        self.drawn_at = Some(now);
        self.begin_drawing(spec, notice);
        None
    }

    /// Waits until the work in hand is done, and makes a drawing the placeholder. Waits forever if
    /// there is none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the work is kept.
    pub(crate) async fn worked(&mut self, producer: &Producer) {
        let Some(work) = &mut self.work else {
            return pending().await;
        };
        let done = work.await;
        self.work = None;
        match done {
            Done::Drawn(drawn) => {
                if let Some(frame) = drawn.and_then(|jpeg| Frame::parse(jpeg).ok()) {
                    set(frame, producer);
                }
            }
            #[cfg(feature = "placeholder")]
            Done::Checked { is_whole } => self.shape.checked(is_whole),
        }
    }
}

#[cfg(feature = "placeholder")]
impl PlaceholderControl {
    /// Looks whether the camera's newest frame is whole, if it has a size of its own.
    fn check_shape(&mut self, spec: &StreamSpec, now: Instant) {
        if *spec.placeholder() != Placeholder::Drawn || self.work.is_some() {
            return;
        }
        let Some(picture) = self.consumer.picture() else {
            return;
        };
        if self.shape.is_to_be_checked(&picture.frame, now) {
            let checking = drawing::is_whole(picture.frame.clone());
            self.work = Some(Box::pin(async {
                let is_whole = checking.await;
                Done::Checked { is_whole }
            }));
        }
    }

    /// The size to draw in: that in which viewers show the camera's pictures.
    fn size(&self, spec: &StreamSpec) -> (u16, u16) {
        let (width, height) = self.shape.size();
        match spec.repair().orientation().swaps_sides() {
            true => (height, width),
            false => (width, height),
        }
    }

    fn begin_drawing(&mut self, spec: &StreamSpec, notice: PlaceholderText) {
        let name = spec.name().to_string();
        let PlaceholderText { text, since, size } = notice;
        let drawing = drawing::draw(name, text, since, size);
        self.work = Some(Box::pin(async { Done::Drawn(drawing.await) }));
    }
}

#[cfg(not(feature = "placeholder"))]
impl PlaceholderControl {
    fn check_shape(&mut self, _: &StreamSpec, _: Instant) {}

    fn size(&self, _: &StreamSpec) -> (u16, u16) {
        (0, 0)
    }

    fn begin_drawing(&mut self, _: &StreamSpec, _: PlaceholderText) {}
}

/// Makes the picture the placeholder, dated now.
fn set(picture: Frame, producer: &Producer) {
    let now = Instant::now().into_std();
    producer.set_placeholder(picture, Stamp::new(SystemTime::now(), now));
}

/// After how many usual intervals without a frame to show the placeholder replaces the frame of a
/// connected camera.
const LATE_INTERVALS: u32 = 10;

/// How long a viewer waits for a first frame before it is shown the placeholder.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a stream must have been in a state before that is drawn. Together with the drawing it
/// is shorter than the wait of a snapshot.
const SETTLED: Duration = Duration::from_millis(250);

/// The least time from one drawing of a stream to its next.
const BETWEEN_DRAWINGS: Duration = Duration::from_secs(1);
