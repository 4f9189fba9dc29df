//! Repairs a frame in slices.

use super::{
    ahead::{LookAhead, OrientationPlan},
    edit::{EOI, Edit, is_stripped},
    exif::{self, OrientationEntry, is_exif},
    orientation::Orientation,
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
    /// Comes before the walk, if the orientation changes.
    ahead: Option<LookAhead>,
    /// Where an Exif segment is inserted.
    insert_at: Option<usize>,
    walk: Walk,
    /// The walk has found all there is to repair.
    is_walked: bool,
    /// It has passed the first Exif segment or the first SOS: no other can tell the orientation.
    is_past_exif: bool,
    /// A segment to edit as soon as all before it is copied.
    pending: Option<(Segment, SegmentEdit)>,
    edit: Edit,
}

/// What becomes of a segment.
#[derive(Debug)]
enum SegmentEdit {
    /// Huffman tables are inserted before it.
    InsertTables,
    /// It is removed, because markers are embedded in it.
    Strip,
    /// Of an Exif segment that is removed, this remains.
    Reduce(Orientation),
    /// An Exif segment says this instead.
    Reorient(OrientationEntry, Orientation),
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
            ahead: (repairs.orientation != Orientation::UPRIGHT).then(LookAhead::new),
            insert_at: None,
            walk: Walk::new(),
            is_walked: false,
            is_past_exif: false,
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
        if let Some(ahead) = &mut self.ahead {
            let from = ahead.position();
            let plan = ahead.step(self.frame.bytes());
            let work = ahead.position() - from + SEGMENT_NANOS;
            if let Some(plan) = plan {
                self.plan(plan);
            }
            return work;
        }
        if let Some((segment, change)) = self.pending.take() {
            return self.edit(segment, change);
        }
        let reorients = self.wanted.orientation != Orientation::UPRIGHT;
        if !(self.wanted.huffman_tables || self.wanted.embedded_markers || reorients) {
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

    /// Takes note of what the look ahead has found.
    fn plan(&mut self, plan: OrientationPlan) {
        self.ahead = None;
        match plan {
            OrientationPlan::Insert(at) => self.insert_at = Some(at),
            OrientationPlan::Edit => {}
            OrientationPlan::Nothing => self.wanted.orientation = Orientation::UPRIGHT,
        }
    }

    /// Decides about a segment.
    fn segment(&mut self, segment: Segment) {
        if self.insert_at == Some(segment.start) {
            self.insert_exif(segment.start);
        }
        let change = match segment.code {
            marker::DHT => {
                self.wanted.huffman_tables = false;
                None
            }
            marker::SOS => {
                self.is_past_exif = true;
                self.wanted
                    .huffman_tables
                    .then_some(SegmentEdit::InsertTables)
            }
            marker::APP0..=marker::APP15 | marker::COM => self.free_form(&segment),
            _ => None,
        };
        self.pending = change.map(|change| (segment, change));
    }

    /// Inserts an Exif segment. Not more than [`BYTES_AT_A_TIME`] stand before it.
    fn insert_exif(&mut self, at: usize) {
        let orientation = self.wanted.orientation;
        let inserted = exif::segment(orientation);
        self.edit.replace(self.frame.bytes(), at..at, &inserted);
        self.reoriented(orientation);
        self.insert_at = None;
    }

    /// Takes note that the orientation is as it was wanted.
    fn reoriented(&mut self, wanted: Orientation) {
        self.made.orientation = wanted;
        self.wanted.orientation = Orientation::UPRIGHT;
    }

    /// Decides about an APPn or COM segment.
    fn free_form(&mut self, segment: &Segment) -> Option<SegmentEdit> {
        let bytes = self.frame.bytes();
        let payload = &bytes[segment.payload.clone()];
        let is_removed = self.wanted.embedded_markers && is_stripped(bytes, segment);
        let may_tell = !self.is_past_exif && is_exif(segment.code, payload);
        self.is_past_exif |= may_tell;
        let entry = may_tell.then(|| OrientationEntry::find(payload)).flatten();
        let (Some(entry), wanted) = (entry, self.wanted.orientation) else {
            return is_removed.then_some(SegmentEdit::Strip);
        };
        let result = entry.says.then(wanted);
        match is_removed {
            true if result == Orientation::UPRIGHT => {
                self.reoriented(wanted);
                Some(SegmentEdit::Strip)
            }
            true => Some(SegmentEdit::Reduce(result)),
            false if wanted == Orientation::UPRIGHT => None,
            false => Some(SegmentEdit::Reorient(entry, result)),
        }
    }

    /// Edits a segment, or copies some of what is before it. Returns the work.
    fn edit(&mut self, segment: Segment, change: SegmentEdit) -> usize {
        let bytes = self.frame.bytes();
        if segment.start > self.edit.taken() + BYTES_AT_A_TIME {
            self.edit.begin(bytes);
            let copied = self.edit.copy(bytes, BYTES_AT_A_TIME);
            self.pending = Some((segment, change));
            return copied;
        }
        let taken = self.edit.taken();
        match change {
            SegmentEdit::InsertTables => {
                let before = segment.start..segment.start;
                self.edit.replace(bytes, before, &tables::TYPICAL_SEGMENT);
                self.made.huffman_tables = true;
                self.wanted.huffman_tables = false;
            }
            SegmentEdit::Strip => {
                self.edit.strip(bytes, &segment);
                self.made.embedded_markers = true;
            }
            SegmentEdit::Reduce(orientation) => {
                let whole = segment.start..segment.payload.end;
                let rest = exif::segment(orientation);
                self.edit.replace(bytes, whole, &rest);
                self.made.embedded_markers = true;
                self.reoriented(self.wanted.orientation);
            }
            SegmentEdit::Reorient(entry, orientation) => {
                let start = segment.payload.start;
                let place = start + entry.range.start..start + entry.range.end;
                self.edit.replace(bytes, place, &entry.saying(orientation));
                self.reoriented(self.wanted.orientation);
            }
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
