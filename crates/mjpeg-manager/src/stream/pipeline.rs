//! What happens to a frame between its camera and its viewers: filter, verify, repair.
//!
//! Pure: no state, no clock, no runtime.

use mjpeg_codec::{
    Frame, MissingEoi, SplitterConfig,
    repair::{Repairer, Repairs},
    verify::{Verdict, Verifier},
};
use mjpeg_ingest::IngestConfig;

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

    /// Decides about a frame, and repairs it, however long that takes.
    pub(crate) fn process(self, frame: Frame) -> Processed {
        let mut processing = self.begin(frame);
        loop {
            if let Some(processed) = processing.step() {
                return processed;
            }
        }
    }

    /// Begins to decide about a frame in slices.
    pub(crate) fn begin(self, frame: Frame) -> Processing {
        let (stage, reason) = if !(self.pass_unsupported || frame.displayable()) {
            (Stage::HeldBack, HeldBack::Unsupported)
        } else if frame.has_eoi() {
            match self.check {
                true => (Stage::verify(&frame), HeldBack::Damaged),
                false => (Stage::repair(&frame, self.repair), HeldBack::Damaged),
            }
        } else if self.repair.eoi() {
            // Whether it lacks its EOI or was cut off shows only in its scan.
            (Stage::verify(&frame), HeldBack::Truncated)
        } else {
            (Stage::HeldBack, HeldBack::Truncated)
        };
        Processing {
            frame,
            repair: self.repair,
            stage,
            reason,
        }
    }
}

/// A frame about which is being decided.
#[derive(Debug)]
pub(crate) struct Processing {
    frame: Frame,
    repair: Repairs,
    stage: Stage,
    /// Why it is held back, if it is.
    reason: HeldBack,
}

#[derive(Debug)]
enum Stage {
    Verify(Box<Verifier>),
    Repair(Box<Repairer>),
    HeldBack,
}

impl Stage {
    fn verify(frame: &Frame) -> Self {
        Self::Verify(Box::new(Verifier::new(frame)))
    }

    fn repair(frame: &Frame, repairs: Repairs) -> Self {
        Self::Repair(Box::new(Repairer::new(frame, repairs)))
    }
}

impl Processing {
    /// Continues for about half a millisecond. Returns the outcome, once.
    pub(crate) fn step(&mut self) -> Option<Processed> {
        match &mut self.stage {
            Stage::Verify(verifier) => {
                self.stage = match verifier.step(SLICE_NANOS)? {
                    Verdict::Damaged(_) => Stage::HeldBack,
                    _ => Stage::repair(&self.frame, self.repair),
                };
                None
            }
            Stage::Repair(repairer) => {
                let (frame, repairs) = repairer.step(SLICE_NANOS)?;
                Some(Processed::Publish { frame, repairs })
            }
            Stage::HeldBack => Some(Processed::Discard {
                reason: self.reason,
                bytes: self.frame.bytes().len() as u64,
            }),
        }
    }
}

/// Returns the settings with which the sources of a stream are read.
pub(crate) fn ingest_config(config: &IngestConfig, spec: &StreamSpec) -> IngestConfig {
    let splitter: SplitterConfig = config.splitter().clone();
    if spec.repair().eoi() {
        // The pipeline tells those that were cut off.
        let splitter = splitter.with_missing_eoi(MissingEoi::Accept);
        return config.clone().with_splitter(splitter);
    }
    config.clone()
}

/// How long a frame may keep its thread at a time.
const SLICE_NANOS: usize = 500_000;

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

    /// A frame of a camera that omits EOI, and the same cut off in its scan.
    fn without_eoi() -> [Frame; 2] {
        let jpeg = jpeg::dense(3, 4000);
        [2, 1500].map(|lost| {
            let config = SplitterConfig::default().with_missing_eoi(MissingEoi::Accept);
            let mut splitter = mjpeg_codec::Splitter::new(config);
            splitter.push(jpeg.slice(..jpeg.len() - lost));
            splitter.finish();
            match splitter.poll() {
                Some(mjpeg_codec::Found::Frame(frame)) => frame,
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn frame_without_eoi_is_repaired_and_one_that_was_cut_off_is_held_back() {
        let [whole, cut_off] = without_eoi();
        let pipeline = Pipeline::of(&spec());
        let Processed::Publish { frame, repairs } = pipeline.process(whole.clone()) else {
            panic!("held back");
        };
        assert_eq!(*frame.bytes(), jpeg::dense(3, 4000));
        assert_eq!(repairs, Repairs::NONE.with_eoi(true));
        let held_back = pipeline.process(cut_off.clone());
        assert_eq!(held_back, discarded(HeldBack::Truncated, &cut_off));
        let off = Pipeline::of(&spec().with_repair(Repairs::NONE));
        assert_eq!(
            off.process(whole.clone()),
            discarded(HeldBack::Truncated, &whole)
        );
    }

    #[test]
    fn large_frame_is_processed_in_slices() {
        let large = frame(jpeg::dense(4, 3_000_000));
        let mut processing = Pipeline::of(&spec().with_check(true)).begin(large.clone());
        let mut slices = 0;
        let processed = loop {
            slices += 1;
            if let Some(processed) = processing.step() {
                break processed;
            }
        };
        assert!(slices > 10, "{slices}");
        assert_eq!(processed, published(large));
    }
}
