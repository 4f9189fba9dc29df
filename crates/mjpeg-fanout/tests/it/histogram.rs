//! How many durations of each length there were.

use std::time::{Duration, Instant, SystemTime};

use mjpeg_codec::Stamp;
use mjpeg_fanout::{Histogram, HistogramReading, channel};

use crate::frame;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The buckets that are not empty.
fn filled(reading: &HistogramReading) -> Vec<(usize, u64)> {
    let counts = reading.counts.iter().copied().enumerate();
    counts.filter(|(_, count)| *count > 0).collect()
}

#[test]
fn each_bucket_includes_its_bound() {
    let bounds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(ms);
    let histogram = Histogram::new(bounds);
    assert_eq!(histogram.read().count(), 0);
    let nano = Duration::from_nanos(1);
    for duration in [
        Duration::ZERO,
        ms(1),
        ms(1) + nano,
        ms(2),
        ms(12),
        ms(12) + nano,
    ] {
        histogram.record(duration);
    }
    let reading = histogram.read();
    assert_eq!(filled(&reading), [(0, 2), (1, 2), (11, 1), (12, 1)]);
    assert_eq!((reading.count(), reading.bounds), (6, bounds));
    assert_eq!(reading.sum, ms(28), "in whole microseconds");
    histogram.record(Duration::MAX);
    assert_eq!(histogram.read().counts[12], 2);
}

#[test]
fn intervals_are_those_between_captures() {
    let (producer, consumer) = channel();
    #[expect(clippy::disallowed_methods, reason = "any moment will do")]
    let start = Instant::now();
    for at in [0, 40, 80, 81, 1081] {
        let stamp = Stamp::new(SystemTime::UNIX_EPOCH, start + ms(at));
        producer.publish(frame(1), stamp);
    }
    let reading = consumer.intervals();
    assert_eq!((reading.count(), reading.sum), (4, ms(1081)));
    let of = |ms_: u64| reading.bounds.partition_point(|bound| *bound < ms(ms_));
    assert_eq!(filled(&reading), [(of(1), 1), (of(40), 2), (of(1000), 1)]);
}

#[test]
fn usual_intervals_are_within_the_buckets_and_not_on_their_bounds() {
    let bounds = channel().1.intervals().bounds;
    assert!(bounds.is_sorted());
    for fps in [1, 2, 5, 10, 15, 20, 25, 30, 50, 60] {
        let interval = Duration::from_secs(1) / fps;
        let bucket = |interval: Duration| bounds.partition_point(|bound| *bound < interval);
        let jitter = interval / 16;
        assert_eq!(
            bucket(interval - jitter),
            bucket(interval + jitter),
            "{fps}"
        );
    }
}
