//! Figures and their limits.

use crate::rig::tally::Tally;

/// A figure of a case, and what it may be at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// The samples' name.
    pub(crate) of: &'static str,
    pub(crate) figure: Figure,
    pub(crate) unit: Unit,
    /// `None`: it is only shown.
    pub(crate) at_most: Option<f64>,
}

/// Which figure of all samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Figure {
    /// The value that this share of the samples, in percent, does not exceed.
    Percentile(u32),
    Greatest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    Count,
    Ratio,
    Bytes,
}

impl Limit {
    const fn new(of: &'static str, figure: Figure, unit: Unit, at_most: f64) -> Self {
        Self {
            of,
            figure,
            unit,
            at_most: Some(at_most),
        }
    }

    /// The median, in seconds.
    pub(crate) const fn p50(of: &'static str, at_most: f64) -> Self {
        Self::new(of, Figure::Percentile(50), Unit::Seconds, at_most)
    }

    /// The 99th percentile, in seconds.
    pub(crate) const fn p99(of: &'static str, at_most: f64) -> Self {
        Self::new(of, Figure::Percentile(99), Unit::Seconds, at_most)
    }

    /// The greatest, in seconds.
    pub(crate) const fn most(of: &'static str, at_most: f64) -> Self {
        Self::new(of, Figure::Greatest, Unit::Seconds, at_most)
    }

    pub(crate) const fn count(of: &'static str, at_most: f64) -> Self {
        Self::new(of, Figure::Greatest, Unit::Count, at_most)
    }

    pub(crate) const fn in_unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Shows the figure, whatever it is.
    pub(crate) const fn shown(mut self) -> Self {
        self.at_most = None;
        self
    }

    /// Allows times to be longer by this factor. What is no time stays as it is.
    pub(crate) fn relaxed(mut self, factor: f64) -> Self {
        if matches!(self.unit, Unit::Seconds | Unit::Milliseconds) {
            self.at_most = self.at_most.map(|at_most| at_most * factor);
        }
        self
    }

    /// The figure, if there are samples.
    pub(crate) fn measured(&self, tally: &Tally) -> Option<f64> {
        let mut samples = tally.samples.get(self.of)?.clone();
        samples.sort_by(f64::total_cmp);
        match self.figure {
            Figure::Percentile(percent) => percentile(&samples, percent),
            Figure::Greatest => samples.last().copied(),
        }
    }

    /// Whether it is within its limit. Without samples it is not.
    pub(crate) fn holds(&self, measured: Option<f64>) -> bool {
        match (self.at_most, measured) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(at_most), Some(measured)) => measured <= at_most,
        }
    }

    pub(crate) fn name(&self) -> String {
        match self.figure {
            Figure::Percentile(percent) => format!("{}, p{percent}", self.of),
            Figure::Greatest => self.of.to_owned(),
        }
    }

    /// A value in words.
    pub(crate) fn text(&self, value: f64) -> String {
        match self.unit {
            Unit::Seconds if value >= 1.0 => format!("{value:.2} s"),
            Unit::Seconds => format!("{:.0} ms", value * 1e3),
            Unit::Milliseconds => format!("{:.2} ms", value * 1e3),
            Unit::Count => format!("{value:.0}"),
            Unit::Ratio => format!("{value:.2}"),
            Unit::Bytes => format!("{:.1} kB", value / 1e3),
        }
    }
}

/// The least of the sorted values that this share of them does not exceed.
pub(crate) fn percentile(sorted: &[f64], percent: u32) -> Option<f64> {
    let rank = (sorted.len() * percent as usize).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_a_value_that_was_measured() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 50), Some(50.0));
        assert_eq!(percentile(&sorted, 99), Some(99.0));
        assert_eq!(percentile(&sorted[..3], 50), Some(2.0));
        assert_eq!(percentile(&sorted[..3], 99), Some(3.0));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn only_times_are_relaxed() {
        let limits = [Limit::p50("gap", 2.0), Limit::count("connections", 1.0)];
        let relaxed = limits.map(|limit| limit.relaxed(2.0).at_most);
        assert_eq!(relaxed, [Some(4.0), Some(1.0)]);
    }

    #[test]
    fn figure_without_samples_is_not_within_its_limit() {
        let mut tally = Tally::default();
        let limit = Limit::p50("gap", 0.2);
        assert!(!limit.holds(limit.measured(&tally)));
        assert!(limit.shown().holds(None));
        tally.sample("gap", 0.2);
        assert!(limit.holds(limit.measured(&tally)));
        tally.sample("gap", 0.3);
        assert!(limit.holds(limit.measured(&tally)));
        let most = Limit::most("gap", 0.2);
        assert!(!most.holds(most.measured(&tally)));
    }
}
