//! The figures of each stream.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use mjpeg_manager::{
    Detection, HttpOutlet, Manager, ReplayInfo, StreamInfo, StreamState,
    mjpeg_fanout::HistogramReading,
    mjpeg_http::{ListenerStats, StreamStats},
};

use super::families::{Families, Label};

/// A reading of one stream.
#[derive(Debug)]
pub(super) struct StreamReading {
    info: StreamInfo,
    intervals: HistogramReading,
    last_frame: Option<SystemTime>,
    /// `None` if it is not served over HTTP.
    served: Option<StreamStats>,
    /// Its own port.
    pub(super) port: Option<ListenerStats>,
}

impl StreamReading {
    /// Reads all streams, by name.
    pub(super) fn all(manager: &Manager, http: &HttpOutlet) -> Vec<Self> {
        let read = |info: StreamInfo| {
            let name = info.name.as_str();
            // An error means that it has been stopped since.
            let consumer = manager.observe(name).ok()?;
            Some(Self {
                intervals: consumer.intervals(),
                last_frame: consumer.picture().map(|frame| frame.stamp.received()),
                served: http.stats(name),
                port: http.listener_stats(name),
                info,
            })
        };
        manager.list().into_iter().filter_map(read).collect()
    }

    pub(super) fn name(&self) -> &str {
        self.info.name.as_str()
    }

    /// What it keeps of its past.
    pub(super) fn replay(&self) -> Option<&ReplayInfo> {
        self.info.replay.as_ref()
    }

    pub(super) fn labels(&self) -> [Label<'_>; 1] {
        [("stream", self.name())]
    }

    fn labels_with(&self, reason: &'static str) -> [Label<'_>; 2] {
        [("stream", self.name()), ("reason", reason)]
    }

    /// Whether its camera is not meant to be connected now.
    fn is_resting(&self) -> bool {
        matches!(
            self.info.state,
            StreamState::Idle | StreamState::Paused | StreamState::Ended
        )
    }

    /// When its last frame was received, in seconds since 1970.
    fn last_frame_seconds(&self) -> Option<f64> {
        let since = self.last_frame?.duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs_f64())
    }
}

pub(super) fn encode(streams: &[StreamReading], families: &mut Families<'_>) -> fmt::Result {
    camera(streams, families)?;
    viewers(streams, families)
}

/// What comes in.
fn camera(streams: &[StreamReading], families: &mut Families<'_>) -> fmt::Result {
    for (name, help, read) in STATES {
        let samples = streams
            .iter()
            .map(|one| (one.labels(), u64::from(read(one))));
        families.gauges(name, help, samples)?;
    }
    families.gauges(
        "mjpeg_stream_last_frame_timestamp_seconds",
        "When the last frame was received, in seconds since 1970.",
        streams
            .iter()
            .filter_map(|one| Some((one.labels(), one.last_frame_seconds()?))),
    )?;
    for (name, help, read) in COUNTERS {
        let samples = streams.iter().map(|one| (one.labels(), read(&one.info)));
        families.counters(name, help, samples)?;
    }
    let discarded = || {
        streams.iter().flat_map(|one| {
            let discarded = one.info.discarded.iter();
            discarded.map(|(reason, total)| (one.labels_with(reason), total))
        })
    };
    families.counters(
        "mjpeg_stream_discarded",
        "Frames, or pieces of garbage, that were not published, by reason.",
        discarded().map(|(labels, total)| (labels, total.count)),
    )?;
    families.counters(
        "mjpeg_stream_discarded_bytes",
        "Bytes that were not published, by reason; framing is no loss.",
        discarded().map(|(labels, total)| (labels, total.bytes)),
    )?;
    detections(streams, families)?;
    let repaired = streams.iter().flat_map(|one| {
        let repaired = one.info.repaired.iter();
        repaired.map(|(repair, count)| (one.labels_with(repair), *count))
    });
    families.counters(
        "mjpeg_stream_repaired_frames",
        "Frames that were repaired before they were published, by what was repaired.",
        repaired,
    )?;
    let failures = streams.iter().flat_map(|one| {
        let failures = one.info.failures.iter();
        failures.map(|(reason, count)| (one.labels_with(reason), *count))
    });
    families.counters(
        "mjpeg_stream_failures",
        "Failures to connect to the camera or to read it, by reason: the limit that was reached, or \
         what went wrong.",
        failures,
    )?;
    families.histograms(
        "mjpeg_stream_frame_interval_seconds",
        "The time between a frame and the one before it.",
        streams.iter().map(|one| (one.labels(), one.intervals)),
    )
}

/// What the pictures show.
fn detections(streams: &[StreamReading], families: &mut Families<'_>) -> fmt::Result {
    let detected = streams.iter().flat_map(|one| {
        let shows = |kind| u64::from(one.info.detected.contains(kind));
        let kinds = Detection::ALL.iter();
        kinds.map(move |kind| (one.labels_with(kind.as_str()), shows(kind)))
    });
    families.gauges(
        "mjpeg_stream_detected",
        "1 if the pictures show this now, else 0.",
        detected,
    )?;
    let detections = streams.iter().flat_map(|one| {
        let detections = one.info.detections.iter();
        detections.map(|(kind, count)| (one.labels_with(kind), *count))
    });
    families.counters(
        "mjpeg_stream_detections",
        "How often the pictures began to show this.",
        detections,
    )
}

