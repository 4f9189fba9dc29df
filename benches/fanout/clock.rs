//! The clocks. Camera and viewers share them because they run on one machine.

use anyhow::Result;
use rustix::{
    thread::clock_nanosleep_absolute,
    time::{ClockId, Timespec, clock_gettime},
};

pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub(crate) fn now_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// Nanoseconds since 1970.
pub(crate) fn wall_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Realtime))
}

/// Sleeps until `CLOCK_MONOTONIC` has reached `at_ns`.
pub(crate) fn sleep_until(at_ns: u64) -> Result<()> {
    loop {
        match clock_nanosleep_absolute(ClockId::Monotonic, &timespec(at_ns)) {
            Err(rustix::io::Errno::INTR) => {}
            ended => return Ok(ended?),
        }
    }
}

pub(crate) fn timespec(ns: u64) -> Timespec {
    let part = |ns: u64| i64::try_from(ns).unwrap_or(i64::MAX);
    Timespec {
        tv_sec: part(ns / SECOND_NS),
        tv_nsec: part(ns % SECOND_NS),
    }
}

/// Neither clock shows a time before its zero.
fn nanoseconds(time: Timespec) -> u64 {
    let part = |n: i64| u64::try_from(n).unwrap_or(0);
    part(time.tv_sec) * SECOND_NS + part(time.tv_nsec)
}
