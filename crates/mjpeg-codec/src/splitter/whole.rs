//! Frames from bytes that are all there: `Frame::parse` and its kin.

use bytes::Bytes;

use super::{
    Splitter,
    state::{Fit, Progress},
};
use crate::{
    config::SplitterConfig,
    error::{DiscardReason, Error, ErrorKind},
    found::Found,
    frame::Frame,
    jpeg::{frame_header::FrameHeader, marker, search},
};

impl Frame {
    /// Parses bytes that are exactly one JPEG image, such as an encoder's output. Shares the bytes.
    ///
    /// The frame may be of any length.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotAFrame`] if the input does not begin with a whole frame by the rules
    /// of [`Splitter`], with the reason that a splitter would give for the same bytes. Returns
    /// [`ErrorKind::TrailingBytes`] if bytes follow the frame's EOI.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let frame = first_frame(&bytes, bytes.len())?;
        let len = frame.bytes().len();
        if len < bytes.len() {
            return Err(Error {
                kind: ErrorKind::TrailingBytes,
                offset: len as u64,
            });
        }
        Ok(frame.with_bytes(bytes, len))
    }

    /// Parses the JPEG image that the bytes begin with. Ignores what follows its EOI: padding, a
    /// vendor's trailer, further pictures (CIPA DC-007, MPF).
    ///
    /// Intended for files and HTTP snapshots. The frame shares the bytes, so the ignored ones stay
    /// in memory as long as the frame does. [`copy_prefix`](Self::copy_prefix) avoids that.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotAFrame`] if the input does not begin with a whole frame by the rules
    /// of [`Splitter`], with the reason that a splitter would give for the same bytes.
    pub fn parse_prefix(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let frame = first_frame(&bytes, FIRST_PIECE_BYTES)?;
        let memory_bytes = bytes.len();
        let bytes = bytes.slice(..frame.bytes().len());
        Ok(frame.with_bytes(bytes, memory_bytes))
    }

    /// Takes the JPEG image that the bytes begin with, if that is quickly told: it has its EOI, and
    /// few segments, as a camera's has. Shares the bytes, and ignores what follows the EOI, as
    /// [`parse_prefix`](Self::parse_prefix) does, but copies nothing and takes a bounded time: that
    /// of a search through the image.
    ///
    /// # Errors
    ///
    /// Returns the bytes otherwise, whether or not there is an image in them. A [`Splitter`] finds
    /// out.
    pub fn parse_plain(bytes: Bytes) -> Result<Self, Bytes> {
        match plain(&bytes) {
            Some((header, len)) => {
                let memory_bytes = bytes.len();
                let image = bytes.slice(..len);
                Ok(Self::new(image, memory_bytes, 0, header, true))
            }
            None => Err(bytes),
        }
    }

    /// Copies the JPEG image at the head of a large buffer, such as a capture device's. The cost
    /// and the frame's memory depend on the length of the image, not on that of the buffer.
    ///
    /// ```
    /// # let jpeg: &[u8] = &[
    /// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
    /// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
    /// # ];
    /// let mut capture = vec![0; 2 << 20];
    /// capture[..jpeg.len()].copy_from_slice(jpeg);
    /// let frame = mjpeg_codec::Frame::copy_prefix(&capture)?;
    /// assert_eq!(frame.bytes(), jpeg);
    /// # Ok::<(), mjpeg_codec::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`parse_prefix`](Self::parse_prefix).
    pub fn copy_prefix(bytes: &[u8]) -> Result<Self, Error> {
        let frame = first_frame(bytes, FIRST_PIECE_BYTES)?;
        let copy = Bytes::copy_from_slice(&bytes[..frame.bytes().len()]);
        let memory_bytes = copy.len();
        Ok(frame.with_bytes(copy, memory_bytes))
    }
}

/// Splits the first frame off `bytes`. Reads them in pieces, so that the cost depends on the length
/// of the frame. The first piece has `piece` bytes, later ones grow in proportion to what was read.
fn first_frame(bytes: &[u8], mut piece: usize) -> Result<Frame, Error> {
    let mut splitter = Splitter::new(SplitterConfig::default().with_max_frame_bytes(usize::MAX));
    let mut rest = bytes;
    let found = loop {
        let (next, after) = rest.split_at(piece.min(rest.len()));
        splitter.push_slice(next);
        rest = after;
        if rest.is_empty() {
            splitter.finish();
        }
        let found = splitter.poll();
        if found.is_some() || rest.is_empty() {
            break found;
        }
        piece = bytes.len() - rest.len();
    };
    let (reason, offset) = match found {
        Some(Found::Frame(frame)) => return Ok(frame),
        Some(Found::Discarded { reason, .. }) if reason.is_frame() => (reason, splitter.broke_at),
        Some(Found::Discarded { reason, range }) => (reason, range.start),
        None => (DiscardReason::Truncated, 0),
    };
    let kind = ErrorKind::NotAFrame(reason);
    Err(Error { kind, offset })
}

/// Returns the frame header and the length of the image that the bytes begin with, if it is a plain
/// one: the splitter would take the same steps, and find the same.
fn plain(bytes: &[u8]) -> Option<(FrameHeader, usize)> {
    let first = bytes.get(3)?;
    if !bytes.starts_with(&[0xFF, marker::SOI, 0xFF]) || !marker::may_follow_soi(*first) {
        return None;
    }
    let mut progress = Progress::default();
    let mut at = 2;
    for _ in 0..MOST_PLAIN_SEGMENTS {
        let &[0xFF, code, ref rest @ ..] = bytes.get(at..)? else {
            return None;
        };
        if code == marker::EOI && progress.scanned {
            return Some((progress.header?, at + 2));
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let payload = rest.get(2..length)?;
        if !marker::has_segment(code) {
            return None;
        }
        let Fit::Sound = progress.take_segment(code, payload) else {
            return None;
        };
        at += 2 + length;
        if code == marker::SOS {
            at = search::next_marker(bytes, at)?;
        }
    }
    None
}

/// A baseline image has about ten, a progressive one about thirty.
const MOST_PLAIN_SEGMENTS: usize = 64;

/// Holds most cameras' frames.
const FIRST_PIECE_BYTES: usize = 64 << 10;
