//! The figures of all streams together.

use std::fmt;

use mjpeg_manager::{HttpOutlet, Manager, ManagerStats};

use super::families::Families;

/// A reading of what is counted over all streams.
#[derive(Debug)]
pub(super) struct RelayReading {
    stats: ManagerStats,
    viewers: usize,
    max_viewers: usize,
    viewers_refused: u64,
    replays: usize,
    max_replays: usize,
    replays_refused: u64,
    scrapes_refused: u64,
}

impl RelayReading {
    pub(super) fn new(manager: &Manager, http: &HttpOutlet, scrapes_refused: u64) -> Self {
        Self {
            stats: manager.stats(),
            viewers: http.total_viewers(),
            max_viewers: http.max_viewers(),
            viewers_refused: http.viewers_refused(),
            replays: http.replays(),
            max_replays: http.max_replays(),
            replays_refused: http.replays_refused(),
            scrapes_refused,
        }
    }

    pub(super) fn encode(&self, families: &mut Families<'_>) -> fmt::Result {
        families.info(
            "mjpeg_build",
            "The program's version.",
            &[("version", env!("CARGO_PKG_VERSION"))],
        )?;
        families.gauges(
            "mjpeg_streams",
            "Streams, including those being started and stopped.",
            [([], self.stats.streams as u64)],
        )?;
        families.counters(
            "mjpeg_streams_refused",
            "Starts refused because there were as many streams as allowed.",
            [([], self.stats.streams_refused)],
        )?;
        families.gauges(
            "mjpeg_viewers",
            "Viewers of all streams.",
            [([], self.viewers as u64)],
        )?;
        families.gauges(
            "mjpeg_viewers_limit",
            "How many viewers all streams may have together.",
            [([], self.max_viewers as u64)],
        )?;
        families.counters(
            "mjpeg_viewers_refused",
            "Viewers refused because all streams together had as many as allowed.",
            [([], self.viewers_refused)],
        )?;
        families.gauges(
            "mjpeg_replays",
            "Replays and clips of all streams that are on their way.",
            [([], self.replays as u64)],
        )?;
        families.gauges(
            "mjpeg_replays_limit",
            "How many replays and clips of all streams may be on their way at once.",
            [([], self.max_replays as u64)],
        )?;
        families.counters(
            "mjpeg_replays_refused",
            "Replays and clips refused because all streams together had as many as allowed.",
            [([], self.replays_refused)],
        )?;
        families.counters(
            "mjpeg_scrapes_refused",
            "Scrapes refused because four answers were on their way.",
            [([], self.scrapes_refused)],
        )
    }
}
