//! Writes families of metrics.

use std::fmt;

use mjpeg_manager::mjpeg_fanout::HistogramReading;
use prometheus_client::{
    encoding::{
        DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, MetricEncoder,
        NoLabelSet,
    },
    metrics::MetricType,
};

/// A label and its value, which may be any text.
pub(super) type Label<'a> = (&'static str, &'a str);

/// Writes one family after the other. Names of counters are given without `_total`.
pub(super) struct Families<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl<'a> Families<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self { encoder }
    }

    /// Writes a family whose one metric has the value 1, and labels that say something. Its name is
    /// given without `_info`.
    pub(super) fn info(&mut self, name: &str, help: &str, labels: &[Label<'_>]) -> fmt::Result {
        let kind = MetricType::Info;
        let mut family = self.encoder.encode_descriptor(name, help, None, kind)?;
        family.encode_info(&labels)
    }

    pub(super) fn counters<'l, const N: usize, V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'l>; N], V)>,
    ) -> fmt::Result {
        self.family(MetricType::Counter, name, help, samples, |mut metric, n| {
            metric.encode_counter::<NoLabelSet, V, u64>(&n, None)
        })
    }

    pub(super) fn gauges<'l, const N: usize, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'l>; N], V)>,
    ) -> fmt::Result {
        self.family(MetricType::Gauge, name, help, samples, |mut metric, n| {
            metric.encode_gauge(&n)
        })
    }

    /// Writes histograms of durations, in seconds.
    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'l>; N], HistogramReading)>,
    ) -> fmt::Result {
        let kind = MetricType::Histogram;
        self.family(kind, name, help, samples, |mut metric, reading| {
            let bounds = reading.bounds.iter().map(|bound| bound.as_secs_f64());
            let buckets = bounds.chain([f64::INFINITY]).zip(reading.counts);
            let buckets: Vec<(f64, u64)> = buckets.collect();
            let sum = reading.sum.as_secs_f64();
            metric.encode_histogram::<NoLabelSet>(sum, reading.count(), &buckets, None)
        })
    }

    fn family<L: EncodeLabelSet, V>(
        &mut self,
        kind: MetricType,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (L, V)>,
        encode: impl Fn(MetricEncoder<'_>, V) -> fmt::Result,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            encode(family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }
}
