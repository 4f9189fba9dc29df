//! Looks at a stream's pictures, as often as it may.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::{
    detect::{
        config::DetectConfig,
        detector::{Detector, LONGEST_PAUSE},
    },
    stream::sink::Sink,
};

/// Looks at the pictures that are published.
#[derive(Debug, Default)]
pub(crate) struct Looker {
    /// `None` if nothing is to be detected.
    detector: Option<Detector>,
    /// When the next picture may be looked at.
    next_at: Option<Instant>,
    /// The last one that was looked at.
    last_seq: u64,
}

impl Looker {
    /// Waits until it is time to look at a picture that the program has published.
    pub(crate) async fn due(&self, sink: &Sink, config: &DetectConfig) {
        if self.detector.is_none() && !config.is_on() {
            pending::<()>().await;
        }
        if let Some(at) = self.next_at {
            sleep_until(at).await;
        }
        sink.fed().await;
    }

    /// Looks at the newest picture, in slices, if it is new and it is time. Records what it shows.
    pub(crate) async fn look(&mut self, sink: &Sink, config: &DetectConfig) {
        let now = Instant::now();
        self.configure(sink, config, now);
        let Some(detector) = &mut self.detector else {
            return;
        };
        if self.next_at.is_some_and(|at| now < at) {
            return;
        }
        let Some(picture) = sink.picture() else {
            return;
        };
        if picture.seq == self.last_seq {
            return;
        }
        self.last_seq = picture.seq;
        match picture.small_picture().await {
            Ok(small) => {
                let luma = small.luma();
                let found = detector.look(luma.width(), luma.samples(), now);
                sink.monitor.detected(found);
            }
            Err(_) => sink.monitor.undetectable(),
        }
        // Most of the time is left for reading and for other streams, whose turns meanwhile count,
        // too: the more there is to do, the fewer looks there are.
        let pause = now.elapsed().saturating_mul(LOOK_SHARE);
        self.next_at = Some(now + pause.clamp(LOOK_INTERVAL, LONGEST_PAUSE));
    }

    /// Takes over a changed configuration.
    fn configure(&mut self, sink: &Sink, config: &DetectConfig, now: Instant) {
        let is_same = match &self.detector {
            Some(detector) => detector.config() == config,
            None => !config.is_on(),
        };
        if is_same {
            return;
        }
        self.detector = config.is_on().then(|| Detector::new(config.clone(), now));
        sink.monitor.detected(Vec::new());
    }
}

/// How far apart the pictures that are looked at are, at least: five a second.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// At most this part of the time is spent with looking, a twentieth, unless the pauses would be too
/// long to detect anything.
const LOOK_SHARE: u32 = 20;
