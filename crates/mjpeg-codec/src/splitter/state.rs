//! The states of the splitter, and what it knows of the frame it is reading.

use crate::jpeg::{frame_header::FrameHeader, marker, segment};

/// What the splitter does next.
///
/// ```text
///            SOI            SOS
///   Seek ──────▶ Markers ──────▶ Scan
///    ▲            │  ▲ ▲           │
///    │ EOI or     │  │ └───────────┘ a marker that ends the scan
///    │ broken     │  │
///    ├────────────┤  │
///    │            ▼  │
///    ├────────── Inside   EOI of an image found inside an untrusted segment
///    │
///    └────────── Unended  the scan ended without EOI
/// ```
///
/// In every state but `Seek`, the buffer begins at the SOI of the current frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SplitterState {
    /// Looking for an SOI. The bytes before it are garbage.
    Seek,
    /// A marker must stand at `pos`.
    Markers,
    /// `pos` is inside entropy-coded data.
    Scan,
    /// The current frame is whole and ends at `pos`. It was found inside a segment that was not
    /// trusted. The bytes after it show whether it belongs to that segment.
    Inside,
    /// The current frame has no EOI. It ends before the first delimiter behind `pos`, or where its
    /// [`Stop`] says.
    Unended,
}

/// Where a frame without EOI ends at the latest, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) at: usize,
    pub(super) cause: Cause,
}

/// What stopped a frame without EOI.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    Soi,
    Delimiter,
    /// The stream ended as it should, or was cut off. Whatever stands behind `scanned` is a segment
    /// that is not whole.
    End {
        is_cut_off: bool,
        scanned: usize,
    },
}

/// What one step of the state machine achieved.
pub(super) enum StepOutcome {
    /// The state changed; take the next step.
    Again,
    /// The state needs more bytes.
    NeedMore,
}

/// What is known of the current frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) header: Option<FrameHeader>,
    /// The frame has a DHP segment: several frame headers make up one image (T.81 annex J).
    hierarchical: bool,
    /// A scan has begun.
    pub(super) scanned: bool,
    /// Where the length field of the latest segment stands, or 0. If no marker follows that
    /// segment, its length was false, and the search for the next frame continues here.
    pub(super) last_segment: usize,
    /// Where the latest segment claims to end.
    pub(super) last_end: usize,
    /// Where the latest sound segment ends. Behind it are entropy-coded data.
    pub(super) data_start: usize,
    /// How far those were searched for a delimiter.
    pub(super) delimiter_from: usize,
    /// Set in [`SplitterState::Unended`].
    pub(super) stop: Option<Stop>,
}

/// How a segment fits the current frame.
pub(super) enum Fit {
    Sound,
    /// Its payload does not have the form that its marker requires.
    Malformed,
    /// Its form is right, but it cannot stand here.
    Misplaced,
}

impl Progress {
    /// Takes note of where a sound segment ends.
    pub(super) fn passed(&mut self, end: usize) {
        (self.data_start, self.delimiter_from) = (end, end);
    }

    /// Takes note of a segment of the current frame.
    pub(super) fn take_segment(&mut self, code: u8, payload: &[u8]) -> Fit {
        match code {
            marker::APP0..=marker::APP15 | marker::COM => return Fit::Sound,
            code if marker::is_sof(code) => {
                return match (FrameHeader::parse(code, payload), &mut self.header) {
                    (None, _) => Fit::Malformed,
                    (header, none @ None) => {
                        *none = header;
                        Fit::Sound
                    }
                    // The first frame header of a hierarchical image states its size.
                    (_, Some(first)) if self.hierarchical => {
                        first.plain = false;
                        Fit::Sound
                    }
                    _ => Fit::Misplaced,
                };
            }
            code if !segment::payload_is_sound(code, payload) => return Fit::Malformed,
            marker::SOS if self.header.is_none() => return Fit::Misplaced,
            marker::SOS => self.scanned = true,
            marker::DHP => self.hierarchical = true,
            // B.2.5: defines or redefines the number of lines.
            marker::DNL => {
                if let (Some(header), &[hi, lo]) = (&mut self.header, payload) {
                    header.height = u16::from_be_bytes([hi, lo]);
                }
            }
            _ => {}
        }
        Fit::Sound
    }
}
