//! A reader of AVIs that believes nothing: sizes must nest, and indices must point to chunks.

use std::io::{Read, Seek, SeekFrom};

/// A frame or an empty slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where its chunk begins in the file.
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

/// What a file holds.
#[derive(Default)]
pub(crate) struct AviFile {
    pub(crate) slots: Vec<Slot>,
    /// How many slots each segment has.
    pub(crate) segments: Vec<usize>,
    /// Of `idx1`.
    legacy: Vec<Slot>,
    /// Of each `ix00`, with its place.
    standard: Vec<(Slot, Vec<Slot>)>,
    /// Of `indx`: where each `ix00` is, its length, and how many slots it has.
    super_index: Vec<(Slot, u32)>,
    movi: u64,
    total_slots: Option<u32>,
}

/// Reads a file and compares its indices with its chunks.
pub(crate) fn read_avi(file: &mut (impl Read + Seek)) -> AviFile {
    let mut avi = AviFile::default();
    let end = file.seek(SeekFrom::End(0)).unwrap();
    avi.chunks(file, 0, end);
    avi.check();
    avi
}

impl AviFile {
    pub(crate) fn is_open_dml(&self) -> bool {
        !self.super_index.is_empty()
    }

    fn chunks(&mut self, file: &mut (impl Read + Seek), mut at: u64, end: u64) {
        while at < end {
            let head: [u8; 8] = read(file, at);
            let (id, bytes) = (&head[..4], long(&head[4..]));
            let content = at + 8;
            let next = content + u64::from(bytes) + u64::from(bytes % 2);
            assert!(next <= end, "{id:?} of {bytes} at {at} exceeds {end}");
            match id {
                b"RIFF" | b"LIST" => {
                    let name: [u8; 4] = read(file, content);
                    if id == b"RIFF" {
                        let is_first = at == 0;
                        assert_eq!(&name, if is_first { b"AVI " } else { b"AVIX" });
                        self.segments.push(0);
                    }
                    if &name == b"movi" && self.segments.len() == 1 {
                        self.movi = content;
                    }
                    self.chunks(file, content + 4, next);
                }
                b"00dc" => {
                    self.slots.push(Slot { offset: at, bytes });
                    *self.segments.last_mut().unwrap() += 1;
                }
                b"idx1" | b"ix00" | b"indx" | b"dmlh" | b"strh" => {
                    let content = read_all(file, content, bytes);
                    self.index(id, Slot { offset: at, bytes }, &content);
                }
                _ => {}
            }
            at = next;
        }
        assert_eq!(at, end);
    }

    fn index(&mut self, id: &[u8], place: Slot, content: &[u8]) {
        match id {
            b"idx1" => {
                for entry in content.chunks_exact(16) {
                    let (offset, bytes) = (u64::from(long(&entry[8..])), long(&entry[12..]));
                    assert_eq!(&entry[..4], b"00dc");
                    let is_key = long(&entry[4..]) == KEYFRAME;
                    assert_eq!(is_key, bytes > 0);
                    self.legacy.push(Slot {
                        offset: self.movi + offset,
                        bytes,
                    });
                }
            }
            b"ix00" => {
                assert_eq!(content[..4], [2, 0, 0, 1]);
                assert_eq!(content.len(), 24 + 8 * long(&content[4..]) as usize);
                let base = u64::from_le_bytes(content[12..20].try_into().unwrap());
                let entries = content[24..].chunks_exact(8).map(|entry| {
                    let bytes = long(&entry[4..]);
                    assert_eq!(bytes >> 31 == 0, bytes & !(1 << 31) > 0);
                    Slot {
                        offset: base + u64::from(long(entry)) - 8,
                        bytes: bytes & !(1 << 31),
                    }
                });
                self.standard.push((place, entries.collect()));
            }
            b"indx" => {
                assert_eq!(content[..4], [4, 0, 0, 0]);
                assert_eq!(content.len(), 24 + 16 * long(&content[4..]) as usize);
                for entry in content[24..].chunks_exact(16) {
                    let offset = u64::from_le_bytes(entry[..8].try_into().unwrap());
                    let bytes = long(&entry[8..]) - 8;
                    let slots = long(&entry[12..]);
                    self.super_index.push((Slot { offset, bytes }, slots));
                }
            }
            b"dmlh" => self.total_slots = Some(long(content)),
            _ => assert_eq!(&content[..8], b"vidsMJPG"),
        }
    }

    fn check(&self) {
        let first = self.segments[0];
        assert!(self.legacy == self.slots[..first], "idx1");
        if !self.is_open_dml() {
            assert_eq!((self.segments.len(), self.standard.len()), (1, 0));
            return;
        }
        assert_eq!(self.total_slots, Some(self.slots.len() as u32));
        let places = self
            .standard
            .iter()
            .map(|(place, slots)| (place.clone(), slots.len() as u32));
        assert!(self.super_index == places.collect::<Vec<_>>(), "indx");
        let mut from = 0;
        assert_eq!(self.segments.len(), self.standard.len());
        for (count, (_, slots)) in self.segments.iter().zip(&self.standard) {
            assert!(slots[..] == self.slots[from..from + count], "ix00");
            from += count;
        }
    }
}

fn read<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> [u8; N] {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut bytes).unwrap();
    bytes
}

fn read_all(file: &mut (impl Read + Seek), at: u64, bytes: u32) -> Vec<u8> {
    let mut content = vec![0; bytes as usize];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut content).unwrap();
    content
}

fn long(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

const KEYFRAME: u32 = 0x10;
