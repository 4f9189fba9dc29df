//! Writes Huffman codes (T.81 F.1.2) with the typical tables.

use crate::jpeg::tables::{CHROMINANCE_AC, CHROMINANCE_DC, LUMINANCE_AC, LUMINANCE_DC};

/// Writes bits, and stuffs zeros behind `FF`.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    pub(super) bytes: Vec<u8>,
    /// Bits not written yet, the last of them lowermost.
    buffer: u64,
    count: u32,
}

impl BitWriter {
    /// Writes the last `count` of these bits, at most 32.
    #[inline(always)]
    fn put(&mut self, bits: u32, count: u32) {
        self.buffer = self.buffer << count | u64::from(bits);
        self.count += count;
        if self.count >= 32 {
            self.count -= 32;
            let word = (self.buffer >> self.count) as u32;
            self.put_bytes(&word.to_be_bytes());
        }
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
    }

    /// Writes the last bits, padded with ones.
    pub(super) fn finish(&mut self) {
        let padding = self.count.wrapping_neg() % 8;
        self.put((1 << padding) - 1, padding);
        let bytes = self.buffer.to_be_bytes();
        self.put_bytes(&bytes[8 - self.count as usize / 8..]);
        self.count = 0;
    }

    /// Writes a block whose coefficients are in zigzag order, behind one with this DC coefficient.
    pub(super) fn put_block(&mut self, codes: &Codes, block: &[i16; 64], before: i16) {
        let [dc, ac @ ..] = block;
        self.put_value(&codes.dc, 0, i32::from(*dc) - i32::from(before));
        let mut zeros = 0;
        for &value in ac {
            if value == 0 {
                zeros += 1;
                continue;
            }
            while zeros >= 16 {
                self.put_code(codes.ac[0xF0]);
                zeros -= 16;
            }
            self.put_value(&codes.ac, zeros << 4, value.into());
            zeros = 0;
        }
        if zeros > 0 {
            self.put_code(codes.ac[0x00]);
        }
    }

    /// Writes a coefficient: the code of its size, behind a run of zeros in the upper half, then
    /// its bits.
    #[inline(always)]
    fn put_value(&mut self, codes: &[Code; 256], run: usize, value: i32) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        self.put_code(codes[(run | size as usize) % 256]);
        // A negative value is one less (F.1.2.1.1).
        let bits = (value + (value >> 31)) as u32;
        self.put(bits & ((1 << size) - 1), size);
    }

    #[inline(always)]
    fn put_code(&mut self, code: Code) {
        self.put(code.bits.into(), code.length.into());
    }
}

/// The code of a value. Its length is 0 where there is none.
#[derive(Clone, Copy, Debug)]
struct Code {
    bits: u16,
    length: u8,
}

/// The codes of a component, by value.
#[derive(Debug)]
pub(super) struct Codes {
    dc: [Code; 256],
    ac: [Code; 256],
}

pub(super) static LUMINANCE: Codes = Codes {
    dc: codes(&LUMINANCE_DC),
    ac: codes(&LUMINANCE_AC),
};

pub(super) static CHROMINANCE: Codes = Codes {
    dc: codes(&CHROMINANCE_DC),
    ac: codes(&CHROMINANCE_AC),
};

/// Returns the codes of a definition: 16 counts, then the values (T.81 annex C).
const fn codes(definition: &[u8]) -> [Code; 256] {
    let mut codes = [Code { bits: 0, length: 0 }; 256];
    let (mut code, mut at, mut length) = (0, 16, 1);
    while length <= 16 {
        let end = at + definition[length - 1] as usize;
        while at < end {
            codes[definition[at] as usize] = Code {
                bits: code,
                length: length as u8,
            };
            code += 1;
            at += 1;
        }
        // The last length may leave no code.
        code = code.wrapping_shl(1);
        length += 1;
    }
    codes
}
