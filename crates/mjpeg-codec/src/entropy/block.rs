//! Walks one block.

use std::ops::Range;

use super::{
    bits::Bits,
    block_lookup::BlockLookup,
    damage::Flaw,
    step::{BLOCK, END_OF_BLOCK},
};

/// Takes the codes of one block (T.81 F.2.2), and gives away the difference of its DC coefficient.
#[inline(always)]
pub(super) fn pass_block(
    bits: &mut Bits<'_>,
    lookup: &BlockLookup,
    take_difference: impl FnOnce(i32),
) -> Result<(), Flaw> {
    bits.refill();
    let start = lookup.start(bits);
    let mut at = u32::from(start.at);
    if start.bits > 0 {
        let dc_bits = bits.peek() >> 1 >> (63 - start.dc_bits % 64);
        take_difference(extend(dc_bits, start.dc_size));
        bits.take(u32::from(start.bits));
        if at > BLOCK {
            return Ok(());
        }
    } else {
        let (before, step);
        (before, (*bits, step)) = (*bits, lookup.one_dc(*bits));
        take_difference(extend(bits.taken_since(&before), step?.coefficients));
        bits.refill();
    }
    loop {
        // A refill suffices for a start and two steps, or for three steps.
        let is_inside = lookup.step_inside(bits, &mut at) && lookup.step_inside(bits, &mut at) && {
            bits.refill();
            lookup.step_inside(bits, &mut at)
        };
        if is_inside {
            continue;
        }
        let step = lookup.step(bits);
        let to = at + u32::from(step.coefficients);
        if to == BLOCK || ENDED.contains(&to) {
            bits.take(u32::from(step.bits));
            return Ok(());
        }
        // A code too long for the lookup, or joined codes that exceed the block.
        let step;
        (*bits, step) = lookup.one_ac(*bits);
        let step = step?;
        at += u32::from(step.coefficients);
        // Zeros beyond the end are harmless in a decoder.
        if at == BLOCK || (at > BLOCK && step.bits == 0) {
            return Ok(());
        }
        if at > BLOCK {
            return Err(Flaw::LongBlock);
        }
        bits.refill();
    }
}

/// Returns the difference that the last `size` of these bits encode, the last of them lowermost
/// (T.81 F.2.2.1: EXTEND).
#[inline(always)]
fn extend(bits: u64, size: u8) -> i32 {
    let size = u32::from(size) % 16;
    let value = (bits & ((1 << size) - 1)) as i32;
    // If the first bit is 0, the value is negative.
    let is_negative = i32::from(value < (1 << size) >> 1);
    value - is_negative * ((1 << size) - 1)
}

/// The possible positions after a block that ended before its last coefficient.
const ENDED: Range<u32> = END_OF_BLOCK as u32 + 1..END_OF_BLOCK as u32 + BLOCK;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A table as a DHT segment defines it, with codes of any length, often long ones.
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

    /// Reads bits one by one.
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

        /// Decodes one code by trying all lengths (T.81 F.2.2.3). Returns `None` beyond the end of
        /// the data.
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

        /// Takes the bits of a DC coefficient, and returns the difference (T.81 F.2.2.1).
        fn difference(&mut self, size: u8) -> Option<i32> {
            let mut value = 0;
            for _ in 0..size {
                value = value << 1 | self.bit()? as i32;
            }
            let is_negative = size > 0 && value < 1 << (size - 1);
            Some(if is_negative {
                value - (1 << size) + 1
            } else {
                value
            })
        }

        /// Returns the difference of the block's DC coefficient.
        fn block(&mut self, dc: &[u8], ac: Option<&[u8]>) -> Option<Result<i32, Flaw>> {
            let difference = match self.value(dc)? {
                Ok(size @ 0..=15) => self.difference(size)?,
                _ => return Some(Err(Flaw::BadCode)),
            };
            let Some(ac) = ac else {
                return Some(Ok(difference));
            };
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
            Some(Ok(difference))
        }
    }

    /// Walks the blocks in `data`, which must hold no `FF`, with both implementations.
    fn check(dc: &[u8], ac: Option<&[u8]>, join: bool, data: &[u8]) -> Result<(), TestCaseError> {
        let lookup = BlockLookup::new(dc, ac, join).unwrap();
        let (mut bits, mut slow) = (Bits::new(data), Slow { data, taken: 0 });
        loop {
            let mut difference = None;
            let outcome = pass_block(&mut bits, &lookup, |found| difference = Some(found));
            let Some(expected) = slow.block(dc, ac) else {
                prop_assert!(bits.overdrawn());
                return Ok(());
            };
            prop_assert_eq!(outcome, expected.map(drop));
            let Ok(expected) = expected else {
                return Ok(());
            };
            prop_assert_eq!(difference, Some(expected));
            prop_assert!(!bits.overdrawn());
            prop_assert_eq!(bits.bytes_left(), (8 * data.len() - slow.taken) / 8);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 200,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn blocks_are_those_of_a_walk_bit_by_bit(
            dc in definition(),
            ac in proptest::option::weighted(0.9, definition()),
            join: bool,
            data in proptest::collection::vec(0u8..=0xFE, 0..200),
        ) {
            check(&dc, ac.as_deref(), join, &data)?;
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
            check(&dc, Some(&ac), true, &data).unwrap();
        }
    }
}
