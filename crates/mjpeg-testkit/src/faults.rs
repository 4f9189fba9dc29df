//! Seeded damage to a stream of frames, without IO.

use bytes::Bytes;
use fastrand::Rng;

use crate::walk::first_scan;

/// Generates faults. The same seed and the same calls always give the same faults.
#[derive(Debug, Clone)]
pub struct Faults {
    random: Rng,
}

/// A stream of frames, some of them damaged.
#[derive(Debug, Clone)]
pub struct Damaged {
    /// The bytes to feed.
    pub stream: Bytes,
    /// The indices of the frames that are whole in the stream, in order.
    pub intact: Vec<usize>,
}

impl Faults {
    /// Starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
        }
    }

    /// Joins `frames` into one stream with faults in it.
    ///
    /// About half of the frames stay whole. The others are cut off inside their first scan, or get
    /// an illegal marker (`FF 02`) there, in place of a stuffed `FF 00` if they have one. Garbage
    /// precedes about a third of the frames, and may follow the last one.
    ///
    /// Garbage never contains an SOI (`FF D8`), not even together with the byte before it. After a
    /// frame that was cut off it contains no `FF` at all: within a scan, `FF E1 FF FF` would
    /// declare the next 64 kB, whole frames included, a segment's payload, and a reader may believe
    /// it.
    ///
    /// # Panics
    ///
    /// If a frame is not a JPEG with a scan.
    #[must_use]
    pub fn damage(&mut self, frames: &[Bytes]) -> Damaged {
        let mut stream = Vec::new();
        let mut intact = Vec::new();
        let mut is_cut = false;
        for (index, frame) in frames.iter().enumerate() {
            self.maybe_garbage(&mut stream, is_cut);
            let scan = first_scan(frame)
                .unwrap_or_else(|| panic!("frame {index} is not a JPEG with a scan"));
            is_cut = false;
            match self.random.u8(..4) {
                0 if scan.len() > 1 => {
                    let end = self.random.usize(scan.start + 1..scan.end);
                    stream.extend_from_slice(&frame[..end]);
                    // A trailing FF would form a marker with the next byte.
                    while stream.last() == Some(&0xff) {
                        stream.pop();
                    }
                    is_cut = true;
                }
                1 if scan.len() > 1 => {
                    let stuffed: Vec<usize> = scan
                        .clone()
                        .zip(frame[scan.clone()].windows(2))
                        .filter_map(|(at, pair)| (pair == [0xff, 0x00]).then_some(at))
                        .collect();
                    let at = match self.random.choice(&stuffed) {
                        Some(at) => *at,
                        None => self.random.usize(scan.start..scan.end - 1),
                    };
                    let start = stream.len();
                    stream.extend_from_slice(frame);
                    stream[start + at..start + at + 2].copy_from_slice(&[0xff, 0x02]);
                }
                _ => {
                    stream.extend_from_slice(frame);
                    intact.push(index);
                }
            }
        }
        self.maybe_garbage(&mut stream, is_cut);
        Damaged {
            stream: stream.into(),
            intact,
        }
    }

    /// Cuts `stream` into chunks of 1 to 3000 bytes, many of them tiny, as reads from a socket
    /// might return it. No byte is lost, and no chunk is empty.
    #[must_use]
    pub fn chunks(&mut self, stream: &Bytes) -> Vec<Bytes> {
        let mut rest = stream.clone();
        let mut chunks = Vec::new();
        while !rest.is_empty() {
            let longest = if self.random.u8(..4) == 0 { 4 } else { 3000 };
            let length = self.random.usize(1..=longest).min(rest.len());
            chunks.push(rest.split_to(length));
        }
        chunks
    }

    fn maybe_garbage(&mut self, stream: &mut Vec<u8>, is_cut: bool) {
        if self.random.u8(..3) != 0 {
            return;
        }
        for _ in 0..self.random.usize(1..2000) {
            let byte = self.random.u8(..);
            let makes_soi = byte == 0xd8 && stream.last() == Some(&0xff);
            let makes_marker = byte == 0xff && is_cut;
            stream.push(if makes_soi || makes_marker { 0 } else { byte });
        }
    }
}
