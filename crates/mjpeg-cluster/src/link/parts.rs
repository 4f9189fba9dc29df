//! The parts of an answer that never ends.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use mjpeg_codec::{
    Found, Frame, Polled, Splitter, SplitterConfig,
    multipart::{PartHeaders, RelayHeaders},
};
use mjpeg_ingest::RelayedPart;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    task::yield_now,
    time::{Instant, timeout_at},
};

use super::{
    error::LinkFailure,
    head::{READ_BYTES, block, fields, skip, split_line},
    state::LinkReport,
};

/// Reads the parts.
pub(super) struct PartReader<R> {
    io: R,
    buf: BytesMut,
    max_frame_bytes: usize,
    /// When the other node counts as dead unless something whole comes before.
    dead_at: Instant,
}

/// What a part holds.
#[derive(Debug)]
pub(super) enum LinkPart {
    Frame(RelayedPart),
    State(LinkReport),
}

impl<R: AsyncRead + Unpin> PartReader<R> {
    /// Reads what follows a head, of which the beginning may be in `buf`.
    pub(super) fn new(io: R, buf: BytesMut, max_frame_bytes: usize) -> Self {
        Self {
            io,
            buf,
            max_frame_bytes,
            dead_at: Instant::now() + SILENCE,
        }
    }

    /// Reads the next part; `None` at the end, if that is between two parts.
    pub(super) async fn next(&mut self) -> Result<Option<LinkPart>, LinkFailure> {
        let headers = match timeout_at(self.dead_at, self.head()).await {
            Ok(headers) => headers?,
            Err(_) => return Err(LinkFailure::Silent { after: SILENCE }),
        };
        let Some(headers) = headers else {
            return Ok(None);
        };
        let len = headers.content_length();
        let len = len.and_then(|len| usize::try_from(len).ok());
        let len = len.ok_or(LinkFailure::Broken("a part without a length"))?;
        let part = match headers.content_type() {
            Some("image/jpeg") => self.frame(&headers, len).await?,
            Some("application/json") => {
                if len > MAX_STATE_BYTES {
                    return Err(LinkFailure::Broken("a state that is too long"));
                }
                let json = self.content(len).await?;
                let state = LinkReport::read(&json);
                LinkPart::State(state.ok_or(LinkFailure::Broken("a state that is none"))?)
            }
            _ => return Err(LinkFailure::Broken("a part of an unknown type")),
        };
        self.dead_at = Instant::now() + SILENCE;
        Ok(Some(part))
    }

    /// Reads the delimiter and the headers behind it.
    async fn head(&mut self) -> Result<Option<PartHeaders>, LinkFailure> {
        let Some(head) = block(&mut self.io, &mut self.buf, MAX_PART_HEAD_BYTES).await? else {
            if self.buf.is_empty() || &self.buf[..] == b"\r\n" {
                return Ok(None);
            }
            return Err(LinkFailure::Broken("no head of a part"));
        };
        let head = head.strip_prefix(b"\r\n").unwrap_or(&head);
        let (delimiter, rest) = split_line(head);
        let headers = fields(rest).filter(|_| delimiter.starts_with(b"--"));
        headers
            .ok_or(LinkFailure::Broken("a head of a part that is none"))
            .map(Some)
    }

    async fn frame(&mut self, headers: &PartHeaders, len: usize) -> Result<LinkPart, LinkFailure> {
        if len > self.max_frame_bytes {
            return Err(LinkFailure::Broken(
                "a frame that is too large (max_frame_bytes)",
            ));
        }
        let said = RelayHeaders::read(|name| headers.get(name));
        let said = said.ok_or(LinkFailure::Broken("a frame without its identity"))?;
        let image = self.content(len).await?;
        let frame = frame(image).await;
        Ok(LinkPart::Frame(RelayedPart::Frame {
            frame: frame.ok_or(LinkFailure::Broken("a frame that is no JPEG image"))?,
            timestamp: headers.timestamp(),
            said,
        }))
    }

    /// Reads the content of a part, straight into a buffer of its own but for its beginning.
    async fn content(&mut self, len: usize) -> Result<Bytes, LinkFailure> {
        // Room for a little more: a read that does not fill the buffer has emptied the socket, and
        // the runtime does not ask the kernel again whether there is more.
        let mut content = BytesMut::with_capacity(len + SPARE_BYTES);
        let begun = len.min(self.buf.len());
        content.put_slice(&self.buf[..begun]);
        skip(&mut self.buf, begun);
        let mut progress = 0;
        while content.len() < len {
            let left = len + SPARE_BYTES - content.len();
            let mut room = (&mut content).limit(left);
            let read = timeout_at(self.dead_at, self.io.read_buf(&mut room)).await;
            let read = read.map_err(|_| LinkFailure::Silent { after: SILENCE })?;
            match read.map_err(LinkFailure::Read)? {
                0 => return Err(LinkFailure::Broken("a part that is cut short")),
                n => progress += n,
            }
            // A large frame on a slow link takes its time, but it has to get on.
            if progress >= LEAST_PROGRESS_BYTES {
                progress = 0;
                self.dead_at = Instant::now() + SILENCE;
            }
        }
        let next = content.split_off(len);
        self.buf.extend_from_slice(&next);
        Ok(content.freeze())
    }
}

/// Makes a frame of an image, if it is one; in slices where that takes long.
async fn frame(image: Bytes) -> Option<Frame> {
    let image = match Frame::parse_plain(image) {
        Ok(frame) => return Some(frame),
        Err(image) => image,
    };
    let config = SplitterConfig::default().with_max_frame_bytes(usize::MAX);
    let mut splitter = Splitter::new(config);
    splitter.push(image);
    splitter.finish();
    let mut work = WORK_PER_TURN;
    loop {
        match splitter.poll_within(&mut work) {
            Polled::Found(Found::Frame(frame)) => return Some(frame),
            Polled::Found(_) => {}
            Polled::NeedMore => return None,
            // Busy. The enum may grow.
            _ => {
                work = WORK_PER_TURN;
                yield_now().await;
            }
        }
    }
}

/// After this time without anything whole, the other node counts as dead: it is to say each second
/// how the camera is.
pub(super) const SILENCE: Duration = Duration::from_secs(3);

/// How much of a frame must come within that time.
const LEAST_PROGRESS_BYTES: usize = 64 << 10;

/// How much of the next part may be read together with the content of one.
const SPARE_BYTES: usize = 256;

/// The longest head of a part.
const MAX_PART_HEAD_BYTES: usize = 4 << 10;

/// The longest state.
const MAX_STATE_BYTES: usize = 16 << 10;

/// The work after which other tasks have their turn, in the codec's units.
const WORK_PER_TURN: usize = 256 << 10;

const _: () = assert!(MAX_PART_HEAD_BYTES <= READ_BYTES);
