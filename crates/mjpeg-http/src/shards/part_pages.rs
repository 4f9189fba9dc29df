//! Parts as pages in the kernel, which go to viewers without being copied.
//!
//! A write copies a part into the kernel once for each viewer. Here it is copied once, into a pipe,
//! whose pages `tee` and `splice` then hand to each viewer's socket. Below some size, the
//! bookkeeping of pages costs more than the copy.
//!
//! Pages that a socket was given belong to the kernel until the viewer has acknowledged them: what
//! is written into them later goes out as well. So each part has a pipe of its own, which is never
//! written to again.
//!
//! Unlike a socket's write, `splice` has no flag that suppresses `SIGPIPE`. Like `sendfile` it
//! relies on the signal being ignored, as it is in every Rust program unless it says otherwise.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    io::write,
    pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice, tee},
};

/// One frame's parts in the forms in use, and the pipe through which they go to one viewer after
/// another.
#[derive(Debug, Default)]
pub(crate) struct PartPages {
    /// Keyed by where each part lies in memory, which is unique while the frame is the newest.
    parts: Vec<(PartAddress, Option<Pipe>)>,
    through: Option<Pipe>,
}

impl PartPages {
    /// Forgets the frame, because a new one comes.
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
    }

    /// Returns the pages of this part, which belongs to the same frame as all since
    /// [`Self::clear`]. `None` if pages are not worth it, or the system refuses them.
    pub(crate) fn of(&mut self, part: &[u8]) -> Option<Pages<'_>> {
        if !(SMALLEST_BYTES..=LARGEST_BYTES).contains(&part.len()) {
            return None;
        }
        let address = (part.as_ptr() as usize, part.len());
        let found = self.parts.iter().position(|(of, _)| *of == address);
        let at = found.unwrap_or_else(|| {
            self.parts.push((address, Pipe::holding(part)));
            self.parts.len() - 1
        });
        Some(Pages {
            part: self.parts[at].1.as_ref()?,
            through: &mut self.through,
        })
    }
}

/// Where a part lies in memory: its address and length.
type PartAddress = (usize, usize);

/// One part's pages.
pub(crate) struct Pages<'a> {
    part: &'a Pipe,
    through: &'a mut Option<Pipe>,
}

impl Pages<'_> {
    /// Gives a non-blocking socket as much of the part as it takes. Returns 0 if no page can be
    /// handed on.
    pub(crate) fn send(self, socket: impl AsFd) -> io::Result<usize> {
        // What a viewer did not take stays in the pipe it went through: only an empty one is used
        // again.
        let used = self.through.take();
        let fits = used.filter(|through| through.capacity >= self.part.capacity);
        let Some(through) = fits.or_else(|| Pipe::new(self.part.capacity)) else {
            return Ok(0);
        };
        let all = self.part.capacity;
        let now = SpliceFlags::NONBLOCK;
        let Ok(handed) = tee(&self.part.reader, &through.writer, all, now) else {
            return Ok(0);
        };
        let sent = splice(&through.reader, None, socket, None, handed, now)?;
        if sent == handed {
            *self.through = Some(through);
        }
        Ok(sent)
    }
}

#[derive(Debug)]
struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
    capacity: usize,
}

impl Pipe {
    fn new(bytes: usize) -> Option<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        let capacity = fcntl_setpipe_size(&writer, bytes).ok()?;
        Some(Self {
            reader,
            writer,
            capacity,
        })
    }

    fn holding(bytes: &[u8]) -> Option<Self> {
        let pipe = Self::new(bytes.len())?;
        let written = write(&pipe.writer, bytes).ok()?;
        (written == bytes.len()).then_some(pipe)
    }
}

/// Measured with 1000 viewers: pages cost a tenth at 2 kB, make no difference from 8 kB on, and
/// save a tenth at 20 kB (`docs/load.md`).
const SMALLEST_BYTES: usize = 12 << 10;
/// What a pipe may hold without privileges (`fs.pipe-max-size`).
const LARGEST_BYTES: usize = 1 << 20;
