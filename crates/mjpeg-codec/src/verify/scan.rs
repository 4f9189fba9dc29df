//! Walks one scan.

use super::{
    bits::Bits,
    block::skip_block,
    picture::Picture,
    table::Table,
    tables::Tables,
    verdict::{Damage, Flaw},
};
use crate::jpeg::tables::Class;

/// A scan as its header describes it (T.81 B.2.3).
#[derive(Debug)]
pub(super) struct Scan<'t> {
    mcus: u32,
    parts: Vec<Part<'t>>,
}

/// The part of one component in each MCU.
#[derive(Debug)]
struct Part<'t> {
    blocks: u32,
    dc: &'t Table,
    ac: &'t Table,
}

impl<'t> Scan<'t> {
    /// Reads a scan header. `tables` are those in force, `length` is that of the scan's data in
    /// bytes. Returns `None` if a component or table does not exist, or if a component already had
    /// its scan.
    pub(super) fn new(
        header: &[u8],
        picture: &mut Picture,
        tables: &'t mut Tables<'_>,
        length: usize,
    ) -> Option<Self> {
        let (&count, rest) = header.split_first()?;
        let (selectors, _) = rest.get(..2 * usize::from(count))?.as_chunks::<2>();
        for &[_, tables_used] in selectors {
            tables.expand(Class::Dc, tables_used >> 4, length)?;
            tables.expand(Class::Ac, tables_used & 15, length)?;
        }
        let tables: &'t Tables<'_> = tables;
        let mut parts = Vec::new();
        let mut mcus = picture.mcus();
        for &[id, tables_used] in selectors {
            let component = picture.scan_component(id)?;
            let blocks = if count == 1 {
                mcus = component.blocks;
                1
            } else {
                component.blocks_per_mcu
            };
            parts.push(Part {
                blocks,
                dc: tables.get(Class::Dc, tables_used >> 4)?,
                ac: tables.get(Class::Ac, tables_used & 15)?,
            });
        }
        Some(Self { mcus, parts })
    }

    /// Walks the scan's data and returns the number of surplus bytes. Offsets of damage count from
    /// the beginning of the data.
    pub(super) fn walk(&self, data: &[u8], restart_interval: u16) -> Result<usize, Damage> {
        let mut bits = Bits::new(data);
        let mut done = 0;
        let mut surplus_bytes = 0;
        let mut number = 0;
        loop {
            let left = self.mcus - done;
            let wanted = match u32::from(restart_interval) {
                0 => left,
                interval => left.min(interval),
            };
            let (after, whole, mut outcome) = self.skip(bits, wanted);
            bits = after;
            done += whole;
            let surplus = match outcome {
                Ok(()) => bits.skip_to_marker(),
                Err(_) => 0,
            };
            surplus_bytes += surplus;
            // If the data ended, the marker there tells more.
            if matches!(outcome, Ok(()) | Err(Flaw::Truncated)) {
                let expected = (restart_interval > 0).then_some(number);
                outcome = match bits.restart() {
                    // None should follow the last interval, but one that does means no loss.
                    Some(found) if Some(found) == expected && wanted > 0 => outcome,
                    Some(_) => Err(Flaw::Restart),
                    None if outcome.is_ok() && done == self.mcus => return Ok(surplus_bytes),
                    None if surplus > 0 => Err(Flaw::Restart),
                    None => Err(Flaw::Truncated),
                };
            }
            if let Err(flaw) = outcome {
                return Err(Damage {
                    flaw,
                    offset: data.len() - bits.bytes_left().min(data.len()),
                    mcus: done,
                    expected_mcus: self.mcus,
                });
            }
            number = (number + 1) % 8;
        }
    }

    /// Walks `mcus` MCUs. Returns the reader after them, and how many were whole.
    ///
    /// The reader is passed by value, so that the compiler can keep it in registers.
    fn skip<'d>(&self, mut bits: Bits<'d>, mcus: u32) -> (Bits<'d>, u32, Result<(), Flaw>) {
        for done in 0..mcus {
            for part in &self.parts {
                for _ in 0..part.blocks {
                    let outcome = skip_block(&mut bits, part.dc, part.ac);
                    if bits.overdrawn() {
                        return (bits, done, Err(Flaw::Truncated));
                    }
                    if outcome.is_err() {
                        return (bits, done, outcome);
                    }
                }
            }
        }
        (bits, mcus, Ok(()))
    }
}
