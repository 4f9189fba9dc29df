//! The codes of a Huffman table.

use std::ops::Range;

use super::{bits::Bits, damage::Flaw, step::CodeStep};
use crate::jpeg::tables::Class;

/// The codes that a definition assigns (T.81 B.2.4.2 and annex C).
#[derive(Debug)]
pub(super) struct CodeTable {
    class: Class,
    /// For each code length from 1 bit: one more than the last code, filled up with zeros to 16
    /// bits. A code that is not less is longer.
    ends: [u32; 16],
    /// For each code length: the offset from a code to the place of its value.
    places: [i32; 16],
    values: [u8; 256],
}

/// One of the codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableCode {
    /// Filled up with zeros to 16 bits.
    pub(super) bits: u32,
    pub(super) length: u32,
    /// The step over it and the bits after it; `None` if its value means nothing.
    pub(super) step: Option<CodeStep>,
}

impl TableCode {
    /// Returns the entries of a lookup of `index_bits` that belong to it.
    pub(super) fn entries(&self, index_bits: u32) -> Range<usize> {
        let from = (self.bits >> (16 - index_bits)) as usize;
        from..from + (1 << (index_bits - self.length))
    }
}

impl CodeTable {
    /// A table without codes.
    pub(super) const NONE: Self = Self {
        class: Class::Ac,
        ends: [0; 16],
        places: [0; 16],
        values: [0; 256],
    };

    /// Reads a definition: 16 counts, then the values. Returns `None` if there are more codes than
    /// a length can have, or not as many values as codes.
    pub(super) fn new(class: Class, definition: &[u8]) -> Option<Self> {
        let (counts, values) = definition.split_first_chunk::<16>()?;
        let mut codes = Self {
            class,
            ..Self::NONE
        };
        codes
            .values
            .get_mut(..values.len())?
            .copy_from_slice(values);
        let (mut code, mut place) = (0, 0);
        for (index, &count) in counts.iter().enumerate() {
            let length = index as u32 + 1;
            let end = code + u32::from(count);
            if end > 1 << length {
                return None;
            }
            codes.ends[index] = end << (16 - length);
            codes.places[index] = place as i32 - code as i32;
            place += usize::from(count);
            code = end << 1;
        }
        (place == values.len()).then_some(codes)
    }

    /// Returns the codes of at most `longest` bits, in their order.
    pub(super) fn up_to(&self, longest: u32) -> impl Iterator<Item = TableCode> {
        let begins = [0].into_iter().chain(self.ends);
        let lengths = (1..=longest).zip(begins).zip(self.ends);
        lengths.flat_map(move |((length, begin), end)| {
            let codes = (begin..end).step_by(1 << (16 - length));
            codes.map(move |bits| TableCode {
                bits,
                length,
                step: self.step(bits, length).map(|step| CodeStep {
                    bits: step.bits + length as u8,
                    ..step
                }),
            })
        })
    }

    /// Takes one code of any length and the bits after it. Returns its step without the bits of the
    /// code itself.
    #[cold]
    #[inline(never)]
    pub(super) fn take<'d>(&self, mut bits: Bits<'d>) -> (Bits<'d>, Result<CodeStep, Flaw>) {
        bits.refill();
        let next = (bits.peek() >> 48) as u32;
        let length = 1 + self.ends.iter().filter(|&&end| end <= next).count() as u32;
        let step = self.step(next, length);
        // 16 bits were examined to know that they are not a code.
        bits.take(step.map_or(16, |step| length + u32::from(step.bits)));
        (bits, step.ok_or(Flaw::BadCode))
    }

    /// Returns the step for the code of this length at the head of 16 bits, without its own bits.
    fn step(&self, bits: u32, length: u32) -> Option<CodeStep> {
        let places = self.places.get(length as usize - 1)?;
        let code = bits >> (16 - length);
        let place = usize::try_from(code as i32 + places).ok()?;
        CodeStep::of_value(self.class, *self.values.get(place)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_codes_than_there_can_be_are_refused() {
        let codes = |counts: &[u8], values: usize| {
            let mut definition = counts.to_vec();
            definition.resize(16 + values, 0);
            CodeTable::new(Class::Ac, &definition).is_some()
        };
        assert!(codes(&[2], 2));
        assert!(!codes(&[3], 3));
        assert!(codes(&[1, 2], 3));
        assert!(!codes(&[1, 3], 4));
        assert!(!codes(&[2], 1));
        assert!(!codes(&[2], 3));
    }
}
