//! How many decisions a stream may take per byte.

/// An allowance that each byte of the stream adds to and each decision takes from. It limits the
/// time that hostile bytes take to ten times that of a camera's. It depends on the bytes alone, not
/// on their chunking.
///
/// The costs were measured (`codec_hostile` in the benches): about as many nanoseconds as bytes,
/// which is a tenth of the rate of clean frames. Honest streams stay far below them: a grey picture
/// of 32 by 24 pixels with a JFIF header and the typical tables, as a thermal camera may send it,
/// has 440 bytes and costs 430.
#[derive(Debug)]
pub(super) struct Budget {
    most_bytes: u64,
    left_bytes: u64,
    /// The place up to which the stream has been credited.
    paid_to: u64,
    /// The place up to which the stream is to be skipped unread.
    pub(super) flood_end: u64,
}

impl Budget {
    /// Creates a full budget, which also never saves up more than `most_bytes`.
    pub(super) fn new(most_bytes: u64) -> Self {
        Self {
            most_bytes,
            left_bytes: most_bytes,
            paid_to: 0,
            flood_end: 0,
        }
    }

    /// Refills the budget for a stream that begins at `here`.
    pub(super) fn restart(&mut self, here: u64) {
        self.left_bytes = self.most_bytes;
        (self.paid_to, self.flood_end) = (here, here);
    }

    /// Takes `cost_bytes` for a decision at `here`. If that much is not left, returns `false` and
    /// marks the next bytes as a flood.
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

/// The cost of an SOI taken for the beginning of a frame.
pub(super) const FRAME_COST_BYTES: u64 = 160;

/// The cost of one more segment.
pub(super) const SEGMENT_COST_BYTES: u64 = 30;

/// The cost of a scan, in addition to that of its header's segment.
pub(super) const SCAN_COST_BYTES: u64 = 90;

/// The cost of a line between the images of a multipart stream.
pub(super) const LINE_COST_BYTES: u64 = 128;

/// This fraction of the full budget is skipped when nothing is left.
const FLOOD_SHARE: u64 = 64;

/// This fraction of the full budget is available after a skip, so that the end of a flood is
/// noticed.
const AFTER_FLOOD_SHARE: u64 = 256;
