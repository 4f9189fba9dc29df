//! The records of an index, and how they are read.

use std::io;

use crate::{
    limits::{MAX_FRAME_BYTES, MIN_FRAME_BYTES, WINDOW_BYTES},
    read_at::{ReadAt, read_full_at},
};

/// Where a frame is in the data file, and when it was taken. In the index it takes 32 bytes, all
/// numbers little-endian: offset (8), time (8), length (4), width (2), height (2), the CRC-32 of
/// the JPEG (4), and the CRC-32 of the frame's number (8 bytes) and the 28 bytes before (4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndexRecord {
    pub(crate) offset: u64,
    /// Microseconds since 1970.
    pub(crate) at_us: u64,
    pub(crate) length: u32,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// The CRC-32 of the JPEG.
    pub(crate) jpeg_crc: u32,
}

/// The length of a record in bytes.
pub(crate) const RECORD_BYTES: u64 = RECORD as u64;
const RECORD: usize = 32;
const CRC_AT: usize = RECORD - 4;

impl IndexRecord {
    /// Returns the bytes of the record of the frame with this number.
    pub(crate) fn encode(&self, number: u64) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.at_us.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_le_bytes());
        bytes[20..22].copy_from_slice(&self.width.to_le_bytes());
        bytes[22..24].copy_from_slice(&self.height.to_le_bytes());
        bytes[24..CRC_AT].copy_from_slice(&self.jpeg_crc.to_le_bytes());
        let crc = checksum(number, &bytes);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the record of the frame with this number. `None` if the bytes are not its record, or
    /// if the frame would be too short, too long, or beyond any file.
    pub(crate) fn decode(number: u64, bytes: &[u8; RECORD]) -> Option<Self> {
        let record = Self {
            offset: u64::from_le_bytes(array(&bytes[..8])?),
            at_us: u64::from_le_bytes(array(&bytes[8..16])?),
            length: u32::from_le_bytes(array(&bytes[16..20])?),
            width: u16::from_le_bytes(array(&bytes[20..22])?),
            height: u16::from_le_bytes(array(&bytes[22..24])?),
            jpeg_crc: u32::from_le_bytes(array(&bytes[24..CRC_AT])?),
        };
        let crc = u32::from_le_bytes(array(&bytes[CRC_AT..])?);
        let has_length = (MIN_FRAME_BYTES..=MAX_FRAME_BYTES).contains(&(record.length as usize));
        // A file has at most `i64::MAX` bytes.
        let has_place = record.offset <= i64::MAX as u64 - MAX_FRAME_BYTES as u64;
        (crc == checksum(number, bytes) && has_length && has_place).then_some(record)
    }

    /// Returns where the frame ends in the data file.
    pub(crate) fn end(&self) -> u64 {
        self.offset + u64::from(self.length)
    }
}

/// Reads records of an index, many at a time.
#[derive(Debug, Default)]
pub(crate) struct IndexWindow {
    /// The number of the first record in the window.
    first: u64,
    bytes: Vec<u8>,
}

impl IndexWindow {
    /// Returns the record of a frame, or `None` if the index has no valid one in its place. Records
    /// that are read one after another cost few reads.
    pub(crate) fn get(
        &mut self,
        index: &impl ReadAt,
        number: u64,
    ) -> io::Result<Option<IndexRecord>> {
        if let Some(bytes) = self.find(number) {
            return Ok(IndexRecord::decode(number, bytes));
        }
        self.first = number;
        self.bytes.resize(WINDOW_BYTES, 0);
        let read = read_full_at(index, &mut self.bytes, number * RECORD_BYTES);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        read?;
        let record = self.find(number);
        Ok(record.and_then(|bytes| IndexRecord::decode(number, bytes)))
    }

    fn find(&self, number: u64) -> Option<&[u8; RECORD]> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let at = place.checked_mul(RECORD)?;
        let bytes = self.bytes.get(at..at.checked_add(RECORD)?)?;
        bytes.try_into().ok()
    }
}

/// The number is in the checksum, so that no record is valid in the place of another.
fn checksum(number: u64, bytes: &[u8; RECORD]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&bytes[..CRC_AT]);
    hasher.finalize()
}

fn array<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
