//! AVI at a constant rate. What the head states stays true, whichever frames are missing.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    avi::{
        chunk::{CHUNK_HEAD_BYTES, FRAME, chunk_head, padded},
        index::IndexEntries,
        layout::AviLayout,
        rate::Slots,
    },
    clip::Clip,
    container::Container,
    error::Error,
    file_pieces::FilePieces,
    limits::PIECE_BYTES,
    plan::ClipPlan,
};

mod chunk;
mod head;
mod index;
mod layout;
mod rate;
mod sizes;

/// An AVI whose size and structure are known from the plan.
pub(crate) struct Avi {
    layout: AviLayout,
    /// The segment that is being written.
    segment: usize,
    /// The next slot.
    slots: Slots,
    jobs: VecDeque<AviJob>,
}

/// What to write next.
enum AviJob {
    /// Empty slots, which repeat the frame before them.
    Empty(u64),
    Frame(Bytes),
    /// The place of a missing frame.
    Gone(u64),
    /// Zeros.
    Zeros(u64),
    /// The entries of an index.
    Index(IndexEntries),
    /// The head of the next segment.
    NextSegment,
}

impl Avi {
    pub(crate) fn new(plan: &ClipPlan) -> Result<Self, Error> {
        let layout = AviLayout::of(plan)?;
        Ok(Self {
            slots: layout.slots(),
            layout,
            segment: 0,
            jobs: VecDeque::new(),
        })
    }

    /// Adds the indices at the end of the segment.
    fn end_segment(&mut self) {
        if self.layout.is_open_dml() {
            self.jobs.push_back(AviJob::Index(IndexEntries::standard(
                &self.layout,
                self.segment,
            )));
        }
        if self.segment == 0 {
            self.jobs
                .push_back(AviJob::Index(IndexEntries::legacy(&self.layout)));
        }
    }
}

impl Container for Avi {
    fn head(&mut self, clip: &Clip, out: &mut FilePieces) {
        out.put(&head::head(&clip.plan, &self.layout));
    }

    fn frame(&mut self, clip: &Clip, index: usize, jpeg: Option<Bytes>, _out: &mut FilePieces) {
        if self
            .layout
            .segments
            .get(self.segment + 1)
            .is_some_and(|next| next.first == index)
        {
            self.end_segment();
            self.jobs.push_back(AviJob::NextSegment);
            self.segment += 1;
        }
        let frame = clip.plan.frames()[index];
        let empty = self.slots.place(frame.at_us);
        self.jobs.push_back(AviJob::Empty(empty));
        self.jobs.push_back(match jpeg {
            Some(jpeg) => AviJob::Frame(jpeg),
            None => AviJob::Gone(padded(frame.bytes)),
        });
    }

    fn end(&mut self, _clip: &Clip, _out: &mut FilePieces) {
        self.end_segment();
    }

    fn resume(&mut self, clip: &Clip, out: &mut FilePieces) -> bool {
        let Some(job) = self.jobs.pop_front() else {
            return false;
        };
        match job {
            AviJob::Empty(count) => {
                let now = count.min(PIECE_BYTES as u64 / CHUNK_HEAD_BYTES);
                (0..now).for_each(|_| out.put(&chunk_head(FRAME, 0)));
                self.again(count > now, AviJob::Empty(count - now));
            }
            AviJob::Frame(jpeg) => {
                // A plan's frames are at most 256 MiB long.
                out.put(&chunk_head(FRAME, jpeg.len() as u32));
                let odd = jpeg.len() % 2 == 1;
                out.pass(jpeg);
                if odd {
                    out.put(&[0]);
                }
            }
            AviJob::Gone(bytes) => {
                let zeros = bytes - CHUNK_HEAD_BYTES;
                out.put(&chunk_head(FRAME, 0));
                out.put(&chunk_head(b"JUNK", zeros as u32));
                self.again(zeros > 0, AviJob::Zeros(zeros));
            }
            AviJob::Zeros(bytes) => {
                let now = bytes.min(ZEROS.len() as u64);
                out.pass(Bytes::from_static(&ZEROS[..now as usize]));
                self.again(bytes > now, AviJob::Zeros(bytes - now));
            }
            AviJob::Index(mut entries) => {
                let more = entries.write(clip, &self.layout, out);
                self.again(more, AviJob::Index(entries));
            }
            AviJob::NextSegment => out.put(&head::next_segment(&self.layout, self.segment)),
        }
        true
    }

    fn content_length(&self) -> Option<u64> {
        Some(self.layout.file_bytes)
    }
}

impl Avi {
    fn again(&mut self, more: bool, job: AviJob) {
        if more {
            self.jobs.push_front(job);
        }
    }
}

static ZEROS: [u8; PIECE_BYTES] = [0; PIECE_BYTES];
