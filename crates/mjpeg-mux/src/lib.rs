//! Puts JPEG frames into MOV, AVI and ZIP files, or concatenates them.
//!
//! This crate is the last part of the data path of a Motion-JPEG relay: it makes a clip from frames
//! that were live. The file contains the JPEGs byte for byte as they were pushed; nothing is
//! decoded. The crate uses no sockets, no files, no clock and no async runtime. It returns the file
//! in pieces, so a clip of an hour can be sent while it is being made.
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
//! A [`ClipPlan`] states the time and the length of each frame. The muxer asks for the frames
//! themselves one at a time, while the file is written. If a frame is missing by then, push `None`.
//!
//! # Formats
//!
//! * [`ClipFormat::Mov`]: a QuickTime movie. Each frame has its own time, accurate to 11 µs, or to
//!   1 ms in clips of more than 13 hours. Times count from the first frame that is not missing. The
//!   last frame is shown for the usual interval, which is the median of the intervals between
//!   frames. All frames are in the file before the tables, which are at its end. If frames have
//!   several sizes, there is a description for each size.
//! * [`ClipFormat::Avi`]: a constant rate, one slot per usual interval. Each frame is in the slot
//!   nearest to its time; an empty slot repeats the frame before it. If frames come in bursts, the
//!   rate is up to 16 times higher, so that no frame is late by more than a usual interval. A file
//!   above 1 GiB uses the OpenDML extensions. The length of the file is known before its first
//!   frame ([`Muxer::content_length`]), because the place of a missing frame is filled.
//! * [`ClipFormat::Zip`]: one file per frame, without compression. Its name is the frame's number
//!   in the plan and its time, as in `000001-20261128T120000.123Z.jpg`. The last file,
//!   `index.json`, lists for each frame its name, wall-clock time, offset from the first frame in
//!   seconds, width, height and length.
//! * [`ClipFormat::Mjpeg`]: the JPEGs one after another, and nothing else.
//!
//! ## Pauses in an AVI
//!
//! A pause keeps its length. It is written as empty slots, one of 24 bytes per interval. A clip has
//! at most 1 million empty slots plus 16 per frame, and never more than 4 million. A million is
//! enough for nine hours of pauses at 30 frames a second. If a clip needs more, its rate is lower.
//! The frames around a pause are then shown too slowly, and the pause is shorter by as much, but no
//! frame is left out.
//!
//! # Limits
//!
//! The limits are constants of [`ClipPlan`]. A frame or a clip beyond a limit is refused with an
//! [`Error`].
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
