//! Huffman tables for a walk without pixels: how many bits to skip, and how many coefficients they
//! encode.

use super::{bits::Bits, damage::Flaw};
use crate::jpeg::tables::Class;

/// A Huffman table, expanded (T.81 B.2.4.2 and annex C).
#[derive(Debug)]
pub(super) struct Table {
    class: Class,
    /// Steps, indexed by the next [`LOOKUP_BITS`] bits.
    lookup: [CodeStep; 1 << LOOKUP_BITS],
    /// For each code length from 1 bit: one more than the last code, filled up with zeros to 16
    /// bits. A code that is not less is longer.
    ends: [u32; 16],
    /// For each code length: the offset from a code to the place of its value.
    places: [i32; 16],
    values: [u8; 256],
}

/// One or more codes, each with the bits after it that encode the coefficient itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodeStep {
    pub(super) bits: u8,
    /// How many AC coefficients of the block it passes, plus [`END_OF_BLOCK`] if it ends the block.
    /// Of a DC coefficient: how many bits encode it.
    pub(super) coefficients: u8,
}

impl CodeStep {
    /// Returns the step for a code with this value, without the bits of the code itself.
    fn of_code(class: Class, value: u8) -> Option<Self> {
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

impl Table {
    /// Expands a definition: 16 counts, then the values. Returns `None` if there are more codes
    /// than a length can have, or not as many values as codes.
    ///
    /// With `join`, a walk over AC coefficients takes fewer steps, but expanding the table takes
    /// some microseconds more.
    pub(super) fn new(class: Class, definition: &[u8], join: bool) -> Option<Box<Self>> {
        let (counts, values) = definition.split_first_chunk::<16>()?;
        let mut table = Box::new(Self {
            class,
            lookup: [UNKNOWN; 1 << LOOKUP_BITS],
            ends: [0; 16],
            places: [0; 16],
            values: [0; 256],
        });
        table
            .values
            .get_mut(..values.len())?
            .copy_from_slice(values);
        let mut lengths = [0; 1 << LOOKUP_BITS];
        let (mut code, mut place) = (0, 0);
        for (index, &count) in counts.iter().enumerate() {
            let length = index as u32 + 1;
            let end = code + u32::from(count);
            if end > 1 << length {
                return None;
            }
            table.ends[index] = end << (16 - length);
            table.places[index] = place as i32 - code as i32;
            let of_length = values.get(place..place + usize::from(count))?;
            if length <= LOOKUP_BITS {
                let span = 1 << (LOOKUP_BITS - length);
                let all = code as usize * span..end as usize * span;
                lengths[all.clone()].fill(length as u8);
                for (entries, &value) in table.lookup[all].chunks_exact_mut(span).zip(of_length) {
                    if let Some(mut step) = CodeStep::of_code(class, value) {
                        step.bits += length as u8;
                        if step.bits <= MOST_STEP_BITS {
                            entries.fill(step);
                        }
                    }
                }
            }
            place += of_length.len();
            code = end << 1;
        }
        if join && class == Class::Ac {
            table.join(&lengths);
        }
        (place == values.len()).then_some(table)
    }

    /// Joins to each step those that are certain to follow it. `lengths` are those of the codes in
    /// the lookup.
    fn join(&mut self, lengths: &[u8; 1 << LOOKUP_BITS]) {
        let single = self.lookup;
        for (index, step) in self.lookup.iter_mut().enumerate() {
            loop {
                // Unknown next bits are zeros here.
                let next_index = (index << step.bits) % single.len();
                let next = single[next_index];
                let code_is_known = step.bits + lengths[next_index] <= LOOKUP_BITS as u8;
                // A block that has ended takes no more codes, nor one that may have ended.
                let coefficients = step
                    .coefficients
                    .saturating_add(next.coefficients % END_OF_BLOCK);
                let bits = step.bits + next.bits;
                if !code_is_known
                    || next.bits == 0
                    || u32::from(coefficients) >= BLOCK
                    || bits > MOST_STEP_BITS
                {
                    break;
                }
                step.bits = bits;
                step.coefficients += next.coefficients;
            }
        }
    }

    /// Looks up the next step without taking it.
    #[inline(always)]
    pub(super) fn next(&self, bits: &Bits<'_>) -> CodeStep {
        self.lookup[(bits.peek() >> (64 - LOOKUP_BITS)) as usize]
    }

    /// Takes the next step if it stays inside the block.
    #[inline(always)]
    pub(super) fn step_inside(&self, bits: &mut Bits<'_>, at: &mut u32) -> bool {
        let step = self.next(bits);
        let to = *at + u32::from(step.coefficients);
        if to >= BLOCK {
            return false;
        }
        bits.take(u32::from(step.bits));
        *at = to;
        true
    }

    /// Takes one code of any length and the bits after it, and returns its step.
    #[cold]
    #[inline(never)]
    pub(super) fn one<'d>(&self, mut bits: Bits<'d>) -> (Bits<'d>, Result<CodeStep, Flaw>) {
        bits.refill();
        let next = (bits.peek() >> 48) as u32;
        let step = self
            .ends
            .iter()
            .position(|&end| next < end)
            .and_then(|index| {
                let code = next >> (15 - index);
                let place = usize::try_from(code as i32 + self.places[index]).ok()?;
                let step = CodeStep::of_code(self.class, *self.values.get(place)?)?;
                bits.take(index as u32 + 1 + u32::from(step.bits));
                Some(step)
            });
        if step.is_none() {
            // 16 bits were examined to know that they are not a code.
            bits.take(16);
        }
        (bits, step.ok_or(Flaw::BadCode))
    }
}

/// Takes the place of a table where there are no AC coefficients: each block has ended.
pub(super) static NO_AC: Table = Table {
    class: Class::Ac,
    lookup: [CodeStep {
        bits: 0,
        coefficients: END_OF_BLOCK,
    }; 1 << LOOKUP_BITS],
    ends: [0; 16],
    places: [0; 16],
    values: [0; 256],
};

/// The lookup has no step: the bits are not a code, or one too long for it. Exceeds every block.
const UNKNOWN: CodeStep = CodeStep {
    bits: 0,
    coefficients: u8::MAX,
};

/// More than a block has.
pub(super) const END_OF_BLOCK: u8 = 128;

/// The coefficients of a block.
pub(super) const BLOCK: u32 = 64;

const ZERO_RUN: u8 = 16;

/// Long enough for most codes with their bits. A larger table would push other data out of the
/// fastest cache.
const LOOKUP_BITS: u32 = 11;

/// A third of the bits that a refill ensures.
const MOST_STEP_BITS: u8 = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_codes_than_there_can_be_are_refused() {
        let table = |counts: &[u8], values: usize| {
            let mut definition = counts.to_vec();
            definition.resize(16 + values, 0);
            Table::new(Class::Ac, &definition, true).is_some()
        };
        assert!(table(&[2], 2));
        assert!(!table(&[3], 3));
        assert!(table(&[1, 2], 3));
        assert!(!table(&[1, 3], 4));
        assert!(!table(&[2], 1));
        assert!(!table(&[2], 3));
    }
}
