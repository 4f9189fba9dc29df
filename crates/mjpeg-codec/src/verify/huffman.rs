//! Huffman tables in the form that a walk without pixels needs: how many bits to skip, and how many coefficients they are.

use std::ops::Range;

use super::{Flaw, bits::Bits};

/// A Huffman table, expanded (T.81 B.2.4.2 and annex C).
#[derive(Debug)]
pub(super) struct Table {
    class: Class,
    /// By the next [`LOOKUP_BITS`] bits.
    lookup: [Step; 1 << LOOKUP_BITS],
    /// By length, from 1 bit on: one more than the last code, filled up with zeros to 16 bits. A code that is not less is longer.
    ends: [u32; 16],
    /// By length: what to add to a code to get the place of its value.
    places: [i32; 16],
    values: [u8; 256],
}

/// What a table is for (B.2.4.2: Tc).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Dc,
    Ac,
}

/// One code or several, each with the bits behind it that give the coefficient itself.
#[derive(Clone, Copy, Debug)]
struct Step {
    bits: u8,
    /// How many coefficients of the block are passed, plus [`END_OF_BLOCK`] if that is the last code.
    coefficients: u8,
}

impl Class {
    /// What a code with this value stands for, its own bits not counted.
    fn step(self, value: u8) -> Option<Step> {
        let (run, size) = (value >> 4, value & 15);
        let (bits, coefficients) = match (self, run, size) {
            // F.1.2.1.1: the value is the number of bits, no more than 15 even with 12 bits a sample.
            (Self::Dc, 0, _) => (size, 1),
            (Self::Dc, ..) => return None,
            // F.2.2.2: 15 is a run of 16 zeros; decoders take all other runs without a coefficient for the end of the block.
            (Self::Ac, 15, 0) => (0, ZERO_RUN),
            (Self::Ac, _, 0) => (0, END_OF_BLOCK),
            (Self::Ac, ..) => (size, run + 1),
        };
        Some(Step { bits, coefficients })
    }
}

impl Table {
    /// Expands a table that is given as 16 counts and the values. `None` if there are more codes of a length than it can have, or not
    /// as many values as codes.
    ///
    /// With `join` a walk over AC coefficients takes fewer steps, but the table takes some microseconds more.
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
                    if let Some(mut step) = class.step(value) {
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

    /// Joins to each step those that are sure to follow it. Takes the lengths of the codes in the lookup.
    fn join(&mut self, lengths: &[u8; 1 << LOOKUP_BITS]) {
        let single = self.lookup;
        for (index, step) in self.lookup.iter_mut().enumerate() {
            loop {
                // Zeros stand where the next bits are not known.
                let next_index = (index << step.bits) % single.len();
                let next = single[next_index];
                let code_is_known = step.bits + lengths[next_index] <= LOOKUP_BITS as u8;
                // A block that is ended takes no more, nor one that may be.
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

    #[inline(always)]
    fn next(&self, bits: &Bits<'_>) -> Step {
        self.lookup[(bits.peek() >> (64 - LOOKUP_BITS)) as usize]
    }

    /// Takes the next step if it stays inside the block.
    #[inline(always)]
    fn step_inside(&self, bits: &mut Bits<'_>, at: &mut u32) -> bool {
        let step = self.next(bits);
        let to = *at + u32::from(step.coefficients);
        if to >= BLOCK {
            return false;
        }
        bits.take(u32::from(step.bits));
        *at = to;
        true
    }

    /// Takes one code of any length and the bits behind it, and returns what it stands for.
    #[cold]
    #[inline(never)]
    fn one<'d>(&self, mut bits: Bits<'d>) -> (Bits<'d>, Result<Step, Flaw>) {
        bits.refill();
        let next = (bits.peek() >> 48) as u32;
        let step = self
            .ends
            .iter()
            .position(|&end| next < end)
            .and_then(|index| {
                let code = next >> (15 - index);
                let place = usize::try_from(code as i32 + self.places[index]).ok()?;
                let step = self.class.step(*self.values.get(place)?)?;
                bits.take(index as u32 + 1 + u32::from(step.bits));
                Some(step)
            });
        if step.is_none() {
            // So many were looked at to know that they are no code.
            bits.take(16);
        }
        (bits, step.ok_or(Flaw::BadCode))
    }
}

/// Takes the codes of one block (F.2.2).
#[inline(always)]
pub(super) fn skip_block(bits: &mut Bits<'_>, dc: &Table, ac: &Table) -> Result<(), Flaw> {
    bits.refill();
    let step = dc.next(bits);
    bits.take(u32::from(step.bits));
    if step.bits == 0 {
        let step;
        (*bits, step) = dc.one(*bits);
        step?;
    }
    let mut at = 1;
    loop {
        bits.refill();
        // The bits are enough for three steps.
        if ac.step_inside(bits, &mut at)
            && ac.step_inside(bits, &mut at)
            && ac.step_inside(bits, &mut at)
        {
            continue;
        }
        let step = ac.next(bits);
        let to = at + u32::from(step.coefficients);
        if to == BLOCK || ENDED.contains(&to) {
            bits.take(u32::from(step.bits));
            return Ok(());
        }
        // A code too long for the lookup, or joined ones that go beyond the block.
        let step;
        (*bits, step) = ac.one(*bits);
        let step = step?;
        at += u32::from(step.coefficients);
        // Zeros beyond the end do no harm in a decoder.
        if at == BLOCK || (at > BLOCK && step.bits == 0) {
            return Ok(());
        }
        if at > BLOCK {
            return Err(Flaw::LongBlock);
        }
    }
}

/// Where the lookup says nothing: no code, or one too long for it. Goes beyond every block.
const UNKNOWN: Step = Step {
    bits: 0,
    coefficients: u8::MAX,
};

/// More than a block has.
const END_OF_BLOCK: u8 = 128;

/// Where a block may be that is ended before its last coefficient.
const ENDED: Range<u32> = END_OF_BLOCK as u32 + 1..END_OF_BLOCK as u32 + BLOCK;

/// Coefficients of a block.
const BLOCK: u32 = 64;

const ZERO_RUN: u8 = 16;

/// Long enough for most codes with their bits; longer ones would push other things out of the fastest cache.
const LOOKUP_BITS: u32 = 11;

/// A third of what a refill makes sure of.
const MOST_STEP_BITS: u8 = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A table as a DHT segment gives it, with codes of any lengths, often long ones.
    fn definition() -> impl Strategy<Value = Vec<u8>> {
        let value = prop_oneof![
            3 => 0x00u8..=0x3F,
            1 => any::<u8>(),
            1 => prop::sample::select(&[0x00, 0xF0, 0xF1, 0xE1][..]),
        ];
        (
            proptest::collection::vec(0u32..6, 16),
            proptest::collection::vec(value, 256),
        )
            .prop_map(|(wanted, values)| {
                let (mut counts, mut free) = (Vec::new(), 1);
                for wanted in wanted {
                    free *= 2;
                    let count = wanted.min(free);
                    free = (free - count).min(1 << 16);
                    counts.push(count as u8);
                }
                let codes = counts.iter().map(|&n| usize::from(n)).sum();
                [&counts[..], &values[..codes]].concat()
            })
    }

    /// Bits one by one.
    struct Slow<'a> {
        data: &'a [u8],
        taken: usize,
    }

    impl Slow<'_> {
        fn bit(&mut self) -> Option<u32> {
            let byte = self.data.get(self.taken / 8)?;
            let bit = byte >> (7 - self.taken % 8) & 1;
            self.taken += 1;
            Some(bit.into())
        }

        /// Decodes one code by trying all lengths (T.81 F.2.2.3). `None` beyond the end of the data.
        fn value(&mut self, definition: &[u8]) -> Option<Result<u8, Flaw>> {
            let (counts, values) = definition.split_at(16);
            let (mut code, mut first, mut place) = (0, 0, 0);
            for &count in counts {
                code = code << 1 | self.bit()?;
                if code < first + u32::from(count) {
                    return Some(Ok(values[place + (code - first) as usize]));
                }
                place += usize::from(count);
                first = (first + u32::from(count)) << 1;
            }
            Some(Err(Flaw::BadCode))
        }

        fn block(&mut self, dc: &[u8], ac: &[u8]) -> Option<Result<(), Flaw>> {
            match self.value(dc)? {
                Ok(size @ 0..=15) => (0..size).try_for_each(|_| self.bit().map(drop))?,
                _ => return Some(Err(Flaw::BadCode)),
            }
            let mut at = 1;
            while at < 64 {
                let value = match self.value(ac)? {
                    Ok(value) => value,
                    Err(flaw) => return Some(Err(flaw)),
                };
                let (run, size) = (value >> 4, value & 15);
                (0..size).try_for_each(|_| self.bit().map(drop))?;
                if size == 0 && run < 15 {
                    break;
                }
                at += run + 1;
                if at > 64 && size > 0 {
                    return Some(Err(Flaw::LongBlock));
                }
            }
            Some(Ok(()))
        }
    }

