//! What a Huffman code means for a walk without pixels: how many bits to skip, and how many
//! coefficients they encode.

use crate::jpeg::tables::Class;

/// One or more codes, each with the bits after it that encode the coefficient itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodeStep {
    pub(super) bits: u8,
    /// How many AC coefficients of the block it passes, plus [`END_OF_BLOCK`] if it ends the block.
    /// Of a DC coefficient: how many bits encode it.
    pub(super) coefficients: u8,
}

impl CodeStep {
    /// The bits are not a code, or one too long for the lookup. Exceeds every block.
    pub(super) const UNKNOWN: Self = Self {
        bits: 0,
        coefficients: u8::MAX,
    };

    /// Takes the place of AC coefficients where there are none: the block has ended.
    pub(super) const NO_AC: Self = Self {
        bits: 0,
        coefficients: END_OF_BLOCK,
    };

    /// Returns the step for a code with this value, without the bits of the code itself.
    pub(super) fn of_value(class: Class, value: u8) -> Option<Self> {
        let (run, size) = (value >> 4, value & 15);
        let (bits, coefficients) = match (class, run, size) {
            // F.1.2.1.1: the value is the number of bits, at most 15 even with 12 bits per sample.
            (Class::Dc, 0, _) => (size, size),
            (Class::Dc, ..) => return None,
            // F.2.2.2: 15 is a run of 16 zeros. Decoders treat all other runs without a coefficient
            // as the end of the block.
            (Class::Ac, 15, 0) => (0, ZERO_RUN),
            (Class::Ac, _, 0) => (0, END_OF_BLOCK),
            (Class::Ac, ..) => (size, run + 1),
        };
        Some(Self { bits, coefficients })
    }
}

/// More than a block has.
pub(super) const END_OF_BLOCK: u8 = 128;

/// The coefficients of a block.
pub(super) const BLOCK: u32 = 64;

const ZERO_RUN: u8 = 16;
