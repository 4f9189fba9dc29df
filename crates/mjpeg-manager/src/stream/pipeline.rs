//! What happens to a frame between its camera and its viewers: filter, verify, repair.
//!
//! Pure: no state, no clock, no runtime.

use mjpeg_codec::{Frame, repair::Repairs, verify::Verdict};

use crate::{spec::StreamSpec, status::record::HeldBack};

/// Which frames are let through, and what is repaired on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pipeline {
    pass_unsupported: bool,
    check: bool,
    repair: Repairs,
}

/// What becomes of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Processed {
    /// It is published, after these repairs.
    Publish { frame: Frame, repairs: Repairs },
    /// It is held back.
    Discard { reason: HeldBack, bytes: u64 },
}

impl Pipeline {
    /// Takes the settings of a stream.
    pub(crate) fn of(spec: &StreamSpec) -> Self {
        Self {
            pass_unsupported: spec.pass_unsupported(),
            check: spec.check(),
            repair: spec.repair(),
        }
    }

    /// Decides about a frame, and repairs it.
    pub(crate) fn process(self, frame: Frame) -> Processed {
        let reason = if !(self.pass_unsupported || frame.displayable()) {
            HeldBack::Unsupported
        } else if self.check && matches!(frame.verify(), Verdict::Damaged(_)) {
            HeldBack::Damaged
        } else {
            let (frame, repairs) = frame.repaired(self.repair);
            return Processed::Publish { frame, repairs };
        };
        let bytes = frame.bytes().len() as u64;
        Processed::Discard { reason, bytes }
    }
}

#[cfg(test)]
mod tests {
    use mjpeg_ingest::Source;
    use mjpeg_testkit::jpeg;

    use super::*;

    fn spec() -> StreamSpec {
        StreamSpec::new("door".parse().expect("a name"), Source::tcp("camera", 1))
    }

    fn frame(jpeg: impl Into<bytes::Bytes>) -> Frame {
        Frame::parse(jpeg).expect("a whole frame")
    }

    fn lossless() -> Frame {
        let mut jpeg = jpeg::numbered(1).to_vec();
        let sof = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]);
        jpeg[sof.expect("a frame header") + 1] = 0xC3;
        frame(jpeg)
    }

    fn damaged() -> Frame {
        let mut jpeg = jpeg::dense(2, 4000).to_vec();
        let at = jpeg.len() / 2;
        jpeg.drain(at..at + 1500);
        frame(jpeg)
    }

    fn discarded(reason: HeldBack, frame: &Frame) -> Processed {
        let bytes = frame.bytes().len() as u64;
        Processed::Discard { reason, bytes }
    }

    fn published(frame: Frame) -> Processed {
        let repairs = Repairs::NONE;
        Processed::Publish { frame, repairs }
    }

    #[test]
    fn frame_without_fault_passes_unchanged() {
        let frame = frame(jpeg::numbered(1));
        let pipeline = Pipeline::of(&spec().with_check(true));
        assert_eq!(pipeline.process(frame.clone()), published(frame));
    }

    #[test]
    fn unsupported_frame_passes_only_if_asked() {
        let frame = lossless();
        let held_back = Pipeline::of(&spec()).process(frame.clone());
        assert_eq!(held_back, discarded(HeldBack::Unsupported, &frame));
        let passed = Pipeline::of(&spec().with_pass_unsupported(true)).process(frame.clone());
        assert_eq!(passed, published(frame));
    }

    #[test]
    fn damaged_frame_is_held_back_only_if_checked() {
        let frame = damaged();
        let checked = Pipeline::of(&spec().with_check(true)).process(frame.clone());
        assert_eq!(checked, discarded(HeldBack::Damaged, &frame));
        let unchecked = Pipeline::of(&spec()).process(frame.clone());
        assert_eq!(unchecked, published(frame));
    }

    #[test]
    fn repairs_are_made_as_the_spec_says_and_reported() {
        let bare = frame(jpeg::without_dht(&jpeg::numbered(1)));
        let Processed::Publish { frame, repairs } = Pipeline::of(&spec()).process(bare.clone())
        else {
            panic!("held back");
        };
        assert_ne!(frame.bytes(), bare.bytes());
        let made: Vec<_> = repairs.named().filter(|(_, made)| *made).collect();
        assert_eq!(made, [("huffman_tables", true)]);
        let off = Pipeline::of(&spec().with_repair(Repairs::NONE)).process(bare.clone());
        assert_eq!(off, published(bare));
    }
}
