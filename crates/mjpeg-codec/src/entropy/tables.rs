//! The Huffman tables in force.

use std::{ops::Range, sync::LazyLock};

use super::table::Table;
use crate::jpeg::tables::{
    CHROMINANCE_AC, CHROMINANCE_DC, Class, Definition, LUMINANCE_AC, LUMINANCE_DC,
};

/// The tables that DHT segments have defined so far. Initially the typical ones, which decoders
/// assume for frames that define none.
#[derive(Debug)]
pub(super) struct Tables {
    dc: [Slot; 4],
    ac: [Slot; 4],
}

/// A table is expanded when a scan needs it, because defining one takes few bytes, but expanding it
/// takes time.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Undefined,
    Initial(&'static [u8]),
    /// The place of the definition in the frame.
    Defined(Range<usize>),
    Typical(&'static Table),
    Expanded(Box<Table>),
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
            *self.slot(table.class, table.id)? = Slot::Defined(codes_at..at);
        }
        Some(())
    }

    /// Expands a table of the frame for a scan whose data have `length` bytes. Returns `None` if
    /// there is no such table, or if it contradicts itself.
    pub(super) fn expand(
        &mut self,
        class: Class,
        id: u8,
        length: usize,
        frame: &[u8],
    ) -> Option<()> {
        let slot = self.slot(class, id)?;
        let definition = match slot {
            Slot::Initial(definition) => definition,
            Slot::Defined(range) => &frame[range.clone()],
            Slot::Undefined | Slot::Typical(_) | Slot::Expanded(_) => return Some(()),
        };
        let mut typical = TYPICAL.iter();
        *slot = match typical.find(|t| t.class == class && t.definition == definition) {
            Some(typical) => Slot::Typical(&typical.table),
            None => {
                let join = length >= JOINING_PAYS_BYTES;
                Slot::Expanded(Table::new(class, definition, join)?)
            }
        };
        Some(())
    }

    /// Returns an expanded table.
    pub(super) fn get(&self, class: Class, id: u8) -> Option<&Table> {
        let slots = match class {
            Class::Dc => &self.dc,
            Class::Ac => &self.ac,
        };
        match slots.get(usize::from(id))? {
            Slot::Typical(table) => Some(table),
            Slot::Expanded(table) => Some(table),
            Slot::Undefined | Slot::Initial(_) | Slot::Defined(_) => None,
        }
    }

    fn slot(&mut self, class: Class, id: u8) -> Option<&mut Slot> {
        let slots = match class {
            Class::Dc => &mut self.dc,
            Class::Ac => &mut self.ac,
        };
        slots.get_mut(usize::from(id))
    }
}

/// A typical table, expanded.
struct Typical {
    class: Class,
    definition: &'static [u8],
    table: Box<Table>,
}

/// The typical tables. Nearly all cameras use these, so they are expanded only once.
static TYPICAL: LazyLock<Vec<Typical>> = LazyLock::new(|| {
    let definitions: [(Class, &'static [u8]); 4] = [
        (Class::Dc, &LUMINANCE_DC),
        (Class::Dc, &CHROMINANCE_DC),
        (Class::Ac, &LUMINANCE_AC),
        (Class::Ac, &CHROMINANCE_AC),
    ];
    let expanded = definitions.into_iter().filter_map(|(class, definition)| {
        let table = Table::new(class, definition, true)?;
        Some(Typical {
            class,
            definition,
            table,
        })
    });
    expanded.collect()
});

/// From this length of a scan, joined codes save more time than joining them takes (measured: about
/// 8 µs per table).
const JOINING_PAYS_BYTES: usize = 8 << 10;
