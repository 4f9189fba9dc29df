//! Reads the bits of a scan.

use crate::jpeg::{marker, search};

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

/// Where a reader stands in its data, without the data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    unread_bytes: usize,
    stopped: bool,
    buffer: u64,
    count: u32,
    padding: u32,
}

impl Place {
    /// Creates the place at the beginning of data of this length.
    pub(super) fn start(length: usize) -> Self {
        Self {
            unread_bytes: length,
            stopped: false,
            buffer: 0,
            count: 0,
            padding: 0,
        }
    }
}

impl<'a> Bits<'a> {
    /// Continues at a place in the same data.
    pub(super) fn at(place: Place, data: &'a [u8]) -> Self {
        Self {
            rest: &data[data.len() - place.unread_bytes..],
            stopped: place.stopped,
            buffer: place.buffer,
            count: place.count,
            padding: place.padding,
        }
    }

    /// Returns the place of the reader.
    pub(super) fn place(&self) -> Place {
        Place {
            unread_bytes: self.rest.len(),
            stopped: self.stopped,
            buffer: self.buffer,
            count: self.count,
            padding: self.padding,
        }
    }

    /// Returns how many bytes were not read.
    pub(super) fn unread_bytes(&self) -> usize {
        self.rest.len()
    }

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
                let fill = search::fill_len(after);
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

    /// Returns the bits taken since this reader was at `before`, the last of them lowermost. They
    /// are at most 63, and there was no need to refill.
    #[inline(always)]
    pub(super) fn taken_since(&self, before: &Self) -> u64 {
        let taken = before.count.wrapping_sub(self.count) % 64;
        before.buffer >> 1 >> (63 - taken)
    }

    /// Returns whether more bits were taken than exist.
    pub(super) fn overdrawn(&self) -> bool {
        self.count < self.padding
    }

    /// Takes the bytes before the next marker, `most` at most. Returns how many of them are not
    /// padding, and whether the marker is reached.
    pub(super) fn skip_to_marker(&mut self, most: usize) -> (usize, bool) {
        // The rest of a partly taken byte: ones (F.1.2.3), from some encoders zeros.
        self.refill();
        self.take(self.count.saturating_sub(self.padding) % 8);
        let mut surplus = 0;
        for _ in 0..most {
            self.refill();
            if self.count < self.padding + 8 {
                return (surplus, true);
            }
            // Webcams add a superfluous byte of ones; other encoders fill up with zeros.
            surplus += usize::from(!matches!(self.buffer >> 56, 0x00 | 0xFF));
            self.take(8);
        }
        (surplus, false)
    }

    /// Passes the RSTn that the reader stopped at, and returns its n. Returns `None` at any other
    /// marker.
    pub(super) fn restart(&mut self) -> Option<u8> {
        let fill = search::fill_len(self.rest);
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
