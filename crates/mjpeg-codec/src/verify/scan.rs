//! Walking over one scan.

use super::{
    Damage, Flaw,
    bits::Bits,
    huffman::{Class, Table, skip_block},
    tables::Tables,
};

/// What a frame header says of the picture (T.81 B.2.2).
#[derive(Debug)]
pub(super) struct Picture {
    width: u32,
    height: u32,
    components: Vec<Component>,
    /// The largest sampling factors among the components (A.1.1).
    h_max: u32,
    v_max: u32,
}

#[derive(Debug)]
struct Component {
    id: u8,
    h: u32,
    v: u32,
    scanned: bool,
}

impl Picture {
    /// Takes the size, which may come from elsewhere, and the frame header. `None` if a sampling factor is none.
    pub(super) fn new(width: u16, height: u16, header: &[u8]) -> Option<Self> {
        let (components, _) = header.get(6..)?.as_chunks::<3>();
        let components: Vec<Component> = components
            .iter()
            .map(|&[id, sampling, _]| Component {
                id,
                h: u32::from(sampling >> 4),
                v: u32::from(sampling & 15),
                scanned: false,
            })
            .collect();
        let mut factors = components.iter().flat_map(|c| [c.h, c.v]);
        if !factors.all(|factor| (1..=4).contains(&factor)) {
            return None;
        }
        Some(Self {
            width: width.into(),
            height: height.into(),
            h_max: components.iter().map(|c| c.h).max()?,
            v_max: components.iter().map(|c| c.v).max()?,
            components,
        })
    }

    /// How many blocks a component that no scan holds should have.
    pub(super) fn missing(&self) -> Option<u32> {
        let missing = self.components.iter().find(|c| !c.scanned)?;
        Some(self.blocks(missing))
    }

    /// How many blocks a component has by itself (A.1.1 and A.2.2).
    fn blocks(&self, component: &Component) -> u32 {
        let columns = (self.width * component.h).div_ceil(8 * self.h_max);
        let rows = (self.height * component.v).div_ceil(8 * self.v_max);
        columns * rows
    }

    /// How many MCUs a scan of several components has (A.2.3).
    fn mcus(&self) -> u32 {
        self.width.div_ceil(8 * self.h_max) * self.height.div_ceil(8 * self.v_max)
    }
}

/// A scan, as its header gives it (B.2.3).
#[derive(Debug)]
pub(super) struct Scan<'t> {
    mcus: u32,
    parts: Vec<Part<'t>>,
}

/// What one component has in each MCU.
#[derive(Debug)]
struct Part<'t> {
    blocks: u32,
    dc: &'t Table,
    ac: &'t Table,
}

impl<'t> Scan<'t> {
    /// Takes the scan header, and the tables now in force; `length` is that of the scan's data in bytes. `None` if there is no such
    /// component or table, or a component had its scan already.
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
            // Some encoders give all components the same identifier; decoders take them one after another.
            let mut components = picture.components.iter();
            let place = components.position(|c| c.id == id && !c.scanned)?;
            picture.components[place].scanned = true;
            let component = &picture.components[place];
            let blocks = if count == 1 {
                mcus = picture.blocks(component);
                1
            } else {
                component.h * component.v
            };
            parts.push(Part {
                blocks,
                dc: tables.get(Class::Dc, tables_used >> 4)?,
                ac: tables.get(Class::Ac, tables_used & 15)?,
            });
        }
        Some(Self { mcus, parts })
    }

    /// Walks over the scan's data and returns how many surplus bytes there are. Offsets of damage are counted from the
    /// beginning of the data.
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
            // Where the data end, the marker there tells more.
            if matches!(outcome, Ok(()) | Err(Flaw::Truncated)) {
                let expected = (restart_interval > 0).then_some(number);
                outcome = match bits.restart() {
                    // After the last interval there should be none, but where there is one, nothing is lost.
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

    /// Walks over so many MCUs, and returns where that ends and how many came whole.
    ///
    /// The reader goes in and out by value, which lets the compiler hold it in registers.
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
