//! The figures of the clips that streams keep by themselves.

use std::fmt;

use super::families::Families;
use crate::recordings::by_event::counters::EventClipStats;

type ReadClipStat = fn(&EventClipStats) -> u64;

/// Streams that keep none have no samples.
pub(super) fn encode(
    (streams, deleted): &(Vec<(String, EventClipStats)>, u64),
    families: &mut Families<'_>,
) -> fmt::Result {
    if streams.is_empty() {
        return Ok(());
    }
    let counters: [(&str, &str, ReadClipStat); 2] = [
        (
            "mjpeg_stream_event_clips",
            "Clips that the stream has kept by itself.",
            |stats| stats.kept,
        ),
        (
            "mjpeg_stream_event_clips_failed",
            "Clips by event of which nothing or only a part was kept.",
            |stats| stats.failed,
        ),
    ];
    for (name, help, read) in counters {
        let samples = streams.iter();
        let samples = samples.map(|(name, stats)| ([("stream", name.as_str())], read(stats)));
        families.counters(name, help, samples)?;
    }
    families.counters(
        "mjpeg_event_clips_deleted",
        "Clips by event that were deleted to make room for others.",
        [([], *deleted)],
    )
}
