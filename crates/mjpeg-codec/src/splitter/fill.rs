//! Passing fill bytes in linear time.

use std::ops::Range;

use crate::jpeg::search;

/// The latest long run of fill bytes that was walked, as a range of the stream.
///
/// A run of fill may be as long as a frame, and any number of false segments may end in it. Without
/// this record, each of them would cost a walk over the run.
#[derive(Debug, Default)]
pub(super) struct Fill(Range<u64>);

impl Fill {
    /// Returns how many fill bytes `ahead` begins with. `ahead` stands at `here` in the stream.
    ///
    /// Walks [`MOST_WALKED_BYTES`] at most, twice: of a longer run that was not walked before it
    /// returns the first part.
    pub(super) fn len(&mut self, here: u64, ahead: &[u8]) -> usize {
        let known = self.0.clone();
        let unknown = known.start.saturating_sub(here).min(ahead.len() as u64) as usize;
        let mut fill = walk(&ahead[..unknown]);
        let mut start = here;
        if known.contains(&(here + fill as u64)) {
            fill = ahead.len().min((known.end - here) as usize);
            start = here.min(known.start);
        }
        fill += walk(&ahead[fill..]);
        if fill >= LONG_FILL_BYTES {
            self.0 = start..here + fill as u64;
        }
        fill
    }
}

fn walk(bytes: &[u8]) -> usize {
    search::fill_len(&bytes[..bytes.len().min(MOST_WALKED_BYTES)])
}

/// Shorter runs of fill are not recorded, and walked again if needed.
const LONG_FILL_BYTES: usize = 64;

/// Longer than a segment: of two segments that end in one run, one is known to reach what the other
/// walked.
pub(super) const MOST_WALKED_BYTES: usize = 128 << 10;