/// What goes out over HTTP.
fn viewers(streams: &[StreamReading], families: &mut Families<'_>) -> fmt::Result {
    let served = || {
        let served = streams.iter();
        served.filter_map(|one| Some((one, one.served.as_ref()?)))
    };
    families.gauges(
        "mjpeg_stream_viewers",
        "Viewers now.",
        served().map(|(one, stats)| (one.labels(), stats.viewers)),
    )?;
    for (name, help, read) in SENT {
        let samples = served().map(|(one, stats)| (one.labels(), read(stats)));
        families.counters(name, help, samples)?;
    }
    for (name, help, reasons) in BY_REASON {
        let samples = served().flat_map(|(one, stats)| {
            let reasons = reasons.iter();
            reasons.map(|(reason, read)| (one.labels_with(reason), read(stats)))
        });
        families.counters(name, help, samples)?;
    }
    families.histograms(
        "mjpeg_stream_frame_age_seconds",
        "The age of a frame when sending it to a viewer began, without repeats and placeholders.",
        served().map(|(one, stats)| (one.labels(), stats.ages)),
    )
}

type StateOf = (&'static str, &'static str, fn(&StreamReading) -> bool);
type CounterOf<T> = (&'static str, &'static str, fn(&T) -> u64);
type ReasonOf<T> = (&'static str, fn(&T) -> u64);
type ByReasonOf<T> = (&'static str, &'static str, &'static [ReasonOf<T>]);

const STATES: [StateOf; 3] = [
    (
        "mjpeg_stream_up",
        "1 if pictures come from the camera, else 0.",
        |stream| stream.info.state == StreamState::Online,
    ),
    (
        "mjpeg_stream_resting",
        "1 if the camera is not meant to be connected now: nobody watches a stream on demand, the \
         stream is paused, or its source has ended.",
        StreamReading::is_resting,
    ),
    (
        "mjpeg_stream_frozen",
        "1 if the camera has been sending the same frame again and again, else 0.",
        |stream| stream.info.frozen_since.is_some(),
    ),
];

const COUNTERS: [CounterOf<StreamInfo>; 6] = [
    ("mjpeg_stream_frames", "Frames published.", |info| {
        info.frames
    }),
    (
        "mjpeg_stream_frame_bytes",
        "Bytes of the frames published.",
        |info| info.bytes,
    ),
    (
        "mjpeg_stream_received_bytes",
        "Bytes received from the camera, published or not.",
        |info| info.received_bytes,
    ),
    (
        "mjpeg_stream_reconnects",
        "Connections to the camera after the first.",
        |info| info.reconnects,
    ),
    (
        "mjpeg_stream_undetectable",
        "Pictures in which nothing could be detected because of their coding.",
        |info| info.undetectable,
    ),
    (
        "mjpeg_stream_panics",
        "Panics while reading the camera; each is a defect of the program.",
        |info| info.panics,
    ),
];

const SENT: [CounterOf<StreamStats>; 9] = [
    (
        "mjpeg_stream_frames_sent",
        "Frames sent to viewers, repeats included.",
        |stats| stats.parts,
    ),
    (
        "mjpeg_stream_frames_repeated",
        "Frames sent to viewers again because no new one came.",
        |stats| stats.keepalives,
    ),
    (
        "mjpeg_stream_frames_skipped",
        "Frames that viewers skipped because they came faster than they were taken.",
        |stats| stats.skipped,
    ),
    (
        "mjpeg_stream_sent_bytes",
        "Bytes of the frames sent to viewers, with their heads; snapshots do not count.",
        |stats| stats.sent_bytes,
    ),
    (
        "mjpeg_stream_snapshots",
        "Requests for snapshots.",
        |stats| stats.snapshots,
    ),
    (
        "mjpeg_stream_snapshots_not_modified",
        "Snapshots answered 304 because the client had the picture.",
        |stats| stats.snapshots_not_modified,
    ),
    (
        "mjpeg_stream_snapshots_unavailable",
        "Snapshots answered 503 because no picture came in time.",
        |stats| stats.snapshots_unavailable,
    ),
    ("mjpeg_stream_clips", "Clips sent.", |stats| stats.clips),
    (
        "mjpeg_stream_gate_timeouts",
        "Decisions about requests that took too long; they are refused.",
        |stats| stats.gate_timeouts,
    ),
];

const BY_REASON: [ByReasonOf<StreamStats>; 2] = [
    (
        "mjpeg_stream_refused",
        "Requests refused, by reason.",
        &[
            ("stream_full", |stats| stats.viewers_refused_stream),
            ("relay_full", |stats| stats.viewers_refused_total),
            ("address_full", |stats| stats.viewers_refused_address),
            ("snapshots_full", |stats| stats.snapshots_refused),
            ("snapshots_relay_full", |stats| {
                stats.snapshots_refused_total
            }),
            ("replays_full", |stats| stats.replays_refused),
            ("kicked", |stats| stats.viewers_refused_kicked),
            ("denied", |stats| stats.denied),
            ("loop", |stats| stats.loops),
        ],
    ),
    (
        "mjpeg_stream_viewers_cut",
        "Responses ended before the viewer ended them, by reason.",
        &[
            ("write_stall", |stats| stats.write_stalls),
            ("send_timeout", |stats| stats.send_timeouts),
            ("lag", |stats| stats.lag_cuts),
            ("in_flight", |stats| stats.in_flight_cuts),
            ("input", |stats| stats.viewer_input_cuts),
            ("duration", |stats| stats.duration_ends),
            ("replaced", |stats| stats.viewers_replaced),
            ("kicked", |stats| stats.kicked),
        ],
    ),
];
