//! Repairs a frame in slices.

use super::{
    edit::{EOI, Edit, is_stripped},
    repairs::Repairs,
};
use crate::{
    frame::Frame,
    jpeg::{
        marker, tables,
        walk::{Segment, Walk, WalkStep},
    },
};

/// Repairs a frame like [`Frame::repaired`], in slices: for a task that must let others have their
/// turn in between.
#[derive(Debug)]
pub struct Repairer {
    frame: Frame,
    wanted: Repairs,
    made: Repairs,
    walk: Walk,
    /// The walk has found all there is to repair.
    is_walked: bool,
    /// A segment to edit as soon as all before it is copied.
    pending: Option<Segment>,
    edit: Edit,
}

impl Repairer {
    /// Begins to repair a frame, whose bytes it shares.
    pub fn new(frame: &Frame, repairs: Repairs) -> Self {
        let is_baseline = frame.sof() == marker::SOF0 && frame.precision_bits() == 8;
        let wanted = repairs.with_huffman_tables(repairs.huffman_tables && is_baseline);
        Self {
            frame: frame.clone(),
            wanted,
            made: Repairs::NONE,
            walk: Walk::new(),
            is_walked: false,
            pending: None,
            edit: Edit::default(),
        }
    }

    /// Continues for about `work` nanoseconds, estimated from what it does, and for at least one
    /// step. Returns the frame and the repairs made, once, or `None` before that.
    pub fn step(&mut self, work: usize) -> Option<(Frame, Repairs)> {
        let mut work = work.max(1);
        while work > 0 {
            let done = if self.is_walked {
                if self.edit.is_copied(self.frame.bytes()) {
                    return Some(self.finish());
                }
                self.edit.copy(self.frame.bytes(), BYTES_AT_A_TIME)
            } else {
                self.advance()
            };
            work = work.saturating_sub(done);
        }
        None
    }

    /// Takes a step of the walk, and returns its work.
    fn advance(&mut self) -> usize {
        if let Some(segment) = self.pending.take() {
            return self.edit(segment);
        }
        if !(self.wanted.huffman_tables || self.wanted.embedded_markers) {
            self.end_walk();
            return 1;
        }
        let from = self.walk.position();
        match self.walk.step(self.frame.bytes(), BYTES_AT_A_TIME) {
            WalkStep::Segment(segment) => self.segment(segment),
            WalkStep::Again => {}
            WalkStep::End => self.end_walk(),
        }
        self.walk.position() - from + SEGMENT_NANOS
    }

    /// Decides about a segment.
    fn segment(&mut self, segment: Segment) {
        let is_edited = match segment.code {
            marker::DHT => {
                self.wanted.huffman_tables = false;
                false
            }
            marker::SOS => self.wanted.huffman_tables,
            marker::APP0..=marker::APP15 | marker::COM => {
                self.wanted.embedded_markers && is_stripped(self.frame.bytes(), &segment)
            }
            _ => false,
        };
        self.pending = is_edited.then_some(segment);
    }

    /// Edits a segment, or copies some of what is before it. Returns the work.
    fn edit(&mut self, segment: Segment) -> usize {
        let bytes = self.frame.bytes();
        if segment.start > self.edit.taken() + BYTES_AT_A_TIME {
            self.edit.begin(bytes);
            let copied = self.edit.copy(bytes, BYTES_AT_A_TIME);
            self.pending = Some(segment);
            return copied;
        }
        let taken = self.edit.taken();
        if segment.code == marker::SOS {
            let before = segment.start..segment.start;
            self.edit.replace(bytes, before, &tables::TYPICAL_SEGMENT);
            self.made.huffman_tables = true;
            self.wanted.huffman_tables = false;
        } else {
            self.edit.strip(bytes, &segment);
            self.made.embedded_markers = true;
        }
        self.edit.taken() - taken + SEGMENT_NANOS
    }

    fn end_walk(&mut self) {
        self.is_walked = true;
        if self.wanted.eoi && !self.frame.has_eoi() {
            self.made.eoi = true;
            self.edit.begin(self.frame.bytes());
        }
    }

    fn finish(&mut self) -> (Frame, Repairs) {
        let frame = self.frame.clone();
        let repaired = match std::mem::take(&mut self.edit).finish() {
            Some(mut bytes) => {
                let mut frame = frame;
                if self.made.eoi {
                    bytes.extend_from_slice(&EOI);
                    frame = frame.with_eoi();
                }
                let memory_bytes = bytes.capacity();
                frame.with_bytes(bytes.into(), memory_bytes)
            }
            None => frame,
        };
        (repaired, self.made)
    }
}

/// How many bytes are walked or copied at a time.
const BYTES_AT_A_TIME: usize = 64 << 10;

/// What a segment takes.
const SEGMENT_NANOS: usize = 20;
