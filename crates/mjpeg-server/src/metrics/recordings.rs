//! The figures of clips and time-lapses that are kept on the disk.

use std::fmt;

use mjpeg_timelapse::TimelapseRefusal;

use super::families::Families;
use crate::recordings::figures::RecordingFigures;

/// Writes the figures of clips, and those of time-lapses.
pub(super) fn encode(figures: &[RecordingFigures; 2], families: &mut Families<'_>) -> fmt::Result {
    let stores = || STORES.into_iter().zip(figures);
    for (name, help, read) in GAUGES {
        let samples = stores().map(|(store, figures)| ([("store", store)], read(figures)));
        families.gauges(name, help, samples)?;
    }
    families.counters(
        "mjpeg_recordings_frames_kept",
        "Pictures of clips and time-lapses that were kept on the disk.",
        stores().map(|(store, figures)| {
            let kept = figures.store.map_or(0, |store| store.kept);
            ([("store", store)], kept)
        }),
    )?;
    let refused = stores().flat_map(|(store, figures)| {
        TimelapseRefusal::ALL.map(|reason| {
            let count = figures.store.map_or(0, |store| store.refused(reason));
            ([("store", store), ("reason", reason.name())], count)
        })
    });
    families.counters(
        "mjpeg_recordings_frames_refused",
        "Pictures of clips and time-lapses that were not kept.",
        refused,
    )?;
    let missed = figures.iter().map(|figures| figures.missed).sum::<u64>();
    families.counters(
        "mjpeg_recordings_frames_missed",
        "Pictures of time-lapses that the camera did not send in time.",
        [([], missed)],
    )
}

const STORES: [&str; 2] = ["clips", "timelapses"];

type RecordingFigureOf = (&'static str, &'static str, fn(&RecordingFigures) -> u64);

const GAUGES: [RecordingFigureOf; 4] = [
    (
        "mjpeg_recordings",
        "Clips and time-lapses on the disk, damaged ones included.",
        |figures| figures.held,
    ),
    (
        "mjpeg_recordings_running",
        "Clips and time-lapses that are running.",
        |figures| figures.running,
    ),
    (
        "mjpeg_recordings_bytes",
        "What clips and time-lapses take on the disk.",
        |figures| figures.store.map_or(0, |store| store.used_bytes),
    ),
    (
        "mjpeg_recordings_limit_bytes",
        "What clips and time-lapses may take on the disk.",
        |figures| figures.quota_bytes,
    ),
];
