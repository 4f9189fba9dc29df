//! The Huffman tables in force.

use std::{ops::Range, sync::LazyLock};

use super::block_lookup::BlockLookup;
use crate::jpeg::tables::{
    CHROMINANCE_AC, CHROMINANCE_DC, Class, Definition, LUMINANCE_AC, LUMINANCE_DC,
};

/// The tables that DHT segments have defined so far. Initially the typical ones, which decoders
/// assume for frames that define none.
#[derive(Debug)]
pub(super) struct Tables {
    dc: [Slot; 4],
    ac: [Slot; 4],
    pairs: Vec<Pair>,
}

/// Where the definition of a table is.
#[derive(Clone, Debug)]
enum Slot {
    Undefined,
    Initial(&'static [u8]),
    /// In the frame.
    Defined(Range<usize>),
}

/// Two tables that a component selects, expanded. This is done when a scan needs them, because
/// defining a table takes few bytes, but expanding it takes time.
#[derive(Debug)]
struct Pair {
    selected: Selected,
    lookup: PairLookup,
}

/// Which tables a component selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) dc: u8,
    /// `None` if the scan holds only DC coefficients.
    pub(super) ac: Option<u8>,
}

#[derive(Debug)]
enum PairLookup {
    Typical(&'static BlockLookup),
    Own(Box<BlockLookup>),
}

impl Default for Tables {
    fn default() -> Self {
        let slots = |luminance: &'static [u8], chrominance: &'static [u8]| {
            [
                Slot::Initial(luminance),
                Slot::Initial(chrominance),
                Slot::Undefined,
                Slot::Undefined,
            ]
        };
        Self {
            dc: slots(&LUMINANCE_DC, &CHROMINANCE_DC),
            ac: slots(&LUMINANCE_AC, &CHROMINANCE_AC),
            pairs: Vec::new(),
        }
    }
}

impl Tables {
    /// Reads a DHT segment with its payload in this range of the frame (T.81 B.2.4.2). Returns
    /// `None` if it is malformed.
    pub(super) fn define(&mut self, frame: &[u8], payload: Range<usize>) -> Option<()> {
        let mut at = payload.start;
        while at < payload.end {
            let (table, _) = Definition::split_first(&frame[at..payload.end])?;
            let codes_at = at + 1;
            at = codes_at + table.codes.len();
            let slots = match table.class {
                Class::Dc => &mut self.dc,
                Class::Ac => &mut self.ac,
            };
            *slots.get_mut(usize::from(table.id))? = Slot::Defined(codes_at..at);
            self.pairs.clear();
        }
        Some(())
    }

    /// Expands two tables of the frame for a scan whose data have `length` bytes. Returns `None` if
    /// one does not exist, or contradicts itself.
    pub(super) fn expand(&mut self, selected: Selected, length: usize, frame: &[u8]) -> Option<()> {
        if self.get(selected).is_some() {
            return Some(());
        }
        let dc = self.dc.get(usize::from(selected.dc))?.definition(frame)?;
        let ac = match selected.ac {
            Some(ac) => Some(self.ac.get(usize::from(ac))?.definition(frame)?),
            None => None,
        };
        let mut typical = TYPICAL.iter();
        let lookup = match typical.find(|t| t.dc == dc && Some(t.ac) == ac) {
            Some(typical) => PairLookup::Typical(&typical.lookup),
            None => PairLookup::Own(BlockLookup::new(dc, ac, length >= JOINING_PAYS_BYTES)?),
        };
        self.pairs.push(Pair { selected, lookup });
        Some(())
    }

    /// Returns two expanded tables.
    pub(super) fn get(&self, selected: Selected) -> Option<&BlockLookup> {
        let pair = self.pairs.iter().find(|pair| pair.selected == selected)?;
        Some(match &pair.lookup {
            PairLookup::Typical(lookup) => lookup,
            PairLookup::Own(lookup) => lookup,
        })
    }
}

impl Slot {
    fn definition<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Undefined => None,
            Self::Initial(definition) => Some(definition),
            Self::Defined(range) => frame.get(range.clone()),
        }
    }
}

/// Two typical tables, expanded.
struct Typical {
    dc: &'static [u8],
    ac: &'static [u8],
    lookup: Box<BlockLookup>,
}

/// The typical tables. Nearly all cameras use these, so they are expanded only once.
static TYPICAL: LazyLock<Vec<Typical>> = LazyLock::new(|| {
    let definitions: [(&'static [u8], &'static [u8]); 2] = [
        (&LUMINANCE_DC, &LUMINANCE_AC),
        (&CHROMINANCE_DC, &CHROMINANCE_AC),
    ];
    let expanded = definitions.into_iter().filter_map(|(dc, ac)| {
        let lookup = BlockLookup::new(dc, Some(ac), true)?;
        Some(Typical { dc, ac, lookup })
    });
    expanded.collect()
});

/// From this length of a scan, joined steps save more time than joining them takes (measured: about
/// 8 µs per pair of tables).
const JOINING_PAYS_BYTES: usize = 8 << 10;
