//! Sees to the placeholder: that it is ready, and shown when there is no frame to show.

use std::{
    future::pending,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp};
use mjpeg_fanout::{Consumer, Producer};
use tokio::{task::JoinHandle, time::Instant};

use crate::{Placeholder, State, StreamSpec, seen::Seen};

/// What there is to know about a stream at one moment.
#[derive(Debug)]
pub(crate) struct Scene {
    state: State,
    since: SystemTime,
    size: Option<(u16, u16)>,
}

impl Scene {
    pub(crate) fn of(seen: &Seen) -> Self {
        Self {
            state: seen.state.clone(),
            since: seen.since,
            size: seen.size,
        }
    }
}

/// The placeholder of one stream.
#[derive(Debug)]
pub(crate) struct StandIn {
    #[cfg_attr(
        not(feature = "placeholder"),
        allow(dead_code, reason = "it is what is drawn")
    )]
    name: String,
    placeholder: Placeholder,
    after: Duration,
    consumer: Consumer,
    /// Since when frames have been wanted.
    wanted_since: Option<Instant>,
    /// What the last drawing said, and when that was found to be so.
    said: Option<(Saying, Instant)>,
    is_drawn: bool,
    drawing: Option<JoinHandle<Option<Bytes>>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Saying {
    text: String,
    since: SystemTime,
    size: (u16, u16),
}

impl StandIn {
    pub(crate) fn new(spec: &StreamSpec, consumer: Consumer, producer: &Producer) -> Self {
        if let Placeholder::Picture(frame) = &spec.placeholder {
            let now = Instant::now().into_std();
            producer.set_placeholder(frame.clone(), Stamp::new(SystemTime::now(), now));
        }
        Self {
            name: spec.name.to_string(),
            placeholder: spec.placeholder.clone(),
            after: spec.placeholder_after,
            consumer,
            wanted_since: None,
            said: None,
            is_drawn: false,
            drawing: None,
        }
    }

    /// Does what is due, and tells when to ask again at the latest.
    pub(crate) fn tend(
        &mut self,
        scene: &Scene,
        producer: &Producer,
        now: Instant,
    ) -> Option<Instant> {
        if matches!(self.placeholder, Placeholder::None) {
            return None;
        }
        if self.consumer.viewers() == 0 {
            self.wanted_since = None;
        } else {
            self.wanted_since.get_or_insert(now);
        }
        let shown = self.consumer.latest();
        let is_wanting = shown.as_ref().is_none_or(|shown| shown.is_placeholder);
        let is_online = scene.state == State::Online;
        if is_online && let Some(shown) = shown.as_ref().filter(|_| !is_wanting) {
            // Connected, and yet nothing comes that can be shown: all of it damaged, say. Before the second frame there is no rhythm to go by.
            let interval = self.consumer.interval()?;
            let late = self.after.max(interval.saturating_mul(LATE_INTERVALS));
            let late_at = Instant::from_std(shown.stamp.monotonic()).checked_add(late)?;
            if late_at > now {
                return Some(late_at);
            }
        }
        let draws_at = self.draw(scene, is_online, now);
        // Once shown, it is kept true by being drawn anew.
        let shows_at = match shown {
            None => self.wanted_since.map(|since| since + PATIENCE),
            Some(shown) if !shown.is_placeholder => {
                Some(Instant::from_std(shown.stamp.monotonic()) + self.after)
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

    /// Begins to draw what is to be said, if that is not drawn yet and has been so for a moment; gives when that is, if it lies ahead.
    fn draw(&mut self, scene: &Scene, is_online: bool, now: Instant) -> Option<Instant> {
        if matches!(self.placeholder, Placeholder::Picture(_)) {
            return None;
        }
        let text = if is_online {
            "waiting for a picture".into()
        } else {
            scene.state.to_string()
        };
        let saying = Saying {
            text,
            since: scene.since,
            size: scene.size.unwrap_or(SIZE),
        };
        let found_at = match &self.said {
            Some((said, at)) if *said == saying => *at,
            _ => {
                self.said = Some((saying.clone(), now));
                self.is_drawn = false;
                now
            }
        };
        // One drawing at a time; the end of one is a reason to ask again.
        if self.is_drawn || self.drawing.is_some() {
            return None;
        }
        // Most of what comes and goes so fast is nothing to talk about.
        let at = found_at + SETTLED;
        if at > now {
            return Some(at);
        }
        self.is_drawn = true;
        self.drawing = self.begin(saying);
        None
    }

    #[cfg(feature = "placeholder")]
    fn begin(&self, saying: Saying) -> Option<JoinHandle<Option<Bytes>>> {
        let name = self.name.clone();
        // It takes milliseconds, which would hold up whatever else runs on this thread.
        Some(tokio::task::spawn_blocking(move || {
            let Saying { text, since, size } = saying;
            let side = |pixels: u16| {
                let (least, most) = (
                    mjpeg_picture::TestPicture::MIN_SIDE,
                    mjpeg_picture::TestPicture::MAX_SIDE,
                );
                pixels.clamp(least, most)
            };
            mjpeg_picture::notice(&name, &text, since, side(size.0), side(size.1)).ok()
        }))
    }

    #[cfg(not(feature = "placeholder"))]
    fn begin(&self, _: Saying) -> Option<JoinHandle<Option<Bytes>>> {
        None
    }

    /// Waits until a drawing is done, and keeps it ready; for ever if there is none.
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
            let now = Instant::now().into_std();
            producer.set_placeholder(frame, Stamp::new(SystemTime::now(), now));
        }
    }
}

/// After how many intervals without a frame to show a stream is taken for one without frames, though its camera is connected.
const LATE_INTERVALS: u32 = 10;

/// How long a viewer waits for a first frame before it is shown the placeholder.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a stream must have been in a state before that is drawn. With the drawing itself, less than a snapshot waits.
const SETTLED: Duration = Duration::from_millis(250);

/// Before the first frame, whose size is then that of the stream.
const SIZE: (u16, u16) = (640, 480);
