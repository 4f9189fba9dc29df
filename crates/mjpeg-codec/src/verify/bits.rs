//! Reading the bits of a scan.

use crate::marker;

/// Reads entropy-coded data (T.81 F.2.2.5): takes stuffed zeros out, and stops at a marker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    /// What was not read yet of the bytes between the scan header and the marker that ends the scan.
    rest: &'a [u8],
    /// Whether `rest` begins with a marker, or is empty.
    stopped: bool,
    /// The bits read and not taken, the next one uppermost, and how many they are.
    ///
    /// Below them there may be bits of the byte that is the first of `rest`; reading it puts the same ones there again.
    buffer: u64,
    count: u32,
    /// How many zero bits were put in after the last byte, so that who takes bits need not look for the end each time.
    padding: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self {
            rest: data,
            stopped: false,
            buffer: 0,
            count: 0,
            padding: 0,
        }
    }

    /// Makes sure of at least 56 bits. Those beyond the end are zeros, and make the reader [`overdrawn`](Self::overdrawn)
    /// when they are taken.
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

    /// The next bits, the first of them uppermost.
    #[inline(always)]
    pub(super) fn peek(&self) -> u64 {
        self.buffer
    }

    /// Takes bits, of those that [`refill`](Self::refill) made sure of.
    #[inline(always)]
    pub(super) fn take(&mut self, bits: u32) {
        self.buffer <<= bits;
        self.count -= bits;
    }

    /// Whether more bits were taken than there are.
    pub(super) fn overdrawn(&self) -> bool {
        self.count < self.padding
    }

    /// Takes what is left before the next marker, and returns how many bytes that are beside padding.
    pub(super) fn skip_to_marker(&mut self) -> usize {
        // The rest of a byte that was begun: ones (F.1.2.3), of some encoders zeros.
        self.refill();
        self.take(self.count.saturating_sub(self.padding) % 8);
        let mut surplus = 0;
        loop {
            self.refill();
            if self.count < self.padding + 8 {
                return surplus;
            }
            // Webcams add a byte of ones where none is needed; others fill up with zeros.
            surplus += usize::from(!matches!(self.buffer >> 56, 0x00 | 0xFF));
            self.take(8);
        }
    }

    /// Goes beyond the RSTn that the reader stopped at, if it is one, and returns its n.
    pub(super) fn restart(&mut self) -> Option<u8> {
        let fill = self.rest.iter().take_while(|&&b| b == 0xFF).count();
        let (&code, after) = self.rest.get(fill..)?.split_first()?;
        if !self.stopped || !matches!(code, marker::RST0..=marker::RST7) {
            return None;
        }
        *self = Self::new(after);
        Some(code - marker::RST0)
    }

    /// How many bytes were not taken, about: stuffed zeros among those in the buffer are not told.
    pub(super) fn bytes_left(&self) -> usize {
        self.rest.len() + (self.count.saturating_sub(self.padding) / 8) as usize
    }
}

/// Whether one of the eight bytes is `FF`.
fn has_ff(bytes: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    (!bytes).wrapping_sub(ONES) & bytes & TOPS != 0
}
