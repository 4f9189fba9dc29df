//! A frame on its way to the consumers.

use std::sync::{Arc, OnceLock};

use mjpeg_codec::{
    Frame, Stamp,
    multipart::{Boundary, Part, PartHeaders, render},
};

/// A published frame, shared by all consumers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// Which frame of its producer this is: 1, 2, 3, … without gaps.
    pub seq: u64,
    /// Which producer it came from: a number drawn at random for each.
    pub epoch: u64,
    /// The image.
    pub frame: Frame,
    /// When it was captured.
    pub stamp: Stamp,
    /// Whether it stands in for a frame that there is not; made by the producer's owner, not by its source.
    pub is_placeholder: bool,
    part: OnceLock<Part>,
}

impl Published {
    pub(crate) fn new(seq: u64, epoch: u64, frame: Frame, stamp: Stamp) -> Self {
        Self {
            seq,
            epoch,
            frame,
            stamp,
            is_placeholder: false,
            part: OnceLock::new(),
        }
    }

    /// The frame as a part of a multipart stream with the default [`Boundary`], with its length and timestamp.
    ///
    /// Made when first asked for, then shared: ten thousand viewers cost one copy of the image, an unwatched stream none.
    pub fn part(&self) -> &Part {
        self.part.get_or_init(|| {
            let headers = PartHeaders::default().with_timestamp(self.stamp.shown());
            render(&Boundary::default(), &headers, self.frame.bytes())
        })
    }
}

/// What consumers are given.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    /// The newest frame, or the placeholder in its stead.
    pub(crate) shown: Option<Arc<Published>>,
    /// The newest frame of the source itself.
    pub(crate) picture: Option<Arc<Published>>,
    /// Ready to be shown. Its number is 0, for it is none of the sequence.
    pub(crate) placeholder: Option<Arc<Published>>,
}

impl Newest {
    /// Makes the placeholder the newest frame, if there is one, and tells whether that was so.
    pub(crate) fn show_placeholder(&mut self, last_seq: &mut u64) -> bool {
        let Some(ready) = &self.placeholder else {
            return false;
        };
        *last_seq += 1;
        let frame = ready.frame.clone();
        let mut shown = Published::new(*last_seq, ready.epoch, frame, ready.stamp);
        shown.is_placeholder = true;
        self.shown = Some(Arc::new(shown));
        true
    }
}
