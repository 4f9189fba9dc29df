//! Splits Motion-JPEG byte streams into frames by the structure of JPEG, without IO.
//!
//! This crate is the lowest layer of a Motion-JPEG relay and stands alone: no sockets, no clock, no
//! randomness, no async runtime. The owner of the bytes pushes them in and polls frames out.
//!
//! Read the frames of a file:
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! let file = std::fs::File::open("recording.mjpeg")?;
//! for frame in mjpeg_codec::read_frames(file) {
//!     let frame = frame?;
//!     std::fs::write(format!("{}.jpg", frame.offset()), frame.bytes())?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Or push chunks as they arrive, and see what was lost:
//!
//! ```
//! use bytes::Bytes;
//! use mjpeg_codec::{Found, Splitter};
//!
//! # let stream: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9, b'\r', b'\n',
//! # ];
//! let mut splitter = Splitter::default();
//! let mut frames = 0;
//! for chunk in stream.chunks(7) {
//!     splitter.push(Bytes::copy_from_slice(chunk));
//!     while let Some(found) = splitter.poll() {
//!         match found {
//!             Found::Frame(frame) => {
//!                 assert_eq!((frame.width(), frame.height()), (8, 8));
//!                 frames += 1;
//!             }
//!             Found::Discarded { reason, range } => eprintln!("{reason}: bytes {range:?}"),
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!(frames, 1);
//! ```
//!
//! A camera that speaks HTTP sends a multipart stream. [`multipart::Parser`] reads it, with the
//! same methods.
//!
//! # What a frame is
//!
//! A frame is one image from its SOI to its EOI marker (ITU-T T.81, B.1 and B.2), of any coding in
//! T.81: baseline, extended, progressive, lossless, arithmetic, hierarchical. The splitter walks
//! the markers: it skips segments by the length they state, and inside a scan only `FF 00`, `FF D0`
//! to `FF D7` (RSTn) and fill bytes continue the scan. An EXIF thumbnail inside APP1, or a comment
//! that holds `FF D8` or `FF D9`, therefore never cuts a frame. In readers that search for those
//! two bytes, it does. JPEG-LS (T.87) and JPEG 2000 are other formats, and count as garbage.
//!
//! Bytes between an EOI and the next SOI, such as padding, vendors' trailers or line breaks, belong
//! to no frame. A picture there with an SOI and EOI of its own, such as the second one of a stereo
//! pair, is a frame.
//!
//! Cameras that omit EOI need [`SplitterConfig::with_missing_eoi`]. By default, a frame without EOI
//! counts as cut off. [`MissingEoi::Accept`] says what ends such a frame, and how to tell it from
//! one that was cut off.
//!
//! In a [multipart stream](multipart), only the first image of a part is a frame; a preview behind
//! it is discarded. [`SplitterConfig::with_only_first`] and [`Frame::parse_prefix`] do the same for
//! an HTTP answer or a file with one picture.
//!
//! # After damage
//!
//! A broken frame costs that frame, and as little else as the bytes allow:
//!
//! * Segments and scan headers must have the form that T.81 prescribes, and a marker must follow
//!   each segment. If none does, the segment's length was false, or it was stale because the frame
//!   broke off inside the segment. The search for the next frame then continues after that
//!   segment's marker, so a length that spans whole frames does not lose them.
//! * A second frame header, or a scan before any frame header, belongs to another frame. The search
//!   then continues at the broken frame's beginning.
//! * An image found in such a segment may be a thumbnail. It counts as one if it ends where the
//!   segment claims to end, or if a segment follows with which the broken frame continues.
//! * A frame with another SOI in its scan was cut off there.
//! * When the stream ends inside a segment, that segment is searched as well.
//!
//! Damage inside a scan that leaves its markers alone does not break a frame; decoders show such a
//! frame smeared, or half grey. To find it, every bit must be read, so the splitter does not do it.
//! [`Frame::verify`] does, on demand.
//!
//! # Floods
//!
//! Each beginning of a frame, each segment, and in a multipart stream each line needs a decision,
//! and each decision takes time. Real frames need one every twenty bytes or more; bytes made to
//! slow the splitter down force one every two to thirty. The splitter therefore keeps an account in
//! bytes; one byte stands for about a nanosecond. A frame's beginning costs 160, a segment 30, a
//! scan 90 more, a line 128. Each byte of the stream earns one.
//!
//! A whole frame gets back all that it took, and all that the lines before it took. So whole frames
//! and their framing never add up to a flood, whatever their size and coding. What remains is the
//! cost of decisions that led to no frame. A stream can overdraw its account by 1 MiB
//! ([`SplitterConfig::with_flood_allowance_bytes`]), enough for 5000 false beginnings in a row. The
//! account refills as time passes ([`Splitter::refill`]). While it is overdrawn further, discarded
//! bytes are reported as [`DiscardReason::Flood`].
//!
//! A flood is read like any other bytes, and the first frame behind it comes out. It only takes
//! more time: 3 to 30 ns per byte, where frames of 100 kB take 0.1 ns. The caller can bound that:
//! [`Splitter::poll_within`] works in slices, and [`Splitter::cost`] tells how much work the bytes
//! take, so that the caller can read them more slowly.
//!
//! # Promises
//!
//! * The output depends on the bytes alone, not on their chunking.
//! * A frame comes out as soon as the last byte of its EOI is in; it never waits for the next SOI.
//!   (After damage, a frame that may be a thumbnail waits for two more bytes, and one inside an
//!   untrusted segment until that is decided.)
//! * Every byte is accounted for: each lies in exactly one frame or one discarded range, in order.
//! * Memory is bounded by [`SplitterConfig::max_frame_bytes`]. Time is linear in the bytes
//!   (measured; the figures for hostile bytes are in the project's `benches/README.md`).
//! * All work that can take long can be done in slices: [`Splitter::poll_within`],
//!   [`multipart::Parser::poll_within`], [`repair::Repairer`], [`verify::Verifier`]. The outcome
//!   does not depend on the slices.
//! * No input makes it panic.
//!
//! # Repairs
//!
//! Some frames are sound, but viewers do not show them: cameras omit the Huffman tables, embed
//! thumbnails or omit the EOI. [`Frame::repaired`] fixes that without touching a pixel. The module
//! [`repair`] describes each repair, the viewers that need it, and its cost.
//!
//! # Features
//!
//! * `tokio-util`: [`Splitter`] and [`multipart::Parser`] implement tokio-util's `Decoder`, for its
//!   `FramedRead`. Off by default, so that the crate depends on no async runtime.
//! * `small`: [`small`], pictures at an eighth of the size, without decoding.
//! * `rtp`: [`rtp`], pictures from RTP packets (RFC 2435), as RTSP cameras send them.
//!
//! (`__fuzzing` is private: oracles shared by fuzz targets and tests.)

mod config;
#[cfg(feature = "tokio-util")]
mod decoder;
#[cfg_attr(
    not(feature = "small"),
    allow(dead_code, reason = "only small pictures need all that a walk passes")
)]
mod entropy;
mod error;
mod found;
mod frame;
mod framing;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod jpeg;
pub mod multipart;
mod read;
pub mod repair;
#[cfg(feature = "rtp")]
pub mod rtp;
#[cfg(feature = "small")]
pub mod small;
mod splitter;
mod stamp;
pub mod verify;
mod work;

pub use config::{MissingEoi, SplitterConfig};
pub use error::{DiscardReason, Error, ErrorKind};
pub use found::{Found, Polled};
pub use frame::Frame;
pub use read::{ReadFrames, read_frames};
pub use splitter::Splitter;
pub use stamp::{FrameId, Stamp};
