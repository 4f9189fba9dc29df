//! Archives: one file per frame, and `index.json` with what the names do not state.

use bytes::Bytes;
use crc32fast::Hasher;

use crate::{
    clip::Clip, container::Container, file_pieces::FilePieces, limits::PIECE_BYTES, utc::UtcTime,
    zip::json::IndexJson, zip::names::file_name, zip::records::ArchivedFile,
};

mod json;
mod names;
mod records;

/// An archive without compression. The length and the checksum of a file come before it, so that
/// programs can read the archive as a stream.
pub(crate) struct Zip {
    /// The checksum of each frame so far; zero if it is missing.
    checksums: Vec<u32>,
    /// Makes the text of the index. Until that is written, only its length and checksum are kept.
    index: IndexJson,
    index_bytes: u64,
    index_hasher: Hasher,
    stage: ZipStage,
}

/// What to write next.
enum ZipStage {
    Frames,
    /// The index from this frame on.
    Index {
        next: usize,
    },
    Directory(Directory),
    Done,
}

/// How much of the directory is written.
#[derive(Clone, Copy, Default)]
struct Directory {
    /// The next frame, and where its file begins.
    next: usize,
    file: u64,
    /// How many files are in the directory, and its length.
    files: u64,
    bytes: u64,
}

impl Directory {
    fn add(&mut self, entry: &ArchivedFile, out: &mut FilePieces) {
        let record = entry.directory(self.file);
        self.file += entry.file_bytes();
        self.files += 1;
        self.bytes += record.len() as u64;
        out.put(&record);
    }
}

impl Zip {
    pub(crate) fn new(clip: &Clip) -> Self {
        let index = IndexJson::default();
        let mut zip = Self {
            checksums: Vec::with_capacity(clip.plan.len()),
            index,
            index_bytes: 0,
            index_hasher: Hasher::new(),
            stage: ZipStage::Frames,
        };
        zip.note_index(&json::head(clip));
        zip
    }

    fn note_index(&mut self, text: &str) {
        self.index_bytes += text.len() as u64;
        self.index_hasher.update(text.as_bytes());
    }

    /// Returns the file of a frame.
    fn entry(&self, clip: &Clip, index: usize) -> ArchivedFile {
        let frame = clip.plan.frames()[index];
        let taken = UtcTime::of_frame(&clip.plan, frame.at_us);
        ArchivedFile {
            name: file_name(index, taken),
            modified: taken,
            checksum: self.checksums[index],
            bytes: frame.bytes,
        }
    }

    /// Returns the file of the index. Its time of modification is that of the last frame.
    fn index_entry(&self, clip: &Clip) -> ArchivedFile {
        let last = clip.plan.frames().last().map_or(0, |frame| frame.at_us);
        ArchivedFile {
            name: "index.json".to_owned(),
            modified: UtcTime::of_frame(&clip.plan, last),
            checksum: self.index_hasher.clone().finalize(),
            // A line of a frame has less than 200 bytes.
            bytes: self.index_bytes as u32,
        }
    }

    fn write_index(&mut self, clip: &Clip, mut next: usize, out: &mut FilePieces) -> ZipStage {
        let end = (next + LINES_AT_A_TIME).min(clip.plan.len());
        while next < end {
            if let Some(line) = self.index.line(clip, next) {
                out.put(line.as_bytes());
            }
            next += 1;
        }
        if next < clip.plan.len() {
            return ZipStage::Index { next };
        }
        out.put(json::END.as_bytes());
        ZipStage::Directory(Directory::default())
    }

    fn write_directory(&self, clip: &Clip, mut at: Directory, out: &mut FilePieces) -> ZipStage {
        let end = (at.next + LINES_AT_A_TIME).min(clip.plan.len());
        while at.next < end {
            if clip.is_present(at.next) {
                at.add(&self.entry(clip, at.next), out);
            }
            at.next += 1;
        }
        if at.next < clip.plan.len() {
            return ZipStage::Directory(at);
        }
        at.add(&self.index_entry(clip), out);
        out.put(&records::end(at.files, at.file, at.bytes));
        ZipStage::Done
    }
}

impl Container for Zip {
    fn head(&mut self, _clip: &Clip, _out: &mut FilePieces) {}

    fn frame(&mut self, clip: &Clip, index: usize, jpeg: Option<Bytes>, out: &mut FilePieces) {
        let checksum = jpeg.as_deref().map_or(0, crc32fast::hash);
        self.checksums.push(checksum);
        if let Some(jpeg) = jpeg {
            out.put(&self.entry(clip, index).head());
            out.pass(jpeg);
            if let Some(line) = self.index.line(clip, index) {
                self.note_index(&line);
            }
        }
    }

    fn end(&mut self, clip: &Clip, out: &mut FilePieces) {
        self.note_index(json::END);
        self.index = IndexJson::default();
        out.put(&self.index_entry(clip).head());
        out.put(json::head(clip).as_bytes());
        self.stage = ZipStage::Index { next: 0 };
    }

    fn resume(&mut self, clip: &Clip, out: &mut FilePieces) -> bool {
        self.stage = match self.stage {
            ZipStage::Index { next } => self.write_index(clip, next, out),
            ZipStage::Directory(at) => self.write_directory(clip, at, out),
            ZipStage::Frames | ZipStage::Done => return false,
        };
        true
    }
}

/// Entries of the index or of the directory have at least 70 bytes.
const LINES_AT_A_TIME: usize = PIECE_BYTES / 128;
