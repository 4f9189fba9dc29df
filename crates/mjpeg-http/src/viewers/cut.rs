//! Why a response was cut.

use crate::stats::StreamCounters;

/// Why a response was cut before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutReason {
    /// The viewer has gone.
    Gone,
    /// It took no byte for too long.
    Stalled,
    /// One frame took too long.
    TooSlow,
    /// The frame is too old by now.
    Lagging,
    /// It sent too much behind its request.
    TooMuchInput,
    /// Another part of the service decided and counted it.
    Chosen,
}

impl CutReason {
    pub(crate) fn count(self, counters: &StreamCounters) {
        match self {
            Self::Gone | Self::Chosen => {}
            Self::Stalled => counters.write_stalls.add_one(),
            Self::TooSlow => counters.send_timeouts.add_one(),
            Self::Lagging => counters.lag_cuts.add_one(),
            Self::TooMuchInput => counters.viewer_input_cuts.add_one(),
        }
    }
}
