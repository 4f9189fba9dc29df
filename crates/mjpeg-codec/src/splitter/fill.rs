//! Passing fill bytes in linear time.

use std::ops::Range;

use crate::work;

/// The latest long run of fill bytes that was walked, as a range of the stream.
///
/// A run of fill may be as long as a frame, and any number of false segments may end in it. Without
/// this record, each of them would cost a walk over the run.
#[derive(Debug, Default)]
pub(super) struct Fill(Range<u64>);

impl Fill {
    /// Returns how many fill bytes `ahead` begins with. `ahead` stands at `here` in the stream.
    pub(super) fn len(&mut self, here: u64, ahead: &[u8]) -> usize {
        let known = self.0.clone();
        let unknown = ahead.len().min(known.start.saturating_sub(here) as usize);
        let mut fill = run_len(&ahead[..unknown]);
        let mut start = here;
        if known.contains(&(here + fill as u64)) {
            fill = ahead.len().min((known.end - here) as usize);
            start = here.min(known.start);
        }
        fill += run_len(&ahead[fill..]);
        if fill >= LONG_FILL_BYTES {
            self.0 = start..here + fill as u64;
        }
        fill
    }
}

fn run_len(bytes: &[u8]) -> usize {
    // In blocks, which become vector instructions: a run may be as long as a frame.
    let (blocks, _) = bytes.as_chunks::<FILL_BLOCK_BYTES>();
    let is_fill =
        |block: &&[u8; FILL_BLOCK_BYTES]| block.iter().fold(0xFF, |all, b| all & b) == 0xFF;
    let whole = blocks.iter().take_while(is_fill).count() * FILL_BLOCK_BYTES;
    let rest = bytes[whole..].iter().take_while(|&&b| b == 0xFF).count();
    work::count(whole + rest);
    whole + rest
}

/// Shorter runs of fill are not recorded, and walked again if needed.
const LONG_FILL_BYTES: usize = 64;

const FILL_BLOCK_BYTES: usize = 32;
