//! The buffers that a device and this process exchange.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use super::{
    device::{Device, VIDEO_CAPTURE, refused},
    ioctl::{self, Argument, BufferArgument, Mapping, call},
};
use crate::error::{ConnectError, v4l2::V4l2Error};

/// Makes the buffers of a device, maps them, and gives them to the driver to be filled.
pub(super) fn mapped(device: &Device) -> Result<Vec<Mapping>, ConnectError> {
    let mut wanted = ioctl::BufferRequest::zeroed();
    (wanted.count, wanted.kind, wanted.memory) = (BUFFERS, VIDEO_CAPTURE, MEMORY_MMAP);
    device.ask(&ioctl::REQBUFS, &mut wanted)?;
    let mut mapped = Vec::new();
    for index in 0..wanted.count.min(MOST_BUFFERS) {
        let mut buffer = buffer(index);
        device.ask(&ioctl::QUERYBUF, &mut buffer)?;
        let (len, offset) = (buffer.length as usize, buffer.place.offset());
        mapped.push(Mapping::new(device.as_fd(), len, offset)?);
        let queued = queue(device.as_fd(), index);
        queued.map_err(|error| refused(&device.path, ioctl::QBUF.name, error))?;
    }
    match mapped.is_empty() {
        true => Err(V4l2Error::BadBuffer {
            path: device.path.clone(),
        }
        .into()),
        false => Ok(mapped),
    }
}

/// Gives a buffer to the driver.
pub(super) fn queue(device: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    call(device, &ioctl::QBUF, &mut buffer(index))
}

/// Takes a buffer that the driver has filled.
pub(super) fn dequeue(device: BorrowedFd<'_>) -> io::Result<BufferArgument> {
    let mut taken = buffer(0);
    call(device, &ioctl::DQBUF, &mut taken)?;
    Ok(taken)
}

/// The argument of a request about the buffer of this number.
fn buffer(index: u32) -> BufferArgument {
    let mut buffer = BufferArgument::zeroed();
    (buffer.index, buffer.kind, buffer.memory) = (index, VIDEO_CAPTURE, MEMORY_MMAP);
    buffer
}

/// One is being filled, one is next, and two are spare while this thread does something else.
const BUFFERS: u32 = 4;

/// The most that V4L2 has of them (`VIDEO_MAX_FRAME`).
const MOST_BUFFERS: u32 = 32;

/// `V4L2_MEMORY_MMAP`.
const MEMORY_MMAP: u32 = 1;
