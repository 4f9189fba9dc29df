//! The records of an archive: the heads of files, the directory, and the end.

use crate::utc::UtcTime;

/// A file of the archive. It is shorter than 4 GiB, and its name is ASCII.
pub(super) struct ArchivedFile {
    pub(super) name: String,
    pub(super) modified: UtcTime,
    pub(super) checksum: u32,
    pub(super) bytes: u32,
}

impl ArchivedFile {
    /// Makes the record before the file.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut record = ZipRecord::new(b"PK\x03\x04");
        record.short(VERSION_PLAIN);
        self.common(&mut record);
        record.short(0);
        record.text(&self.name);
        record.0
    }

    /// Returns the length of the file and of the record before it.
    pub(super) fn file_bytes(&self) -> u64 {
        HEAD_BYTES + self.name.len() as u64 + u64::from(self.bytes)
    }

    /// Makes the directory's record of the file, which begins at `offset`.
    pub(super) fn directory(&self, offset: u64) -> Vec<u8> {
        let large = is_large(offset);
        let mut record = ZipRecord::new(b"PK\x01\x02");
        record.short(MADE_BY);
        record.short(if large { VERSION_ZIP64 } else { VERSION_PLAIN });
        self.common(&mut record);
        record.short(if large { LARGE_OFFSET_BYTES } else { 0 });
        // No comment, on the first disk, not known to be text.
        record.short(0).short(0).short(0);
        record.long(FILE_MODE << 16);
        record.long(if large { u32::MAX } else { offset as u32 });
        record.text(&self.name);
        if large {
            record.short(ZIP64_FIELD).short(8).quad(offset);
        }
        record.0
    }

    /// Adds the fields from the flags to the length of the name. Nothing is compressed.
    fn common(&self, record: &mut ZipRecord) {
        let at = self.modified;
        let years = at.year.clamp(1980, 2107) - 1980;
        let date = years << 9 | u16::from(at.month) << 5 | u16::from(at.day);
        let seconds = u16::from(at.second) / 2;
        let time = u16::from(at.hour) << 11 | u16::from(at.minute) << 5 | seconds;
        record.short(0).short(0).short(time).short(date);
        record.long(self.checksum).long(self.bytes).long(self.bytes);
        record.short(self.name.len() as u16);
    }
}

/// Makes the records after a directory that lists `files` files and has `bytes` bytes at `offset`.
pub(super) fn end(files: u64, offset: u64, bytes: u64) -> Vec<u8> {
    let mut record = ZipRecord(Vec::new());
    let many = files >= u64::from(u16::MAX);
    if many || is_large(offset) || is_large(bytes) {
        record.mark(b"PK\x06\x06").quad(44);
        record.short(MADE_BY).short(VERSION_ZIP64).long(0).long(0);
        record.quad(files).quad(files).quad(bytes).quad(offset);
        record
            .mark(b"PK\x06\x07")
            .long(0)
            .quad(offset + bytes)
            .long(1);
    }
    let files = u16::try_from(files).unwrap_or(u16::MAX);
    record.mark(b"PK\x05\x06").short(0).short(0);
    record.short(files).short(files);
    record.long(u32::try_from(bytes).unwrap_or(u32::MAX));
    record.long(u32::try_from(offset).unwrap_or(u32::MAX));
    record.short(0);
    record.0
}

/// Returns whether an offset or a length is too large for the plain records.
fn is_large(value: u64) -> bool {
    value >= u64::from(u32::MAX)
}

struct ZipRecord(Vec<u8>);

impl ZipRecord {
    fn new(mark: &[u8; 4]) -> Self {
        Self(mark.to_vec())
    }

    fn mark(&mut self, mark: &[u8; 4]) -> &mut Self {
        self.0.extend(mark);
        self
    }

    fn short(&mut self, value: u16) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn long(&mut self, value: u32) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn quad(&mut self, value: u64) -> &mut Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) {
        self.0.extend(text.as_bytes());
    }
}

const HEAD_BYTES: u64 = 30;
/// The length of the extra field in the directory's record of a file that begins beyond 4 GiB.
const LARGE_OFFSET_BYTES: u16 = 12;
const ZIP64_FIELD: u16 = 1;
const VERSION_PLAIN: u16 = 10;
const VERSION_ZIP64: u16 = 45;
/// Made on Unix, so that readers use the mode.
const MADE_BY: u16 = 3 << 8 | VERSION_ZIP64;
/// A plain file that its owner can write and everybody can read.
const FILE_MODE: u32 = 0o100_644;
