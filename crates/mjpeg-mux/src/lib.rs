//! Puts JPEG frames into files: MOV, AVI, ZIP, or one after another.
//!
//! This crate stands at the end of the data path of a Motion-JPEG relay: it makes a clip of the
//! frames that were live. The JPEGs in the file are those that were pushed, byte by byte; nothing
//! is decoded. It knows no sockets, no files, no clock and no async runtime. What to write comes
//! out piece by piece, so that a clip of an hour can be sent while it is made.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use bytes::Bytes;
//! use mjpeg_mux::{ClipFormat, ClipPlan, MuxFrame, MuxStep, Muxer};
//!
//! // In a real clip these are JPEGs of 640x480 pixels.
//! let frames = [(0, "first JPEG"), (66, "second JPEG"), (133, "third JPEG")];
//! let noon = UNIX_EPOCH + Duration::from_secs(12 * 60 * 60);
//! let mut plan = ClipPlan::new(noon, 640, 480);
//! for (millis, jpeg) in frames {
//!     plan.push(Duration::from_millis(millis), jpeg.len())?;
//! }
//!
//! let mut file = Vec::new();
//! let mut muxer = Muxer::new(ClipFormat::Mov, plan)?;
//! loop {
//!     match muxer.poll() {
//!         MuxStep::Write(bytes) => file.extend(bytes),
//!         MuxStep::NeedsFrame(index) => {
//!             let jpeg = Bytes::from_static(frames[index].1.as_bytes());
//!             muxer.push(Some(MuxFrame::new(jpeg, 640, 480)))?;
//!         }
//!         _ => break,
//!     }
//! }
//! assert!(file[4..].starts_with(b"ftypqt  "));
//! # Ok::<(), mjpeg_mux::Error>(())
//! ```
//!
//! # Plan and frames
//!
//! A [`ClipPlan`] states the time and the length of each frame. The frames themselves are asked for
//! one at a time, while the file is written. If one is gone by then, push `None`.
//!
//! # Formats
//!
//! * [`ClipFormat::Mov`]: a QuickTime movie. Frames have their own times, to 11 µs, or to 1 ms in
//!   clips of more than 13 hours. They are complete in the file before the tables, which are at its
//!   end. Times count from the first frame that is not gone. The last frame is shown for the usual
//!   interval: the median. Frames of several sizes have a description for each size.
//! * [`ClipFormat::Avi`]: a constant rate, which is that of the usual interval. Each frame is in
//!   the slot that is nearest to its time; empty slots repeat the frame before. If frames come in
//!   bursts, the rate is up to 16 times higher, so that frames are at most a usual interval late.
//!   Above 1 GiB the file has the extensions of OpenDML. The length of the file is known before
//!   its first frame ([`Muxer::content_length`]): the place of a frame that is gone is filled.
//! * [`ClipFormat::Zip`]: a file per frame without compression, named by its number in the plan and
//!   its time, as in `000001-20261128T120000.123Z.jpg`. The last file, `index.json`, has the name,
//!   wall-clock time, offset from the first in seconds, width, height and length of each.
//! * [`ClipFormat::Mjpeg`]: the JPEGs, and nothing else.
//!
//! ## Pauses in an AVI
//!
//! A pause costs an empty slot of 24 bytes per interval, and keeps its length. A clip has at most a
//! million empty slots and 16 for each frame, and at most 4 million; at 30 frames a second, that is
//! enough for pauses of nine hours. Beyond that the rate is lower. Frames are then shown too slowly
//! around the pause, which is as much shorter, but none is left out.
//!
//! # Limits
//!
//! They are constants of [`ClipPlan`]; what exceeds one is an [`Error`].
//!
//! # Features
//!
//! None.

mod avi;
mod clip;
mod concat;
mod container;
mod error;
mod file_pieces;
mod format;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod limits;
mod mov;
mod muxer;
mod plan;
mod utc;
mod zip;

pub use error::Error;
pub use format::ClipFormat;
pub use muxer::{MuxFrame, MuxStep, Muxer};
pub use plan::ClipPlan;
