//! The lookups with which the codes of a block are passed, several at a time.

use super::{
    bits::Bits,
    code_table::CodeTable,
    damage::Flaw,
    step::{BLOCK, CodeStep, END_OF_BLOCK},
};
use crate::jpeg::tables::Class;

/// A table for DC coefficients and one for AC coefficients, expanded for the blocks that use both.
#[derive(Debug)]
pub(super) struct BlockLookup {
    /// How blocks begin, indexed by the next [`START_BITS`] bits.
    starts: [BlockStart; 1 << START_BITS],
    /// How they go on, indexed by the next [`STEP_BITS`] bits.
    steps: [CodeStep; 1 << STEP_BITS],
    dc: CodeTable,
    ac: CodeTable,
}

/// The code of a DC coefficient with the bits after it, and codes of AC coefficients that follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockStart {
    /// All bits; 0 if the lookup does not know the code.
    pub(super) bits: u8,
    /// Those of the DC coefficient with its code.
    pub(super) dc_bits: u8,
    /// Those of the DC coefficient without its code.
    pub(super) dc_size: u8,
    /// The position in the block after it. Greater than [`BLOCK`] if it ends the block.
    pub(super) at: u8,
}

impl BlockLookup {
    /// Expands two definitions, each of 16 counts and then the values. Without one for AC, the
    /// blocks have no AC coefficients. Returns `None` if a definition contradicts itself.
    ///
    /// With `join`, a walk takes fewer steps, but expanding the tables takes some microseconds
    /// more.
    pub(super) fn new(dc: &[u8], ac: Option<&[u8]>, join: bool) -> Option<Box<Self>> {
        let dc = CodeTable::new(Class::Dc, dc)?;
        let (ac, singles, at) = match ac {
            Some(ac) => {
                let ac = CodeTable::new(Class::Ac, ac)?;
                let singles = Singles::of(&ac);
                (ac, singles, 1)
            }
            None => (CodeTable::NONE, Singles::NO_AC, 1 + END_OF_BLOCK),
        };
        let mut lookup = Box::new(Self {
            starts: [BlockStart::UNKNOWN; 1 << START_BITS],
            steps: singles.steps,
            dc,
            ac,
        });
        lookup.fill_starts(at, &singles, if join { START_BITS } else { 0 });
        if join {
            lookup.join_steps(&singles);
        }
        Some(lookup)
    }

    /// Enters the codes of DC coefficients, and joins to each the codes that are certain to follow
    /// if so many bits are known.
    fn fill_starts(&mut self, at: u8, singles: &Singles, known_bits: u32) {
        for code in self.dc.up_to(START_BITS) {
            let Some(dc) = code.step.filter(|step| step.bits <= MOST_START_BITS) else {
                continue;
            };
            let step = CodeStep {
                bits: dc.bits,
                coefficients: at,
            };
            let range = code.entries(START_BITS);
            let first = range.start;
            fill(&mut self.starts[range], dc, known_bits, |number| {
                let next = (first + number) << (STEP_BITS - START_BITS);
                let joined = singles.joined(step, next, known_bits, MOST_START_BITS);
                BlockStart {
                    bits: joined.bits,
                    dc_bits: dc.bits,
                    dc_size: dc.coefficients,
                    at: joined.coefficients,
                }
            });
        }
    }

    /// Joins to each step those that are certain to follow it.
    fn join_steps(&mut self, singles: &Singles) {
        for code in self.ac.up_to(STEP_BITS) {
            let Some(step) = code.step.filter(|step| step.bits <= MOST_STEP_BITS) else {
                continue;
            };
            let range = code.entries(STEP_BITS);
            let first = range.start;
            fill(&mut self.steps[range], step, STEP_BITS, |number| {
                singles.joined(step, first + number, STEP_BITS, MOST_STEP_BITS)
            });
        }
    }

    /// Looks up how the next block begins.
    #[inline(always)]
    pub(super) fn start(&self, bits: &Bits<'_>) -> BlockStart {
        self.starts[(bits.peek() >> (64 - START_BITS)) as usize]
    }

