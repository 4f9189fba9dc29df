//! A running capture: takes filled buffers from the driver, and gives them back empty.

use std::{
    fs::File,
    io::{self, ErrorKind::WouldBlock},
    os::fd::AsFd,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use mjpeg_codec::{Frame, Stamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::Handle,
    sync::OwnedMutexGuard,
    time::Instant,
};

use super::{
    buffers::{dequeue, queue},
    device::refused,
    ioctl::{self, BufferArgument, Mapping, watched},
    start::StartedCapture,
};
use crate::error::{ConnectError, SourceEnd, v4l2::V4l2Error};

/// A capture that runs until it is dropped.
pub(super) struct Capture {
    /// What is dropped on another thread: to close a device may take long.
    open: Option<OpenDevice>,
    /// The driver tells when a buffer is filled.
    is_told: bool,
    max_frame_bytes: usize,
    /// How long the longest of the latest pictures was.
    usual_bytes: usize,
    /// The number of the latest buffer.
    sequence: Option<u32>,
}

struct OpenDevice {
    device: AsyncFd<File>,
    path: String,
    buffers: Vec<Mapping>,
    /// Lets the device be opened again.
    place: OwnedMutexGuard<()>,
}

/// What a buffer held.
pub(super) struct Filled {
    pub(super) content: BufferContent,
    /// How many bytes the driver wrote.
    pub(super) used: usize,
    /// When it was filled.
    pub(super) stamp: Stamp,
    /// How many frames the driver has dropped before it.
    pub(super) dropped: u32,
}

/// The content of a buffer.
pub(super) enum BufferContent {
    /// Begins with a whole picture.
    Picture(Frame),
    /// Something else; all of it, up to the limit of a frame.
    Bytes(Bytes),
    /// Nothing, or what the driver itself calls damaged.
    Lost,
}

impl Capture {
    /// Waits for pictures of a device.
    pub(super) fn new(
        started: StartedCapture,
        place: OwnedMutexGuard<()>,
        max_frame_bytes: usize,
    ) -> io::Result<Self> {
        let StartedCapture {
            device, buffers, ..
        } = started;
        let path = device.path.clone();
        Ok(Self {
            open: Some(OpenDevice {
                device: watched(device.into_file())?,
                path,
                buffers,
                place,
            }),
            is_told: false,
            max_frame_bytes,
            usual_bytes: 0,
            sequence: None,
        })
    }

    /// Waits for the next buffer.
    ///
    /// Cancel safe: nothing is awaited after a buffer was taken.
    pub(super) async fn next(&mut self) -> io::Result<Filled> {
        if !self.is_told
            && let Some(filled) = self.first()?
        {
            return Ok(filled);
        }
        let Some(open) = &self.open else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        loop {
            let interest = Interest::READABLE | Interest::ERROR;
            let mut ready = open.device.ready(interest).await?;
            if let Ok(dequeued) = ready.try_io(|device| dequeue(device.as_fd())) {
                let failed_at = |error| failed(refused(&open.path, ioctl::DQBUF.name, error));
                break self.take(&dequeued.map_err(failed_at)?);
            }
        }
    }

    /// Takes a buffer that is filled already. Some drivers (v4l2loopback) only
    /// wake a poll that began while no buffer was filled, so the poll begins anew after each of
    /// these.
    fn first(&mut self) -> io::Result<Option<Filled>> {
        let Some(open) = self.open.take() else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let dequeued = dequeue(open.device.as_fd());
        self.is_told = matches!(&dequeued, Err(error) if error.kind() == WouldBlock);
        let device = match self.is_told {
            true => open.device,
            false => watched(open.device.into_inner())?,
        };
        let open = self.open.insert(OpenDevice { device, ..open });
        if self.is_told {
            return Ok(None);
        }
        let failed_at = |error| failed(refused(&open.path, ioctl::DQBUF.name, error));
        let buffer = dequeued.map_err(failed_at)?;
        self.take(&buffer).map(Some)
    }

    /// Copies what a buffer holds, and gives the buffer back.
    fn take(&mut self, buffer: &BufferArgument) -> io::Result<Filled> {
        let Some(open) = &self.open else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        // What a driver says is not to be trusted.
        let mapping = usize::try_from(buffer.index).ok();
        let Some(mapping) = mapping.and_then(|index| open.buffers.get(index)) else {
            let path = open.path.clone();
            return Err(failed(V4l2Error::BadBuffer { path }.into()));
        };
        let used = (buffer.bytes_used as usize).min(mapping.len());
        let before = self.sequence.replace(buffer.sequence);
        let dropped = before.map_or(0, |before| dropped(before, buffer.sequence));
        let stamp = stamp(buffer);
        let content = match used {
            0 => BufferContent::Lost,
            _ if buffer.flags & FLAG_ERROR != 0 => BufferContent::Lost,
            _ => content(mapping, used.min(self.max_frame_bytes), self.usual_bytes),
        };
        queue(open.device.as_fd(), buffer.index)
            .map_err(|error| failed(refused(&open.path, ioctl::QBUF.name, error)))?;
        if let BufferContent::Picture(frame) = &content {
            let fading = self.usual_bytes - self.usual_bytes / 16;
            self.usual_bytes = frame.bytes().len().max(fading);
        }
        Ok(Filled {
            content,
            used,
            stamp,
            dropped,
        })
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let Some(OpenDevice {
            device,
            buffers,
            place,
            ..
        }) = self.open.take()
        else {
            return;
        };
        let device = device.into_inner();
        let close = move || {
            // Before the device: its buffers are freed with the last mapping.
            drop(buffers);
            drop(device);
            drop(place);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}

/// Copies what a buffer holds: once, and little more than the picture, however much lies behind it.
fn content(mapping: &Mapping, used: usize, usual_bytes: usize) -> BufferContent {
    let likely = match usual_bytes {
        0 => used,
        usual if used <= 2 * usual + SPARE_BYTES => used,
        usual => usual + usual / 8 + SPARE_BYTES,
    };
    let mut bytes = Vec::with_capacity(likely);
    mapping.append_to(&mut bytes, 0..likely);
    let bytes = match Frame::parse_plain(bytes.into()) {
        Ok(frame) => return BufferContent::Picture(frame),
        Err(bytes) if likely == used => return BufferContent::Bytes(bytes),
        Err(bytes) => bytes,
    };
    let mut bytes = Vec::from(bytes);
    bytes.reserve_exact(used - likely);
    mapping.append_to(&mut bytes, likely..used);
    match Frame::parse_plain(bytes.into()) {
        Ok(frame) => BufferContent::Picture(frame),
        Err(bytes) => BufferContent::Bytes(bytes),
    }
}

/// How many frames lie between two buffers, by their numbers. A driver that begins to count anew,
/// or always gives the same number, has dropped none.
fn dropped(before: u32, sequence: u32) -> u32 {
    let apart = sequence.wrapping_sub(before);
    match apart {
        2..=MOST_APART => apart - 1,
        _ => 0,
    }
}

/// When a buffer was filled: by the driver's clock, if that is the system's, and plausible.
fn stamp(buffer: &BufferArgument) -> Stamp {
    let age = match buffer.flags & TIMESTAMP_MASK {
        TIMESTAMP_MONOTONIC => age(buffer),
        _ => None,
    };
    let age = age.unwrap_or_default();
    let (received, monotonic) = (SystemTime::now(), Instant::now().into_std());
    let earlier = received.checked_sub(age).zip(monotonic.checked_sub(age));
    let (received, monotonic) = earlier.unwrap_or((received, monotonic));
    Stamp::new(received, monotonic)
}

fn age(buffer: &BufferArgument) -> Option<Duration> {
    let now = clock_gettime(ClockId::Monotonic);
    let now = Duration::new(now.tv_sec.try_into().ok()?, now.tv_nsec.try_into().ok()?);
    let at = buffer.timestamp;
    let micros = u32::try_from(at.tv_usec)
        .ok()
        .filter(|us| *us < 1_000_000)?;
    let at = Duration::new(at.tv_sec.try_into().ok()?, micros * 1000);
    now.checked_sub(at).filter(|age| *age <= OLDEST)
}

fn failed(error: ConnectError) -> io::Error {
    SourceEnd::Failed(Box::new(error)).into()
}

/// `V4L2_BUF_FLAG_ERROR`: the driver lost some of the data.
const FLAG_ERROR: u32 = 0x40;
const TIMESTAMP_MASK: u32 = 0xE000;
const TIMESTAMP_MONOTONIC: u32 = 0x2000;

/// Numbers that are further apart tell nothing: so many frames would take longer than the stall
/// limit.
const MOST_APART: u32 = 1000;

/// What is copied beyond the length of a picture, in case that the next one is longer.
const SPARE_BYTES: usize = 16 << 10;

/// An older time is none that a buffer can have: the driver's clock is another one.
const OLDEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_frames_are_those_between_two_numbers() {
        for (before, sequence, expected) in [
            (0, 1, 0),
            (0, 2, 1),
            (7, 12, 4),
            (u32::MAX, 0, 0),
            (u32::MAX - 1, 1, 2),
            (5, 5, 0),
            (5, 4, 0),
            (900, 0, 0),
            (0, MOST_APART, MOST_APART - 1),
            (0, MOST_APART + 1, 0),
            (0, u32::MAX, 0),
        ] {
            assert_eq!(dropped(before, sequence), expected, "{before} {sequence}");
        }
    }
}
