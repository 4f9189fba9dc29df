//! A picture that is being put together.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    headers::{Fragment, MainHeader},
    jfif,
    quantization::QuantTables,
    reason::DropReason,
};
use crate::{
    frame::Frame,
    jpeg::{frame_header::FrameHeader, marker::EOI, search},
};

/// A picture that is being put together, or that cannot be.
#[derive(Debug)]
pub(super) struct PartialPicture {
    pub(super) timestamp: u32,
    /// The first and the last of its sequence numbers so far.
    pub(super) first: u16,
    pub(super) last: u16,
    /// How many bytes of payload have come.
    pub(super) bytes: u64,
    header: Option<MainHeader>,
    failure: Option<DropReason>,
    /// The headers, once the first fragment has come, and the scan as far as it has come without a
    /// hole, up to an EOI.
    jpeg: Vec<u8>,
    frame_header: Option<FrameHeader>,
    scan_begins: usize,
    /// Up to here, `jpeg` holds no marker.
    checked: usize,
    has_eoi: bool,
    /// How much of the scan has come without a hole.
    length: u32,
    /// How long the scan is, once that is known.
    whole_length: Option<u32>,
    /// Fragments beyond a hole, by their offsets.
    held: BTreeMap<u32, Vec<u8>>,
}

/// What one picture may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) max_frame_bytes: usize,
    pub(super) size: Option<(u16, u16)>,
    /// How long the picture is expected to be.
    pub(super) expected_bytes: usize,
}

impl PartialPicture {
    pub(super) fn new(timestamp: u32, sequence: u16) -> Self {
        Self {
            timestamp,
            first: sequence,
            last: sequence,
            bytes: 0,
            header: None,
            failure: None,
            jpeg: Vec::new(),
            frame_header: None,
            scan_begins: 0,
            checked: 0,
            has_eoi: false,
            length: 0,
            whole_length: None,
            held: BTreeMap::new(),
        }
    }

    /// Records that a packet of the picture came.
    pub(super) fn came(&mut self, sequence: u16, bytes: usize) {
        self.bytes += bytes as u64;
        if is_after(self.first, sequence) {
            self.first = sequence;
        }
        if is_after(sequence, self.last) {
            self.last = sequence;
        }
    }

    /// Gives the picture up, and what was kept of it.
    pub(super) fn fail(&mut self, reason: DropReason) {
        self.failure.get_or_insert(reason);
        self.jpeg = Vec::new();
        self.held = BTreeMap::new();
    }

    pub(super) fn failure(&self) -> Option<DropReason> {
        self.failure
    }

    /// Whether the beginning of the scan has come.
    pub(super) fn has_begun(&self) -> bool {
        self.frame_header.is_some()
    }

    /// Whether every byte of the scan has come.
    pub(super) fn is_whole(&self) -> bool {
        self.failure.is_none() && self.has_begun() && self.whole_length == Some(self.length)
    }

    /// Takes note that the next packet in sequence begins another picture.
    pub(super) fn end(&mut self) {
        if self.has_begun() && self.whole_length.is_none() && self.held.is_empty() {
            self.whole_length = Some(self.length);
        }
    }

    /// Adds a fragment. Its tables were looked up if it is the first one.
    pub(super) fn add(
        &mut self,
        fragment: &Fragment<'_>,
        tables: Option<&QuantTables>,
        is_last: bool,
        allowed: Allowed,
    ) -> Result<(), DropReason> {
        if self.failure.is_some() {
            return Ok(());
        }
        if *self.header.get_or_insert(fragment.header) != fragment.header {
            return Err(DropReason::Contradiction);
        }
        let end = fragment.offset as usize + fragment.data.len();
        if end > allowed.max_frame_bytes.min(MOST_SCAN_BYTES) {
            return Err(DropReason::TooLarge);
        }
        let end = end as u32;
        if is_last && self.whole_length.replace(end).is_some() {
            return Err(DropReason::Contradiction);
        }
        let farthest = self.held.last_key_value();
        let farthest = farthest.map_or(self.length, |(at, data)| at + data.len() as u32);
        let is_beyond = self
            .whole_length
            .is_some_and(|whole| farthest.max(end) > whole);
        if is_beyond || fragment.offset < self.length {
            return Err(DropReason::Contradiction);
        }
        if let Some(tables) = tables {
            let expected = allowed.expected_bytes.min(allowed.max_frame_bytes);
            self.jpeg
                .reserve(expected.max(end as usize) + jfif::MOST_BYTES);
            let header = jfif::write(fragment.header, tables, allowed.size, &mut self.jpeg)?;
            self.frame_header = Some(header);
            self.scan_begins = self.jpeg.len();
            self.checked = self.jpeg.len();
        }
        if fragment.offset > self.length || !self.has_begun() {
            if self.held.len() >= MOST_HELD {
                return Err(DropReason::Lost);
            }
            let before = self.held.insert(fragment.offset, fragment.data.to_vec());
            return before.map_or(Ok(()), |_| Err(DropReason::Contradiction));
        }
        self.append(fragment.data, allowed)?;
        while let Some((at, data)) = self.held.pop_first() {
            if at > self.length {
                self.held.insert(at, data);
                break;
            }
            if at < self.length {
                return Err(DropReason::Contradiction);
            }
            self.append(&data, allowed)?;
        }
        Ok(())
    }

    fn append(&mut self, data: &[u8], allowed: Allowed) -> Result<(), DropReason> {
        self.length += data.len() as u32;
        // What follows the EOI is padding.
        if self.has_eoi {
            return Ok(());
        }
        self.jpeg.extend_from_slice(data);
        if let Some(at) = search::next_marker(&self.jpeg, self.checked) {
            if self.jpeg[at + 1] != EOI {
                return Err(DropReason::Marker);
            }
            self.has_eoi = true;
            self.jpeg.truncate(at + 2);
        }
        // The last byte may be the first of a marker.
        self.checked = self.jpeg.len() - 1;
        if self.jpeg.len() > allowed.max_frame_bytes {
            return Err(DropReason::TooLarge);
        }
        Ok(())
    }

    /// Makes a frame of a picture that is whole.
    pub(super) fn into_frame(mut self, allowed: Allowed) -> Result<Frame, DropReason> {
        let header = self.frame_header.ok_or(DropReason::Lost)?;
        if !self.has_eoi {
            self.jpeg.extend([0xFF, EOI]);
        }
        if self.jpeg.len() > allowed.max_frame_bytes {
            return Err(DropReason::TooLarge);
        }
        if self.jpeg.len() == self.scan_begins + 2 {
            return Err(DropReason::Short);
        }
        if self.jpeg.capacity() > 2 * self.jpeg.len() {
            self.jpeg.shrink_to_fit();
        }
        let memory_bytes = self.jpeg.capacity();
        Ok(Frame::new(
            Bytes::from(self.jpeg),
            memory_bytes,
            0,
            header,
            true,
        ))
    }
}

/// Whether a sequence number comes after another one, of those in the same half of all.
pub(super) fn is_after(sequence: u16, other: u16) -> bool {
    (1..0x8000).contains(&sequence.wrapping_sub(other))
}

/// How many fragments wait for one before them.
const MOST_HELD: usize = 64;

/// What offsets of 24 bits can name.
const MOST_SCAN_BYTES: usize = 1 << 24;
