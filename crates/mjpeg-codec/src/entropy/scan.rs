//! Walks one scan.

use std::ops::Range;

use super::{
    bits::{Bits, Place},
    block::pass_block,
    block_lookup::BlockLookup,
    damage::{Damage, Flaw},
    picture::Picture,
    sink::{CodeSink, ScanLayout},
    tables::{Selected, Tables},
};

/// A scan as its header describes it (T.81 B.2.3), and how far its data were walked.
#[derive(Debug)]
pub(super) struct Scan {
    /// The data in the frame.
    data: Range<usize>,
    mcus: u32,
    parts: [McuPart; MOST_PARTS],
    /// The places of its components in the frame header.
    places: [usize; MOST_PARTS],
    count: usize,
    /// By how many bits DC coefficients are shortened.
    shift: u8,
    /// 0 if there are no restart markers.
    restart_interval: u32,
    place: Place,
    /// The MCUs walked.
    done: u32,
    /// The MCUs of the current interval, and how many of them are left.
    wanted: u32,
    left: u32,
    /// The number of the next restart marker.
    number: u8,
    /// Of the current interval.
    interval_surplus: usize,
    surplus_bytes: usize,
}

/// The part of one component in each MCU, and the tables that it selects.
#[derive(Clone, Copy, Debug, Default)]
struct McuPart {
    blocks: u32,
    tables: Selected,
}

/// The same with the tables.
struct Coded<'t> {
    blocks: u32,
    lookup: &'t BlockLookup,
}

/// How a scan is coded, beyond what its header says of its components.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanCoding {
    /// It holds only DC coefficients (T.81 G.1.1.1).
    pub(super) is_progressive: bool,
    /// By how many bits these are shortened.
    pub(super) shift: u8,
    pub(super) restart_interval: u16,
}

impl Scan {
    /// Reads a scan header. `tables` are those in force, `data` is where the scan's data are.
    /// Returns `None` if a component or table does not exist, or if a component already had its
    /// scan.
    pub(super) fn new(
        header: &[u8],
        picture: &mut Picture,
        tables: &mut Tables,
        frame: &[u8],
        data: Range<usize>,
        coding: ScanCoding,
    ) -> Option<Self> {
        let (&count, rest) = header.split_first()?;
        let count = usize::from(count);
        let (selectors, _) = rest.get(..2 * count)?.as_chunks::<2>();
        let mut parts = [McuPart::default(); MOST_PARTS];
        let mut places = [0; MOST_PARTS];
        let mut mcus = picture.mcus();
        let slots = parts.get_mut(..count)?.iter_mut().zip(&mut places);
        for ((part, place), &[id, used]) in slots.zip(selectors) {
            let selected = Selected {
                dc: used >> 4,
                ac: (!coding.is_progressive).then_some(used & 15),
            };
            tables.expand(selected, data.len(), frame)?;
            let component = picture.scan_component(id)?;
            *place = component.place;
            let mut blocks = component.blocks_per_mcu;
            if count == 1 {
                (mcus, blocks) = (component.blocks, 1);
            }
            *part = McuPart {
                blocks,
                tables: selected,
            };
        }
        let mut scan = Self {
            place: Place::start(data.len()),
            data,
            mcus,
            parts,
            places,
            count,
            shift: coding.shift,
            restart_interval: coding.restart_interval.into(),
            done: 0,
            wanted: 0,
            left: 0,
            number: 0,
            interval_surplus: 0,
            surplus_bytes: 0,
        };
        scan.begin_interval();
        Some(scan)
    }

    /// Returns what a sink needs to know of this scan of a picture.
    pub(super) fn layout<'a>(&'a self, picture: &'a Picture) -> ScanLayout<'a> {
        ScanLayout {
            picture,
            places: &self.places[..self.count],
            shift: self.shift,
            offset: self.data.start,
            length: self.data.len(),
        }
    }

    /// Continues the walk, for about `work` nanoseconds, which it takes from that. Returns the
    /// number of surplus bytes at the end, `None` before it.
    pub(super) fn step(
        &mut self,
        frame: &[u8],
        tables: &Tables,
        work: &mut usize,
        sink: &mut impl CodeSink,
    ) -> Result<Option<usize>, Damage> {
        let data = &frame[self.data.clone()];
        let parts = self.parts[..self.count].iter().map(|part| {
            Some(Coded {
                blocks: part.blocks,
                lookup: tables.get(part.tables)?,
            })
        });
        let parts: Option<Vec<Coded<'_>>> = parts.collect();
        let parts = parts.ok_or(Damage::header(self.data.start))?;
        let mut bits = Bits::at(self.place, data);
        let outcome = self.walk(&mut bits, &parts, work, sink);
        self.place = bits.place();
        outcome.map_err(|flaw| Damage {
            flaw,
            offset: self.data.end - bits.bytes_left().min(data.len()),
            mcus: self.done,
            expected_mcus: self.mcus,
        })
    }

