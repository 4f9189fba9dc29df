//! How many decisions the bytes of a stream pay for.

/// An allowance that each byte of the stream adds to and each decision takes from, so that bytes made to slow the splitter down take no more than
/// ten times as long as a camera's. It depends on the bytes alone, not on how they were chunked.
///
/// The costs are measured (`codec_hostile` in the benches): about as many nanoseconds as bytes, which is a tenth of the rate of clean frames. Honest
/// streams are far from them. A gray picture of 32 by 24 pixels with JFIF header and ordinary tables, as a thermal camera may send it, has 440 bytes and takes 430.
#[derive(Debug)]
pub(super) struct Budget {
    most_bytes: u64,
    left_bytes: u64,
    /// Up to where the stream has paid.
    paid_to: u64,
    /// Up to where the stream is to be passed over unread.
    pub(super) flood_end: u64,
}

impl Budget {
    /// Of which at most `most_bytes` can be saved up.
    pub(super) fn new(most_bytes: u64) -> Self {
        Self {
            most_bytes,
            left_bytes: most_bytes,
            paid_to: 0,
            flood_end: 0,
        }
    }

    /// Another stream begins at `here`.
    pub(super) fn restart(&mut self, here: u64) {
        self.left_bytes = self.most_bytes;
        (self.paid_to, self.flood_end) = (here, here);
    }

    /// Takes `cost_bytes` for a decision at `here`. If nothing is left, says no and lets what comes next be passed over unread.
    pub(super) fn spend(&mut self, here: u64, cost_bytes: u64) -> bool {
        let earned = here.saturating_sub(self.paid_to);
        self.paid_to += earned;
        self.left_bytes = self.most_bytes.min(self.left_bytes + earned);
        if let Some(left) = self.left_bytes.checked_sub(cost_bytes) {
            self.left_bytes = left;
            return true;
        }
        self.flood_end = here + self.most_bytes / FLOOD_SHARE;
        self.paid_to = self.flood_end;
        self.left_bytes = self.most_bytes / AFTER_FLOOD_SHARE;
        false
    }
}

/// The cost of an SOI that is taken for the beginning of a frame, whatever becomes of it.
pub(super) const FRAME_COST_BYTES: u64 = 160;

/// The cost of one more segment.
pub(super) const SEGMENT_COST_BYTES: u64 = 30;

/// What a scan costs beside its header's segment.
pub(super) const SCAN_COST_BYTES: u64 = 90;

/// The cost of a line between the images of a multipart stream.
pub(super) const LINE_COST_BYTES: u64 = 128;

/// Which part of what can be saved up is passed over when nothing is left.
const FLOOD_SHARE: u64 = 64;

/// Which part of it there is to spend after that, so that the end of a flood is noticed.
const AFTER_FLOOD_SHARE: u64 = 256;
