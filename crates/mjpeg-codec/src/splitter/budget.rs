//! How many decisions a stream may take per byte before it counts as a flood.

/// An allowance that each byte of the stream adds to and each decision takes from. It depends on
/// the bytes alone, not on their chunking.
///
/// A whole frame gives back all that it took, and all that the lines before it took: whole frames
/// and their framing never add up to a flood, whatever their size. What remains are decisions that
/// led to nothing: false beginnings, broken frames, lines without a frame.
///
/// The costs were measured (`codec_hostile` in the benches): about as many nanoseconds as bytes.
#[derive(Debug)]
pub(super) struct Budget {
    most_bytes: u64,
    left_bytes: u64,
    /// The place up to which the stream has been credited.
    paid_to: u64,
    /// What the lines since the last image took.
    lines_bytes: u64,
    /// What the current image took.
    image_bytes: u64,
    is_flood: bool,
    total_bytes: u64,
}

impl Budget {
    /// Creates a full budget, which also never saves up more than `most_bytes`.
    pub(super) fn new(most_bytes: u64) -> Self {
        Self {
            most_bytes,
            left_bytes: most_bytes,
            paid_to: 0,
            lines_bytes: 0,
            image_bytes: 0,
            is_flood: false,
            total_bytes: 0,
        }
    }

    /// Fills the budget up, and ends a flood.
    pub(super) fn refill(&mut self) {
        self.left_bytes = self.most_bytes;
        (self.lines_bytes, self.image_bytes) = (0, 0);
        self.is_flood = false;
    }

    /// Fills the budget up for a stream that begins at `here`.
    pub(super) fn restart(&mut self, here: u64) {
        self.refill();
        self.paid_to = here;
    }

    /// Takes the cost of a line that begins at `here`.
    pub(super) fn line(&mut self, here: u64) -> usize {
        self.lines_bytes += self.spend(here, LINE_COST_BYTES);
        LINE_COST_BYTES as usize
    }

    /// Takes the cost of an SOI at `here` that is taken for the beginning of a frame.
    pub(super) fn image(&mut self, here: u64) -> usize {
        self.image_bytes = self.spend(here, FRAME_COST_BYTES);
        FRAME_COST_BYTES as usize
    }

    /// Takes the cost of a segment of the current image, with its code at `here`.
    pub(super) fn segment(&mut self, here: u64, is_scan: bool) -> usize {
        let scan_bytes = if is_scan { SCAN_COST_BYTES } else { 0 };
        let cost_bytes = SEGMENT_COST_BYTES + scan_bytes;
        self.image_bytes += self.spend(here, cost_bytes);
        cost_bytes as usize
    }

    /// Gives back what a whole frame and the lines before it took, and ends a flood.
    pub(super) fn whole_frame(&mut self) {
        let taken = std::mem::take(&mut self.lines_bytes) + std::mem::take(&mut self.image_bytes);
        self.left_bytes = self.most_bytes.min(self.left_bytes + taken);
        self.is_flood = false;
    }

    /// Gives back what the lines before a broken frame took, if it had a scan.
    pub(super) fn broken_frame(&mut self, is_scanned: bool) {
        self.image_bytes = 0;
        if is_scanned {
            let taken = std::mem::take(&mut self.lines_bytes);
            self.left_bytes = self.most_bytes.min(self.left_bytes + taken);
        }
    }

    /// Returns whether the stream has overdrawn its allowance, and not yet earned back half of it.
    pub(super) fn is_flood(&self) -> bool {
        self.is_flood
    }

    /// Returns what all decisions so far have cost, given back or not.
    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Takes the cost of a decision at `here`, or as much of it as is left. Returns what it took.
    fn spend(&mut self, here: u64, cost_bytes: u64) -> u64 {
        let earned = here.saturating_sub(self.paid_to);
        self.paid_to += earned;
        self.left_bytes = self.most_bytes.min(self.left_bytes + earned);
        self.total_bytes += cost_bytes;
        let taken = cost_bytes.min(self.left_bytes);
        self.left_bytes -= taken;
        if taken < cost_bytes {
            self.is_flood = true;
        } else if self.left_bytes >= self.most_bytes / 2 {
            self.is_flood = false;
        }
        taken
    }
}

/// The cost of an SOI taken for the beginning of a frame.
const FRAME_COST_BYTES: u64 = 160;

/// The cost of one more segment.
const SEGMENT_COST_BYTES: u64 = 30;

/// The cost of a scan, in addition to that of its header's segment.
const SCAN_COST_BYTES: u64 = 90;

/// The cost of a line between the images of a multipart stream.
const LINE_COST_BYTES: u64 = 128;
