//! The splitter and the multipart parser as decoders of tokio-util.

use std::io;

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::{found::Found, multipart::Parser, splitter::Splitter};

/// Decodes a raw stream for tokio-util's `FramedRead`. Feature `tokio-util`.
///
/// Never fails by itself; the errors are the reader's.
///
/// ```
/// use futures_util::StreamExt as _;
/// use mjpeg_codec::{Found, Splitter};
/// use tokio_util::codec::FramedRead;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let camera: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9, b'\r', b'\n',
/// # ];
/// # let mut frames = 0;
/// let mut stream = FramedRead::new(camera, Splitter::default());
/// while let Some(found) = stream.next().await {
///     if let Found::Frame(frame) = found? {
///         println!("{frame:?}");
/// #       frames += 1;
///     }
/// }
/// # assert_eq!(frames, 1);
/// # Ok(())
/// # }
/// ```
impl Decoder for Splitter {
    type Item = Found;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Found>, io::Error> {
        self.push_slice(src);
        src.clear();
        Ok(self.poll())
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Found>, io::Error> {
        if let Some(found) = self.decode(src)? {
            return Ok(Some(found));
        }
        // Ending the stream again changes nothing.
        self.finish();
        Ok(self.poll())
    }
}

/// Decodes a multipart stream for tokio-util's `FramedRead`. Feature `tokio-util`.
///
/// `FramedRead::decoder` returns the parser, and with it the [`headers`](Parser::headers) of the
/// latest frame. Never fails by itself; the errors are the reader's.
impl Decoder for Parser {
    type Item = Found;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Found>, io::Error> {
        self.push_slice(src);
        src.clear();
        Ok(self.poll())
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> Result<Option<Found>, io::Error> {
        if let Some(found) = self.decode(src)? {
            return Ok(Some(found));
        }
        // Ending the stream again changes nothing.
        self.finish();
        Ok(self.poll())
    }
}
