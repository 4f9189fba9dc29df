//! Splits Motion-JPEG byte streams into frames by the structure of JPEG, without IO.
//!
//! This is the lowest layer of a Motion-JPEG relay and stands alone: no sockets, no clock, no
//! randomness, no async runtime. Whoever owns the bytes pushes them in and polls events out.
//!
//! ```
//! use bytes::Bytes;
//! use mjpeg_codec::{Event, Splitter, SplitterConfig};
//!
//! # let stream: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9, b'\r', b'\n',
//! # ];
//! let mut splitter = Splitter::new(SplitterConfig::default());
//! let mut frames = 0;
//! for chunk in stream.chunks(7) {
//!     splitter.push(Bytes::copy_from_slice(chunk));
//!     while let Some(event) = splitter.poll() {
//!         match event {
//!             Event::Frame(frame) => {
//!                 assert_eq!((frame.width, frame.height), (8, 8));
//!                 frames += 1;
//!             }
//!             Event::Discarded { reason, range } => eprintln!("{reason}: bytes {range:?}"),
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!(frames, 1);
//! ```
//!
//! # What a frame is
//!
//! A frame is one image from its SOI to its EOI marker (ITU-T T.81, B.1 and B.2). The splitter walks
//! the markers: segments are skipped by the length they state, and inside a scan only `FF 00`,
//! `FF D0` to `FF D7` (RSTn) and fill bytes continue the scan. So an EXIF thumbnail inside APP1, or a
//! comment that happens to hold `FF D8` or `FF D9`, never cuts a frame, as it does in readers that search
//! for those two bytes.
//!
//! # Promises
//!
//! * The events depend on the bytes alone, not on how they were chunked.
//! * A frame comes out as soon as the last byte of its EOI is in; it never waits for the next SOI.
//! * Every byte is accounted for: each lies in exactly one frame or one discarded range, in order.
//! * Memory is bounded by [`SplitterConfig::max_frame_bytes`]; time is linear in the bytes.
//! * No input makes it panic.
//!
//! # Repairs
//!
//! Some frames are sound and yet not shown: cameras leave out the Huffman tables, embed thumbnails, omit the EOI, and viewers stumble
//! over it. [`Frame::repaired`] mends that without touching a pixel. The module [`repair`] tells of each repair what it does, for which
//! viewers, and what it costs.
//!
//! # Features
//!
//! None. (`__fuzzing` is private: oracles shared by fuzz targets and tests.)

mod config;
mod error;
mod frame;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod marker;
pub mod multipart;
pub mod repair;
mod search;
mod splitter;
mod walk;

pub use config::{MissingEoi, SplitterConfig};
pub use error::{DiscardReason, Error, ErrorKind};
pub use frame::Frame;
pub use splitter::{Event, Splitter};
