//! The arithmetic of waiting.

use std::{collections::BTreeSet, time::Duration};

use mjpeg_ingest::{Backoff, InvalidBackoff};

const MS: Duration = Duration::from_millis(1);

#[test]
fn delay_doubles_up_to_the_cap() {
    let backoff = Backoff::default();
    let ranges = [
        (250, 500),
        (500, 1000),
        (1000, 2000),
        (2000, 4000),
        (4000, 8000),
        (8000, 16000),
        (15000, 30000),
    ];
    for seed in 0..200 {
        for (attempt, (low, high)) in (0..).zip(ranges) {
            let delay = backoff.delay(attempt, seed);
            assert!(
                low * MS <= delay && delay <= high * MS,
                "attempt {attempt}, seed {seed}: {delay:?}"
            );
        }
        for attempt in [7, 31, 32, 1000, u32::MAX] {
            let delay = backoff.delay(attempt, seed);
            assert!(
                15000 * MS <= delay && delay <= 30000 * MS,
                "attempt {attempt}, seed {seed}: {delay:?}"
            );
        }
    }
}

#[test]
fn seeds_spread_over_the_whole_range() {
    let sixteenths: BTreeSet<u128> = (0..1000)
        .map(|seed| (Backoff::default().delay(10, seed).as_millis() - 15000) * 16 / 15001)
        .collect();
    assert_eq!(
        sixteenths.len(),
        16,
        "every sixteenth of 15 to 30 s is drawn"
    );
}

#[test]
fn bounds_are_checked() {
    assert_eq!(
        Backoff::try_new(Duration::ZERO, MS),
        Err(InvalidBackoff::ZeroMin)
    );
    assert_eq!(
        Backoff::try_new(2 * MS, MS),
        Err(InvalidBackoff::MinAboveMax)
    );
    let fixed = Backoff::try_new(MS, MS).unwrap();
    assert_eq!(fixed.delay(0, 1), MS);
    assert_eq!(fixed.delay(99, 2), MS);
}
