//! The muxer: asks for frames, and returns what to write.

use std::fmt;

use bytes::Bytes;

use crate::{
    avi::Avi, clip::Clip, concat::Concat, container::Container, error::Error,
    file_pieces::FilePieces, format::ClipFormat, mov::Mov, plan::ClipPlan, zip::Zip,
};

/// Makes the file of a clip, in order and frame by frame. It does no IO: [`Muxer::poll`] returns
/// the next step, and [`Muxer::push`] takes the frame that this step asks for.
///
/// # Memory
///
/// A muxer holds the plan of 16 bytes per frame, at most one frame, and a few pieces of about
/// 64 KiB. For a ZIP, it holds 4 more bytes per frame. The end of a MOV is made all at once. It
/// takes 40 bytes per frame for a while, which is 4 MB for an hour at 30 frames a second.
pub struct Muxer {
    clip: Clip,
    container: Box<dyn Container>,
    out: FilePieces,
    /// The index of the frame that comes next.
    next: usize,
    stage: MuxStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MuxStage {
    /// Frames are still to be asked for, or to be written.
    Frames,
    /// [`Muxer::poll`] has asked for the next frame.
    Asked,
    /// All frames have come.
    End,
}

/// The next step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MuxStep {
    /// Write these bytes: a frame as it was pushed, or at most about 64 KiB of other bytes.
    Write(Bytes),
    /// Push the frame with this index in the plan, or `None` if it is missing.
    NeedsFrame(usize),
    /// The file is complete.
    Done,
}

/// A JPEG frame.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MuxFrame {
    /// The bytes of the JPEG, which go into the file as they are.
    pub jpeg: Bytes,
    /// The width in pixels.
    pub width: u16,
    /// The height in pixels.
    pub height: u16,
}

impl MuxFrame {
    /// Makes a frame from a JPEG and its size in pixels.
    pub fn new(jpeg: Bytes, width: u16, height: u16) -> Self {
        Self {
            jpeg,
            width,
            height,
        }
    }
}

impl Muxer {
    /// Makes a muxer for one clip.
    ///
    /// # Errors
    ///
    /// The plan has no frame, or the AVI would be too large.
    pub fn new(format: ClipFormat, plan: ClipPlan) -> Result<Self, Error> {
        if plan.is_empty() {
            return Err(Error::NoFrame);
        }
        let clip = Clip::new(plan);
        let mut container: Box<dyn Container> = match format {
            ClipFormat::Mov => Box::new(Mov),
            ClipFormat::Avi => Box::new(Avi::new(&clip.plan)?),
            ClipFormat::Zip => Box::new(Zip::new(&clip)),
            ClipFormat::Mjpeg => Box::new(Concat),
        };
        let mut out = FilePieces::default();
        container.head(&clip, &mut out);
        out.flush();
        Ok(Self {
            clip,
            container,
            out,
            next: 0,
            stage: MuxStage::Frames,
        })
    }

    /// Returns the length of the file in bytes, if it is known before the frames are. It is known
    /// only for an AVI: the other formats leave out missing frames.
    pub fn content_length(&self) -> Option<u64> {
        self.container.content_length()
    }

    /// Returns the next step. If that is [`MuxStep::NeedsFrame`], it stays the same until the frame
    /// is pushed.
    pub fn poll(&mut self) -> MuxStep {
        loop {
            if let Some(bytes) = self.out.pop() {
                return MuxStep::Write(bytes);
            }
            if self.container.resume(&self.clip, &mut self.out) {
                continue;
            }
            if self.stage == MuxStage::End {
                self.out.flush();
                return self.out.pop().map_or(MuxStep::Done, MuxStep::Write);
            }
            if self.next < self.clip.plan.len() {
                self.stage = MuxStage::Asked;
                return MuxStep::NeedsFrame(self.next);
            }
            self.stage = MuxStage::End;
            self.container.end(&self.clip, &mut self.out);
        }
    }

    /// Takes the frame that [`Muxer::poll`] has asked for. `None` means that the frame is missing,
    /// because it was not kept until its turn came. An AVI then shows the frame before it for
    /// longer; the other formats leave the missing frame out.
    ///
    /// # Errors
    ///
    /// No frame was asked for, or the frame does not have the planned length. In both cases, the
    /// muxer is unchanged.
    pub fn push(&mut self, frame: Option<MuxFrame>) -> Result<(), Error> {
        if self.stage != MuxStage::Asked {
            return Err(Error::NotAsked);
        }
        let index = self.next;
        let planned = self.clip.plan.frames()[index].bytes as usize;
        if let Some(frame) = &frame {
            let bytes = frame.jpeg.len();
            if bytes != planned {
                return Err(Error::NotAsPlanned {
                    index,
                    planned,
                    bytes,
                });
            }
            self.clip.note(index, frame.width, frame.height);
        }
        let jpeg = frame.map(|frame| frame.jpeg);
        self.container.frame(&self.clip, index, jpeg, &mut self.out);
        self.next = index + 1;
        self.stage = MuxStage::Frames;
        Ok(())
    }
}

impl fmt::Debug for Muxer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Muxer")
            .field("frames", &self.clip.plan.len())
            .field("next", &self.next)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}
