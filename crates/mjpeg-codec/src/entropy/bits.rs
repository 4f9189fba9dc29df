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
            if ffs(ahead) == 0 {
                self.fill(ahead, 0);
                return;
            }
        }
        *self = self.refill_near_ff();
    }

    /// Does the same if the next eight bytes hold an `FF`, or are the last.
    #[inline(never)]
    fn refill_near_ff(mut self) -> Self {
        if let Some(&ahead) = self.rest.first_chunk() {
            let ahead = u64::from_be_bytes(ahead);
            let before_ff = ffs(ahead).leading_zeros();
            let wanted = 8 * self.room_bytes();
            if before_ff >= wanted {
                self.fill(ahead, 0);
                return self;
            }
            // Without the zero that is stuffed after the FF.
            let after_ff = ahead << before_ff << 8;
            let to_next_ff = before_ff + ffs(after_ff).leading_zeros();
            if before_ff < 56 && after_ff >> 56 == 0 && to_next_ff >= wanted {
                let with_ff = !(u64::MAX >> before_ff >> 8);
                self.fill(ahead & with_ff | after_ff << 8 >> before_ff >> 8, 1);
                return self;
            }
        }
        self.refill_bytewise()
    }

    /// Adds to the buffer what it can take of the next bytes, from which stuffed zeros were
    /// removed.
    #[inline(always)]
    fn fill(&mut self, ahead: u64, stuffed: usize) {
        self.buffer |= ahead >> self.count;
        let bytes = self.room_bytes();
        self.rest = &self.rest[bytes as usize + stuffed..];
        self.count += 8 * bytes;
    }

    /// Returns how many bytes the buffer can take.
    #[inline(always)]
    fn room_bytes(&self) -> u32 {
        // The compiler does not know that `count` is at most 63.
        (63 - self.count) / 8 % 8
    }

    #[cold]
    #[inline(never)]
    fn refill_bytewise(mut self) -> Self {
        while self.count < 56 {
            let Some(byte) = self.next_byte() else {
                // There may be bits of an `FF` that proved to be a marker's.
                self.buffer &= !(u64::MAX >> self.count);
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

/// Returns the uppermost bit of each of eight bytes that is `FF`.
#[inline(always)]
fn ffs(bytes: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    ((bytes & !TOPS) + ONES) & bytes & TOPS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Data of a scan, with the bits in it, and whether a marker follows.
    fn scan() -> impl Strategy<Value = (Vec<u8>, Vec<bool>)> {
        let byte = prop_oneof![
            4 => any::<u8>().prop_map(|byte| vec![byte]),
            2 => Just(vec![0xFF]),
            1 => Just(vec![0xFF, 0xFF, 0x00]),
        ];
        (proptest::collection::vec(byte, 0..60), any::<bool>()).prop_map(|(units, has_marker)| {
            let (mut data, mut bits) = (Vec::new(), Vec::new());
            for unit in units {
                let byte = unit[0];
                data.extend(&unit);
                if unit == [0xFF] {
                    data.push(0x00);
                }
                bits.extend((0..8).rev().map(|place| byte >> place & 1 == 1));
            }
            if has_marker {
                data.extend([0xFF, marker::RST0, 0x55, 0xAA, 0x55, 0xAA, 0x55, 0xAA]);
            }
            (data, bits)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn bits_are_those_of_the_bytes_without_stuffed_zeros_up_to_a_marker(
            (data, expected) in scan(),
            takes in proptest::collection::vec(1u32..=56, 1..60),
        ) {
            let mut bits = Bits::new(&data);
            let mut expected = expected.into_iter();
            for take in takes {
                bits.refill();
                let mut exceeds = false;
                for place in 0..take {
                    let bit = expected.next();
                    exceeds |= bit.is_none();
                    let found = bits.peek() << place >> 63 == 1;
                    prop_assert_eq!(found, bit.unwrap_or(false));
                }
                bits.take(take);
                prop_assert_eq!(bits.overdrawn(), exceeds);
                if exceeds {
                    break;
                }
            }
        }
    }
}
