//! Parts as pages in the kernel, which go to viewers without being copied.
//!
//! A write copies a part into the kernel once for each viewer. Here it is copied once, into a pipe, whose pages `tee` and `splice` then hand to each
//! viewer's socket. Below some size, keeping the books of pages costs more than the copy.
//!
//! Pages that a socket has been handed belong to the kernel until the viewer has acknowledged them: what is written into them later goes out as well. So
//! each part has a pipe of its own, which is never written to again.
//!
//! `splice` can not be told to do without `SIGPIPE` as a socket's write can: like `sendfile` it relies on the signal being ignored, as it is in every Rust
//! program unless it says otherwise.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use mjpeg_codec::multipart::Layout;
use rustix::{
    io::write,
    pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice, tee},
};

/// One frame's part in the layouts that were asked for, and the pipe through which it goes to one viewer after another.
#[derive(Debug, Default)]
pub(crate) struct PartPages {
    parts: Vec<(Layout, Option<Pipe>)>,
    through: Option<Pipe>,
}

impl PartPages {
    /// Forgets the frame; another one comes.
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
    }

    /// The pages of this part, which is of the same frame as all since [`Self::clear`]. `None` where it is not worth it, or the system refuses.
    pub(crate) fn of(&mut self, part: &[u8], layout: Layout) -> Option<Pages<'_>> {
        if !(SMALLEST_BYTES..=LARGEST_BYTES).contains(&part.len()) {
            return None;
        }
        let found = self.parts.iter().position(|(of, _)| *of == layout);
        let at = found.unwrap_or_else(|| {
            self.parts.push((layout, Pipe::holding(part)));
            self.parts.len() - 1
        });
        Some(Pages {
            part: self.parts[at].1.as_ref()?,
            through: &mut self.through,
        })
    }
}

/// One part's pages.
pub(crate) struct Pages<'a> {
    part: &'a Pipe,
    through: &'a mut Option<Pipe>,
}

impl Pages<'_> {
    /// Gives the socket, which must not block, as much of the part as it takes. Gives 0 if no page can be handed on.
    pub(crate) fn send(self, socket: impl AsFd) -> io::Result<usize> {
        // What a viewer did not take stays in the pipe it went through: that one is used again only if it is empty.
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

/// Measured with 1000 viewers: at 2 kB it costs a tenth, from 8 kB on it is even, at 20 kB it saves a tenth (`docs/load.md`).
const SMALLEST_BYTES: usize = 12 << 10;
/// What a pipe holds at most without privileges (`fs.pipe-max-size`).
const LARGEST_BYTES: usize = 1 << 20;
