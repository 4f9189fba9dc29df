//! The figures that cases have bounds for.

use crate::run::Run;
use crate::stats::Spread;

/// A pair of runs: the measured side's and the other side's.
pub(crate) type Pair = (Run, Run);

/// A figure of a case, computed from all its pairs of runs.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    /// Digits after the decimal point.
    pub(crate) digits: usize,
    /// Whether a bound is a minimum rather than a maximum.
    pub(crate) is_minimum: bool,
    pub(crate) of: fn(&[Pair]) -> Spread,
}

/// CPU time per delivered frame, relative to the other side's.
pub(crate) const CPU_RATIO: Figure = figure("CPU per frame, ratio", 2, |pairs| {
    of(pairs, |ours, other| ours.cpu_us() / other.cpu_us())
});

/// The 99th percentile of the frames' ages, relative to the other side's.
pub(crate) const P99_RATIO: Figure = figure("age p99, ratio", 2, |pairs| {
    of(pairs, |ours, other| {
        ours.counts.age_ms.p99 / other.counts.age_ms.p99
    })
});

/// The 99th percentile of the frames' ages.
pub(crate) const P99_MS: Figure = figure("age p99, ms", 1, |pairs| {
    of(pairs, |ours, _| ours.counts.age_ms.p99)
});

/// Frames that arrived, in percent of those expected.
pub(crate) const DELIVERED_PERCENT: Figure = Figure {
    is_minimum: true,
    ..figure("delivered, %", 2, |pairs| {
        of(pairs, |ours, _| ours.delivered_percent())
    })
};

/// Frames that never arrived, summed over all runs.
pub(crate) const MISSED: Figure = figure("frames missed, all runs", 0, |pairs| {
    let missed: u64 = pairs.iter().map(|(ours, _)| ours.counts.missed).sum();
    Spread {
        median: missed as f64,
        quartiles: None,
    }
});

/// Memory per viewer.
pub(crate) const RSS_KIB: Figure = figure("memory per viewer, KiB", 1, |pairs| {
    of(pairs, |ours, _| ours.rss_kib_per_viewer())
});

const fn figure(name: &'static str, digits: usize, of: fn(&[Pair]) -> Spread) -> Figure {
    Figure {
        name,
        digits,
        is_minimum: false,
        of,
    }
}

fn of(pairs: &[Pair], value: fn(&Run, &Run) -> f64) -> Spread {
    Spread::of(pairs.iter().map(|(ours, other)| value(ours, other)))
}
