//! Splits Motion-JPEG byte streams into frames by the structure of JPEG, without IO.
//!
//! This is the lowest layer of a Motion-JPEG relay and stands alone: no sockets, no clock, no
//! randomness, no async runtime. Whoever owns the bytes pushes them in and polls events out.
//!
//! Split a file, read in chunks straight into the splitter's buffer:
//!
//! ```no_run
//! use std::{fs::File, io::Read};
//! use mjpeg_codec::{Event, Splitter, SplitterConfig};
//!
//! # fn main() -> std::io::Result<()> {
//! let mut file = File::open("recording.mjpeg")?;
//! let mut splitter = Splitter::new(SplitterConfig::default());
//! loop {
//!     let n = file.read(splitter.spare_mut())?;
//!     if n == 0 { splitter.finish() } else { splitter.filled(n) }
//!     while let Some(event) = splitter.poll() {
//!         let Event::Frame(frame) = event else { continue };
//!         std::fs::write(format!("{}.jpg", frame.offset()), frame.bytes())?;
//!     }
//!     if n == 0 { break Ok(()) }
//! }
//! # }
//! ```
//!
//! Or push chunks as they come, and hear of what was lost:
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
//!                 assert_eq!((frame.width(), frame.height()), (8, 8));
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
//! A camera that speaks HTTP sends a multipart stream; [`multipart::Parser`] has the same methods and reads that.
//!
//! # What a frame is
//!
//! A frame is one image from its SOI to its EOI marker (ITU-T T.81, B.1 and B.2), of any coding that T.81 knows: baseline, extended,
//! progressive, lossless, arithmetic, hierarchical. The splitter walks
//! the markers: segments are skipped by the length they state, and inside a scan only `FF 00`,
//! `FF D0` to `FF D7` (RSTn) and fill bytes continue the scan. So an EXIF thumbnail inside APP1, or a
//! comment that happens to hold `FF D8` or `FF D9`, never cuts a frame, as it does in readers that search
//! for those two bytes. JPEG-LS (T.87) and JPEG 2000 are other formats, and garbage here.
//!
//! What lies between an EOI and the next SOI, padding, vendors' trailers, line breaks, belongs to no frame. A picture that stands there with
//! an SOI and EOI of its own, such as the second one of a stereo pair, is a frame.
//!
//! Cameras that leave out EOI need [`SplitterConfig::missing_eoi`]: by default a frame without EOI is one that was cut off.
//!
//! # After damage
//!
//! A broken frame costs that frame, and as little else as the bytes allow:
//!
//! * Segments and scan headers must have the form that T.81 gives them, and a marker must follow each segment. Where
//!   none does, the segment's length was false, or stale and the frame broke off in it; the search for the next frame
//!   goes on behind that segment's marker. So a length that reaches over whole frames does not lose them.
//! * A frame header where the frame has one already, or a scan before any, is another frame's: then the search goes on at
//!   the broken frame's beginning.
//! * An image found in such a segment may be a thumbnail. It is taken for one if it ends where the segment
//!   claims to end, or if after it comes a segment, with which the broken frame goes on.
//! * A frame that holds another SOI in its scan was cut off there.
//! * When the stream ends, what a segment not yet complete holds is searched as well.
//!
//! Damage inside a scan that leaves its markers alone does not break a frame; decoders show it as smear, or half grey. To find that takes a
//! look at every bit, so the splitter does not do it: [`Frame::verify`] does, on demand.
//!
//! # Floods
//!
//! Each beginning of a frame, each segment, and in a multipart stream each line is a decision, and costs time whatever becomes of it. Real frames have one every
//! hundred bytes or more; bytes made to slow the splitter down have one every two to thirty. So decisions are paid for in bytes: 160 for a
//! beginning, 30 for a segment, 90 more for a scan, 128 for a line. 1 MiB can be saved up ([`SplitterConfig::flood_allowance_bytes`]), and a
//! stream begins with that: enough for 5000 false beginnings in a row. A stream that has spent it loses 16 KiB at a time, unread, as [`DiscardReason::Flood`], until it is
//! no flood any more. Even pictures of 32 by 24 pixels bring what they take, if they have the tables that a decoder needs.
//!
//! # Promises
//!
//! * The events depend on the bytes alone, not on how they were chunked.
//! * A frame comes out as soon as the last byte of its EOI is in; it never waits for the next SOI. (After damage, one that may be a
//!   thumbnail waits for two bytes more, and one inside a segment not trusted until that is known.)
//! * Every byte is accounted for: each lies in exactly one frame or one discarded range, in order.
//! * Memory is bounded by [`SplitterConfig::max_frame_bytes`]; time is linear in the bytes, and no bytes take more than ten times
//!   as long as frames of 100 kB (measured; the figures are in the project's `benches/README.md`).
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
mod stamp;
mod standard_tables;
pub mod verify;
mod walk;
mod work;

pub use config::{MissingEoi, SplitterConfig};
pub use error::{DiscardReason, Error, ErrorKind};
pub use frame::Frame;
pub use splitter::{Event, Splitter};
pub use stamp::Stamp;