    fn walk(
        &mut self,
        bits: &mut Bits<'_>,
        parts: &[Coded<'_>],
        work: &mut usize,
        sink: &mut impl CodeSink,
    ) -> Result<Option<usize>, Flaw> {
        let blocks = parts.iter().map(|part| part.blocks).sum::<u32>().max(1);
        let most = (BLOCKS_AT_A_TIME / blocks).max(1);
        while *work > 0 {
            let unread = bits.unread_bytes();
            let mut outcome = Ok(());
            if self.left > 0 {
                let mcus = self.left.min(most);
                let (after, whole, skipped) = pass(parts, *bits, mcus, sink);
                (*bits, outcome) = (after, skipped);
                self.done += whole;
                self.left -= whole;
                let read = unread - bits.unread_bytes();
                *work = work.saturating_sub((mcus * blocks) as usize * BLOCK_NANOS + 2 * read);
                if outcome.is_ok() && self.left > 0 {
                    continue;
                }
            }
            if outcome.is_ok() {
                let (surplus, is_at_marker) = bits.skip_to_marker(SURPLUS_AT_A_TIME);
                self.interval_surplus += surplus;
                *work = work.saturating_sub(2 * (unread - bits.unread_bytes()) + 1);
                if !is_at_marker {
                    continue;
                }
            }
            if self.end_interval(bits, outcome)? {
                return Ok(Some(self.surplus_bytes));
            }
            sink.restart();
        }
        Ok(None)
    }

    /// Handles the end of an interval, or damage. Returns whether the scan is complete.
    fn end_interval(
        &mut self,
        bits: &mut Bits<'_>,
        outcome: Result<(), Flaw>,
    ) -> Result<bool, Flaw> {
        let surplus = self.interval_surplus;
        self.surplus_bytes += surplus;
        // If the data ended, the marker there tells more.
        if matches!(outcome, Ok(()) | Err(Flaw::Truncated)) {
            let expected = (self.restart_interval > 0).then_some(self.number);
            match bits.restart() {
                // None should follow the last interval, but one that does means no loss.
                Some(found) if Some(found) == expected && self.wanted > 0 => outcome?,
                Some(_) => return Err(Flaw::Restart),
                None if outcome.is_ok() && self.done == self.mcus => return Ok(true),
                None if surplus > 0 => return Err(Flaw::Restart),
                None => return Err(Flaw::Truncated),
            }
        }
        outcome?;
        self.number = (self.number + 1) % 8;
        self.begin_interval();
        Ok(false)
    }

    fn begin_interval(&mut self) {
        let left = self.mcus - self.done;
        self.wanted = match self.restart_interval {
            0 => left,
            interval => left.min(interval),
        };
        self.left = self.wanted;
        self.interval_surplus = 0;
    }
}

/// Walks `mcus` MCUs. Returns the reader after them, and how many were whole.
///
/// The reader is passed by value, so that the compiler can keep it in registers.
fn pass<'d>(
    parts: &[Coded<'_>],
    mut bits: Bits<'d>,
    mcus: u32,
    sink: &mut impl CodeSink,
) -> (Bits<'d>, u32, Result<(), Flaw>) {
    for done in 0..mcus {
        for (number, part) in parts.iter().enumerate() {
            for block in 0..part.blocks {
                let take = |difference| sink.dc(number, block, difference);
                let outcome = pass_block(&mut bits, part.lookup, take);
                if bits.overdrawn() {
                    return (bits, done, Err(Flaw::Truncated));
                }
                if outcome.is_err() {
                    return (bits, done, outcome);
                }
            }
        }
        sink.end_mcu();
    }
    (bits, mcus, Ok(()))
}

/// The most components in a scan (T.81 B.2.3: Ns).
const MOST_PARTS: usize = 4;

/// About how many blocks are walked before the work is counted.
const BLOCKS_AT_A_TIME: u32 = 512;

/// What the shortest block takes (measured).
const BLOCK_NANOS: usize = 10;

/// How many surplus bytes are passed before the work is counted.
const SURPLUS_AT_A_TIME: usize = 4 << 10;