    /// Walks over the blocks in `data`, which holds no `FF`, in both ways.
    fn check(dc: &[u8], ac: &[u8], join: bool, data: &[u8]) -> Result<(), TestCaseError> {
        let dc_table = Table::new(Class::Dc, dc, join).unwrap();
        let ac_table = Table::new(Class::Ac, ac, join).unwrap();
        let (mut bits, mut slow) = (Bits::new(data), Slow { data, taken: 0 });
        loop {
            let outcome = skip_block(&mut bits, &dc_table, &ac_table);
            let Some(expected) = slow.block(dc, ac) else {
                prop_assert!(bits.overdrawn());
                return Ok(());
            };
            prop_assert_eq!(outcome, expected);
            if outcome.is_err() {
                return Ok(());
            }
            prop_assert!(!bits.overdrawn());
            prop_assert_eq!(bits.bytes_left(), (8 * data.len() - slow.taken) / 8);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn blocks_end_where_a_walk_bit_by_bit_ends(
            dc in definition(),
            ac in definition(),
            join: bool,
            data in proptest::collection::vec(0u8..=0xFE, 0..200),
        ) {
            check(&dc, &ac, join, &data)?;
        }
    }

    #[test]
    fn runs_beyond_the_block_are_not_joined() {
        let definition = |counts: &[u8], values: &[u8]| {
            let mut definition = counts.to_vec();
            definition.resize(16, 0);
            definition.extend(values);
            definition
        };
        let dc = definition(&[1], &[0]);
        // `0`: 16 zeros, `10`: 14 zeros and a coefficient, `110`: a coefficient.
        let ac = definition(&[1, 1, 1], &[0xF0, 0xE1, 0x01]);
        for single in 0..64 {
            // Then 4 x 16 and 15 more, which the lookup could take in one step.
            let bits = [
                "0",
                &"1101".repeat(single),
                "0000101",
                &"00101101".repeat(20),
            ]
            .concat();
            let byte = |bits: &[u8]| bits.iter().fold(0, |byte, bit| byte << 1 | (bit & 1));
            let data: Vec<u8> = bits.as_bytes().chunks_exact(8).map(byte).collect();
            assert!(!data.contains(&0xFF));
            check(&dc, &ac, true, &data).unwrap();
        }
    }

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
