//! What is on its way to one viewer.

use std::io;

use bytes::{Buf, Bytes};
use tokio::{io::Interest, net::TcpStream};

#[cfg(target_os = "linux")]
use crate::part_file::FileSlice;

/// The part, or rest of one, that a viewer is being sent.
pub(crate) enum Outgoing {
    Bytes(Bytes),
    #[cfg(target_os = "linux")]
    File(FileSlice),
}

impl Outgoing {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            #[cfg(target_os = "linux")]
            Self::File(slice) => slice.is_empty(),
        }
    }

    /// Gives the kernel what it takes at once, mostly all, with one system call.
    pub(crate) fn send(&mut self, stream: &TcpStream) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => {
                let n = stream.try_write(bytes)?;
                bytes.advance(n);
            }
            #[cfg(target_os = "linux")]
            Self::File(slice) => {
                stream.try_io(Interest::WRITABLE, || slice.send(stream))?;
            }
        }
        Ok(())
    }
}
