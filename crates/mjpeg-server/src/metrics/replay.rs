//! The figures of the past pictures that streams keep.

use std::fmt;

use mjpeg_manager::ReplayInfo;

use super::{families::Families, stream::StreamReading};

/// Streams that keep none have no samples.
pub(super) fn encode(streams: &[StreamReading], families: &mut Families<'_>) -> fmt::Result {
    let kept = || {
        let streams = streams.iter();
        streams.filter_map(|one| Some((one.labels(), one.replay()?)))
    };
    families.gauges(
        "mjpeg_stream_replay_span_seconds",
        "The age of the oldest picture that is kept.",
        kept().map(|(labels, info)| (labels, info.span.unwrap_or_default().as_secs_f64())),
    )?;
    for (name, help, read) in GAUGES {
        families.gauges(
            name,
            help,
            kept().map(|(labels, info)| (labels, read(info))),
        )?;
    }
    for (name, help, read) in COUNTERS {
        families.counters(
            name,
            help,
            kept().map(|(labels, info)| (labels, read(info))),
        )?;
    }
    Ok(())
}

type FigureOf = (&'static str, &'static str, fn(&ReplayInfo) -> u64);

const GAUGES: [FigureOf; 2] = [
    (
        "mjpeg_stream_replay_frames",
        "Past pictures that are kept.",
        |info| info.frames as u64,
    ),
    (
        "mjpeg_stream_replay_memory_bytes",
        "Memory that past pictures take.",
        |info| info.bytes as u64,
    ),
];

const COUNTERS: [FigureOf; 3] = [
    (
        "mjpeg_stream_replay_recorded",
        "Pictures that were kept for replay.",
        |info| info.recorded,
    ),
    (
        "mjpeg_stream_replay_lost",
        "Pictures that were not kept, because the relay was too busy or had no memory for them.",
        |info| info.lost,
    ),
    (
        "mjpeg_stream_replay_evicted",
        "Past pictures that were dropped before their time, because of a limit on memory.",
        |info| info.evicted,
    ),
];