    /// Looks up the next step inside a block without taking it.
    #[inline(always)]
    pub(super) fn step(&self, bits: &Bits<'_>) -> CodeStep {
        self.steps[(bits.peek() >> (64 - STEP_BITS)) as usize]
    }

    /// Takes the next step if it stays inside the block.
    #[inline(always)]
    pub(super) fn step_inside(&self, bits: &mut Bits<'_>, at: &mut u32) -> bool {
        let step = self.step(bits);
        let to = *at + u32::from(step.coefficients);
        if to >= BLOCK {
            return false;
        }
        bits.take(u32::from(step.bits));
        *at = to;
        true
    }

    /// Takes one code of a DC coefficient and the bits after it.
    pub(super) fn one_dc<'d>(&self, bits: Bits<'d>) -> (Bits<'d>, Result<CodeStep, Flaw>) {
        self.dc.take(bits)
    }

    /// Takes one code of AC coefficients and the bits after it.
    pub(super) fn one_ac<'d>(&self, bits: Bits<'d>) -> (Bits<'d>, Result<CodeStep, Flaw>) {
        self.ac.take(bits)
    }
}

impl BlockStart {
    /// The bits are not a code, or one too long for the lookup.
    const UNKNOWN: Self = Self {
        bits: 0,
        dc_bits: 0,
        dc_size: 0,
        at: 1,
    };
}

/// Fills the entries of a code by their number. They depend only on the known bits after its step,
/// so that most are copies.
fn fill<T: Copy>(entries: &mut [T], step: CodeStep, known_bits: u32, entry: impl Fn(usize) -> T) {
    let after = known_bits.saturating_sub(step.bits.into());
    let (distinct, copies) = entries.split_at_mut(1 << after);
    for (number, place) in distinct.iter_mut().enumerate() {
        *place = entry(number);
    }
    for copy in copies.chunks_exact_mut(distinct.len()) {
        copy.copy_from_slice(distinct);
    }
}

/// The codes of AC coefficients one by one, indexed by the next [`STEP_BITS`] bits.
struct Singles {
    steps: [CodeStep; 1 << STEP_BITS],
    /// Of the codes alone.
    lengths: [u8; 1 << STEP_BITS],
}

impl Singles {
    const NO_AC: Self = Self {
        steps: [CodeStep::NO_AC; 1 << STEP_BITS],
        lengths: [0; 1 << STEP_BITS],
    };

    fn of(codes: &CodeTable) -> Self {
        let mut singles = Self {
            steps: [CodeStep::UNKNOWN; 1 << STEP_BITS],
            lengths: [0; 1 << STEP_BITS],
        };
        for code in codes.up_to(STEP_BITS) {
            let entries = code.entries(STEP_BITS);
            singles.lengths[entries.clone()].fill(code.length as u8);
            if let Some(step) = code.step
                && step.bits <= MOST_STEP_BITS
            {
                singles.steps[entries].fill(step);
            }
        }
        singles
    }

    /// Joins to a step those that are certain to follow it, if the first `known_bits` of the bits
    /// in `next` are known; the others are zeros.
    fn joined(&self, mut step: CodeStep, next: usize, known_bits: u32, most_bits: u8) -> CodeStep {
        loop {
            let following_at = (next << step.bits) % self.steps.len();
            let following = self.steps[following_at];
            let code_is_known = step.bits + self.lengths[following_at] <= known_bits as u8;
            // A block that has ended takes no more codes, nor one that may have ended.
            let coefficients = step
                .coefficients
                .saturating_add(following.coefficients % END_OF_BLOCK);
            let bits = step.bits + following.bits;
            if !code_is_known
                || following.bits == 0
                || u32::from(coefficients) >= BLOCK
                || bits > most_bits
            {
                return step;
            }
            step.bits = bits;
            step.coefficients += following.coefficients;
        }
    }
}

/// Nearly all codes of DC coefficients are shorter.
const START_BITS: u32 = 11;

/// Long enough for most codes with their bits. A larger table would push other data out of the
/// fastest cache.
const STEP_BITS: u32 = 12;

/// What two steps leave of the bits that a refill ensures.
const MOST_START_BITS: u8 = 20;

/// A third of the bits that a refill ensures.
const MOST_STEP_BITS: u8 = 18;
