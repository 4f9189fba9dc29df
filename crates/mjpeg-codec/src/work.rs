//! Counts what the bytes cost, for the tests that bound it.

/// Counts bytes looked at or copied, and steps taken.
#[cfg(not(feature = "__fuzzing"))]
#[inline(always)]
pub(crate) fn count(_: usize) {}

#[cfg(feature = "__fuzzing")]
pub(crate) fn count(n: usize) {
    COUNTED.set(COUNTED.get() + n as u64);
}

/// Returns this thread's count so far.
#[cfg(feature = "__fuzzing")]
pub(crate) fn counted() -> u64 {
    COUNTED.get()
}

#[cfg(feature = "__fuzzing")]
thread_local! {
    static COUNTED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}
