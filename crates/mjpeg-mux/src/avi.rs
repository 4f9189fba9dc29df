//! AVI at a constant rate. What is promised in the head is kept, whatever frames are gone.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    avi::{index::Entries, layout::Layout},
    clip::Clip,
    container::Container,
    error::Error,
    limits::PIECE_BYTES,
    output::Output,
    plan::ClipPlan,
};

mod head;
mod index;
mod layout;
mod rate;

/// An AVI whose size and structure are known from the plan.
pub(crate) struct Avi {
    layout: Layout,
    /// The segment that is being written.
    segment: usize,
    /// The next slot.
    slots: rate::Slots,
    jobs: VecDeque<Job>,
}

/// What is to be written next.
enum Job {
    /// Empty slots, which repeat the frame before.
    Empty(u64),
    Frame(Bytes),
    /// The place of a frame that is gone.
    Gone(u64),
    /// Zeros.
    Zeros(u64),
    /// Entries of an index.
    Index(Entries),
    /// The head of the next segment.
    NextSegment,
}

impl Avi {
    pub(crate) fn new(plan: &ClipPlan) -> Result<Self, Error> {
        let layout = Layout::of(plan)?;
        Ok(Self {
            slots: layout.slots(),
            layout,
            segment: 0,
            jobs: VecDeque::new(),
        })
    }

    /// Adds the indices that end the segment.
    fn end_segment(&mut self) {
        if self.layout.is_open_dml() {
            self.jobs
                .push_back(Job::Index(Entries::standard(&self.layout, self.segment)));
        }
        if self.segment == 0 {
            self.jobs
                .push_back(Job::Index(Entries::legacy(&self.layout)));
        }
    }
}

impl Container for Avi {
    fn head(&mut self, clip: &Clip, out: &mut Output) {
        out.put(&head::head(&clip.plan, &self.layout));
    }

    fn frame(&mut self, clip: &Clip, index: usize, jpeg: Option<Bytes>, _out: &mut Output) {
        if self
            .layout
            .segments
            .get(self.segment + 1)
            .is_some_and(|next| next.first == index)
        {
            self.end_segment();
            self.jobs.push_back(Job::NextSegment);
            self.segment += 1;
        }
        let frame = clip.plan.frames()[index];
        let empty = self.slots.place(frame.at_us);
        self.jobs.push_back(Job::Empty(empty));
        self.jobs.push_back(match jpeg {
            Some(jpeg) => Job::Frame(jpeg),
            None => Job::Gone(layout::padded(frame.bytes)),
        });
    }

    fn end(&mut self, _clip: &Clip, _out: &mut Output) {
        self.end_segment();
    }

    fn resume(&mut self, clip: &Clip, out: &mut Output) -> bool {
        let Some(job) = self.jobs.pop_front() else {
            return false;
        };
        match job {
            Job::Empty(count) => {
                let now = count.min(PIECE_BYTES as u64 / CHUNK_HEAD_BYTES);
                (0..now).for_each(|_| out.put(&chunk_head(CHUNK, 0)));
                self.again(count > now, Job::Empty(count - now));
            }
            Job::Frame(jpeg) => {
                // A plan's frames are at most 256 MiB long.
                out.put(&chunk_head(CHUNK, jpeg.len() as u32));
                let odd = jpeg.len() % 2 == 1;
                out.pass(jpeg);
                if odd {
                    out.put(&[0]);
                }
            }
            Job::Gone(bytes) => {
                let zeros = bytes - CHUNK_HEAD_BYTES;
                out.put(&chunk_head(CHUNK, 0));
                out.put(&chunk_head(b"JUNK", zeros as u32));
                self.again(zeros > 0, Job::Zeros(zeros));
            }
            Job::Zeros(bytes) => {
                let now = bytes.min(ZEROS.len() as u64);
                out.pass(Bytes::from_static(&ZEROS[..now as usize]));
                self.again(bytes > now, Job::Zeros(bytes - now));
            }
            Job::Index(mut entries) => {
                let more = entries.write(clip, &self.layout, out);
                self.again(more, Job::Index(entries));
            }
            Job::NextSegment => out.put(&head::next_segment(&self.layout, self.segment)),
        }
        true
    }

    fn content_length(&self) -> Option<u64> {
        Some(self.layout.file_bytes)
    }
}

impl Avi {
    fn again(&mut self, more: bool, job: Job) {
        if more {
            self.jobs.push_front(job);
        }
    }
}

fn chunk_head(id: &[u8; 4], bytes: u32) -> [u8; 8] {
    let mut head = [0; 8];
    head[..4].copy_from_slice(id);
    head[4..].copy_from_slice(&bytes.to_le_bytes());
    head
}

/// The first stream's compressed pictures.
const CHUNK: &[u8; 4] = b"00dc";
const CHUNK_HEAD_BYTES: u64 = 8;
static ZEROS: [u8; PIECE_BYTES] = [0; PIECE_BYTES];
