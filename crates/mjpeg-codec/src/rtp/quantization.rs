//! Quantization tables: computed, sent, remembered (RFC 2435 sections 3.1.8 and 4.2).

use std::collections::BTreeMap;

use super::reason::DropReason;
use crate::jpeg::quantization::{CHROMINANCE, LUMINANCE, ZIGZAG};

/// The tables of a picture, as DQT segments have them: for brightness, then for colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuantTables {
    pub(super) luma: QuantTable,
    pub(super) chroma: QuantTable,
}

/// A table in zigzag order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum QuantTable {
    Bytes([u8; 64]),
    /// 64 numbers of 16 bits, big-endian. Some exceed 8 bits.
    Words([u8; 128]),
}

/// Tables that were sent, by the quality that they were sent for.
#[derive(Debug, Default)]
pub(super) struct KnownTables(BTreeMap<u8, QuantTables>);

impl KnownTables {
    /// Returns the tables of a picture of this quality, with this header if one was sent.
    pub(super) fn of(
        &mut self,
        quality: u8,
        sent: Option<SentTables<'_>>,
    ) -> Result<QuantTables, DropReason> {
        match quality {
            1..=99 => Ok(QuantTables::computed(quality)),
            0 | 100..=127 => Err(DropReason::ReservedQuality),
            _ => match sent.filter(|sent| !sent.data.is_empty()) {
                Some(sent) => {
                    let tables = sent.read().ok_or(DropReason::BadTables)?;
                    if quality < EACH_TIME {
                        self.0.insert(quality, tables.clone());
                    }
                    Ok(tables)
                }
                None => self.0.get(&quality).cloned().ok_or(DropReason::NoTables),
            },
        }
    }
}

/// The contents of a quantization table header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SentTables<'a> {
    /// Bit n is set if table n has 16 bits.
    pub(super) precision: u8,
    pub(super) data: &'a [u8],
}

impl SentTables<'_> {
    /// Reads the tables. One alone serves both; those behind the second are ignored.
    fn read(self) -> Option<QuantTables> {
        let mut rest = self.data;
        let mut tables = Vec::new();
        // Of more than eight, no bit tells the precision.
        for nth in 0..8 {
            if rest.is_empty() {
                break;
            }
            let table;
            (table, rest) = if self.precision >> nth & 1 == 0 {
                let (bytes, rest) = rest.split_first_chunk::<64>()?;
                (QuantTable::Bytes(*bytes), rest)
            } else {
                let (words, rest) = rest.split_first_chunk::<128>()?;
                (QuantTable::of_words(words), rest)
            };
            tables.push(table);
        }
        if !rest.is_empty() {
            return None;
        }
        let mut tables = tables.into_iter();
        let luma = tables.next()?;
        let chroma = tables.next().unwrap_or_else(|| luma.clone());
        Some(QuantTables { luma, chroma })
    }
}

impl QuantTables {
    /// Scales the tables of T.81 annex K (section 4.2).
    fn computed(quality: u8) -> Self {
        let quality = u32::from(quality);
        let scale = match quality {
            ..50 => 5000 / quality,
            _ => 200 - 2 * quality,
        };
        let scaled = |base: &[u8; 64]| {
            QuantTable::Bytes(ZIGZAG.map(|natural| {
                let step = (u32::from(base[usize::from(natural)]) * scale + 50) / 100;
                step.clamp(1, 255) as u8
            }))
        };
        Self {
            luma: scaled(&LUMINANCE),
            chroma: scaled(&CHROMINANCE),
        }
    }
}

impl QuantTable {
    /// Baseline pictures have tables of 8 bits. Most that are sent with 16 need no more.
    fn of_words(words: &[u8; 128]) -> Self {
        let (pairs, _) = words.as_chunks::<2>();
        if pairs.iter().all(|&[high, _]| high == 0) {
            let mut bytes = [0; 64];
            for (byte, &[_, low]) in bytes.iter_mut().zip(pairs) {
                *byte = low;
            }
            return Self::Bytes(bytes);
        }
        Self::Words(*words)
    }

    pub(super) fn is_wide(&self) -> bool {
        matches!(self, Self::Words(_))
    }
}

/// Tables of this quality hold for one picture.
const EACH_TIME: u8 = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_tables_are_those_of_the_independent_jpeg_group() {
        let first = |quality| match QuantTables::computed(quality).luma {
            QuantTable::Bytes(bytes) => bytes[..8].to_vec(),
            QuantTable::Words(_) => unreachable!(),
        };
        assert_eq!(first(50), [16, 11, 12, 14, 12, 10, 16, 14]);
        assert_eq!(first(99), [1; 8]);
        assert_eq!(first(1), [255; 8]);
        assert_eq!(first(75), [8, 6, 6, 7, 6, 5, 8, 7]);
        assert_eq!(ZIGZAG[..10], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]);
        assert_eq!(ZIGZAG[60..], [47, 55, 62, 63]);
    }
}
