//! Reads the bits of a scan.

use crate::jpeg::marker;

/// Reads entropy-coded data (T.81 F.2.2.5): removes stuffed zeros, and stops at a marker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    /// The unread bytes between the scan header and the marker that ends the scan.
    rest: &'a [u8],
    /// `rest` begins with a marker or is empty.
    stopped: bool,
    /// The bits read and not yet taken, the next one uppermost.
    ///
    /// Below them may be bits of the first byte of `rest`. Reading that byte puts the same bits
    /// there again.
    buffer: u64,
    /// How many of the bits in `buffer` were read.
    count: u32,
    /// How many zero bits were added after the last byte, so that taking bits need not check for
    /// the end each time.
    padding: u32,
}

impl<'a> Bits<'a> {
    /// Creates a reader for the data between a scan header and the marker that ends the scan.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            rest: data,
            stopped: false,
            buffer: 0,
            count: 0,
            padding: 0,
        }
    }

    /// Ensures at least 56 bits. Bits beyond the end are zeros; taking them makes the reader
    /// [`overdrawn`](Self::overdrawn).
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if let Some(&ahead) = self.rest.first_chunk() {
            let ahead = u64::from_be_bytes(ahead);
            if !has_ff(ahead) {
                self.buffer |= ahead >> self.count;
                let bytes = (63 - self.count) / 8;
                self.rest = &self.rest[bytes as usize..];
                self.count += 8 * bytes;
                return;
            }
        }
        *self = self.refill_bytewise();
    }

    #[cold]
    #[inline(never)]
    fn refill_bytewise(mut self) -> Self {
        while self.count < 56 {
            let Some(byte) = self.next_byte() else {
                self.padding += 56 - self.count;
                self.count = 56;
                break;
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
        self
    }

    fn next_byte(&mut self) -> Option<u8> {
        if self.stopped {
            return None;
        }
        match self.rest {
            [0xFF, after @ ..] => {
                // Decoders skip fill bytes even before a stuffed zero.
                let fill = after.iter().take_while(|&&b| b == 0xFF).count();
                if let Some((0, after)) = after[fill..].split_first() {
                    self.rest = after;
                    return Some(0xFF);
                }
                self.stopped = true;
                None
            }
            [byte, after @ ..] => {
                self.rest = after;
                Some(*byte)
            }
            [] => {
                self.stopped = true;
                None
            }
        }
    }

    /// Returns the next bits, the first of them uppermost.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.buffer
    }

    /// Takes bits that [`refill`](Self::refill) ensured.
    #[inline(always)]
    pub(super) fn take(&mut self, bits: u32) {
        self.buffer <<= bits;
        self.count -= bits;
    }

    /// Returns whether more bits were taken than exist.
    pub(super) fn overdrawn(&self) -> bool {
        self.count < self.padding
    }

    /// Takes everything before the next marker, and returns how many bytes of it are not padding.
    pub(super) fn skip_to_marker(&mut self) -> usize {
        // The rest of a partly taken byte: ones (F.1.2.3), from some encoders zeros.
        self.refill();
        self.take(self.count.saturating_sub(self.padding) % 8);
        let mut surplus = 0;
        loop {
            self.refill();
            if self.count < self.padding + 8 {
                return surplus;
            }
            // Webcams add a superfluous byte of ones; other encoders fill up with zeros.
            surplus += usize::from(!matches!(self.buffer >> 56, 0x00 | 0xFF));
            self.take(8);
        }
    }

    /// Passes the RSTn that the reader stopped at, and returns its n. Returns `None` at any other
    /// marker.
    pub(super) fn restart(&mut self) -> Option<u8> {
        let fill = self.rest.iter().take_while(|&&b| b == 0xFF).count();
        let (&code, after) = self.rest.get(fill..)?.split_first()?;
        if !self.stopped || !matches!(code, marker::RST0..=marker::RST7) {
            return None;
        }
        *self = Self::new(after);
        Some(code - marker::RST0)
    }

    /// Returns about how many bytes were not taken. Does not count stuffed zeros among those in the
    /// buffer.
    pub(super) fn bytes_left(&self) -> usize {
        self.rest.len() + (self.count.saturating_sub(self.padding) / 8) as usize
    }
}

/// Returns whether one of the eight bytes is `FF`.
fn has_ff(bytes: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    (!bytes).wrapping_sub(ONES) & bytes & TOPS != 0
}
