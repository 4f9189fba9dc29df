//! A published frame.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

#[cfg(feature = "small")]
use mjpeg_codec::small::NoSmallPicture;
use mjpeg_codec::{
    Frame, FrameId, Stamp,
    multipart::{AllowOrigin, Boundary, Part, PartHeaders, render},
};

/// A published frame, shared by all consumers.
#[non_exhaustive]
pub struct Published {
    /// The number of this frame within its producer: 1, 2, 3, … without gaps.
    pub seq: u64,
    /// The [epoch](crate::Producer::epoch) of the producer, a random number.
    pub epoch: u64,
    /// The image.
    pub frame: Frame,
    /// The time of capture.
    pub stamp: Stamp,
    /// Whether this is a placeholder, which the producer's owner made, instead of a frame of the
    /// source.
    pub is_placeholder: bool,
    /// The part for any origin, which most viewers get.
    part: OnceLock<Part>,
    /// The parts for other origins; as many as the policies in use name.
    restricted: Mutex<Vec<(AllowOrigin, Part)>>,
    #[cfg(feature = "small")]
    small: crate::small::SmallForms,
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
            restricted: Mutex::default(),
            #[cfg(feature = "small")]
            small: crate::small::SmallForms::default(),
        }
    }

    pub(crate) fn placeholder(seq: u64, epoch: u64, frame: Frame, stamp: Stamp) -> Self {
        Self {
            is_placeholder: true,
            ..Self::new(seq, epoch, frame, stamp)
        }
    }

    /// Returns the identity of the frame: the one that another relay gave it, else its own.
    ///
    /// It survives relays, so that a frame has the same one at each.
    pub fn id(&self) -> FrameId {
        let own = FrameId {
            epoch: self.epoch,
            seq: self.seq,
        };
        self.stamp.id().unwrap_or(own)
    }

    /// Renders the frame as a part of a multipart stream with the default [`Boundary`], its length
    /// and its timestamp.
    ///
    /// The first call copies the image, all further calls share the result. Ten thousand viewers
    /// cost one copy, and a stream without viewers costs none.
    pub fn part(&self) -> &Part {
        self.part.get_or_init(|| self.render(AllowOrigin::ANY))
    }

    /// Renders the frame as a part that admits this origin, otherwise the same as
    /// [`part`](Self::part). Each origin is rendered once and shared.
    ///
    /// The caller must bound the number of origins: for each, the frame keeps a copy of the image.
    pub fn part_for(&self, origin: &AllowOrigin) -> Part {
        if *origin == AllowOrigin::ANY {
            return self.part().clone();
        }
        // Poisoning is ignored: a panic while rendering leaves the list as it was.
        let mut parts = self
            .restricted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, part)) = parts.iter().find(|(of, _)| of == origin) {
            return part.clone();
        }
        let part = self.render(origin.clone());
        parts.push((origin.clone(), part.clone()));
        part
    }

    fn render(&self, origin: AllowOrigin) -> Part {
        let headers = PartHeaders::default()
            .with_timestamp(self.stamp.shown())
            .with_allow_origin(origin);
        render(&Boundary::default(), &headers, self.frame.bytes())
    }
}

#[cfg(feature = "small")]
impl Published {
    /// Returns the picture at an eighth of its size, made from the frame's DC coefficients without
    /// decoding it (see [`mjpeg_codec::small`]).
    ///
    /// The first call makes it, all further calls share the result; those that come meanwhile wait
    /// for it. It is made in slices of about half a millisecond, between which other tasks get
    /// their turn. The frame keeps the samples: an eighth of the size in each direction, at most
    /// [`MOST_SAMPLES`](mjpeg_codec::small::MOST_SAMPLES) per component.
    ///
    /// # Errors
    ///
    /// The frame has none. Show the whole picture instead.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future that makes the picture is dropped, another one starts over.
    pub async fn small_picture(&self) -> Result<&mjpeg_codec::small::SmallPicture, NoSmallPicture> {
        self.small.picture(&self.frame).await
    }

    /// Returns the [small picture](Self::small_picture) as a JPEG, which is made once and shared,
    /// too.
    ///
    /// # Errors
    ///
    /// The frame has none. Show the whole picture instead.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future that makes the picture is dropped, another one starts over.
    pub async fn small_jpeg(&self) -> Result<bytes::Bytes, NoSmallPicture> {
        self.small.jpeg(&self.frame).await
    }

    /// Returns how many bytes of memory the small forms made so far take.
    pub fn small_memory_bytes(&self) -> usize {
        self.small.memory_bytes()
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("seq", &self.seq)
            .field("epoch", &self.epoch)
            .field("frame", &self.frame)
            .field("stamp", &self.stamp)
            .field("is_placeholder", &self.is_placeholder)
            .finish_non_exhaustive()
    }
}

/// The frames on offer to consumers.
#[derive(Debug, Default)]
pub(crate) struct Newest {
    /// The latest frame: the source's, or the placeholder.
    pub(crate) shown: Option<Arc<Published>>,
    /// The latest frame of the source.
    pub(crate) picture: Option<Arc<Published>>,
    /// The placeholder, ready to be shown. It has number 0 because it is not part of the sequence.
    pub(crate) placeholder: Option<Arc<Published>>,
}

impl Newest {
    /// Makes the placeholder the latest frame under the next sequence number. Returns whether
    /// there is one.
    pub(crate) fn show_placeholder(&mut self, last_seq: &mut u64) -> bool {
        let Some(ready) = &self.placeholder else {
            return false;
        };
        *last_seq += 1;
        let frame = ready.frame.clone();
        let shown = Published::placeholder(*last_seq, ready.epoch, frame, ready.stamp);
        self.shown = Some(Arc::new(shown));
        true
    }

    /// Makes the source's latest frame the latest frame again, if the placeholder is shown. Returns
    /// whether consumers have something new to take.
    pub(crate) fn show_picture(&mut self, last_seq: &mut u64) -> bool {
        if self
            .shown
            .as_ref()
            .is_none_or(|shown| !shown.is_placeholder)
        {
            return false;
        }
        self.shown = self.picture.as_ref().map(|picture| {
            *last_seq += 1;
            let frame = picture.frame.clone();
            let again = Published::new(*last_seq, picture.epoch, frame, picture.stamp);
            Arc::new(again)
        });
        self.shown.is_some()
    }
}
