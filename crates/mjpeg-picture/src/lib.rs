//! Draws a moving test picture, or a still one that says what is wrong, and encodes it as JPEG.
//!
//! It is a leaf beside the data path of a Motion-JPEG relay: a camera for demonstrations and tests
//! that needs no hardware. It knows no sockets, no clock, no randomness and no async runtime; the
//! time to show comes in as an argument, so the same arguments give the same bytes. Its siblings
//! carry what it makes: `mjpeg-codec` finds the frames in a byte stream, `mjpeg-http` serves them.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use mjpeg_picture::TestPicture;
//!
//! let picture = TestPicture::new("front door", 640, 480)?.quality(80);
//! let noon = UNIX_EPOCH + Duration::from_secs(12 * 60 * 60);
//! for frame_number in 0..3 {
//!     let wall = noon + Duration::from_millis(66 * frame_number);
//!     let jpeg = picture.render(frame_number, wall);
//!     assert!(jpeg.starts_with(&[0xFF, 0xD8]) && jpeg.ends_with(&[0xFF, 0xD9]));
//! }
//! # Ok::<(), mjpeg_picture::Error>(())
//! ```
//!
//! # What it draws
//!
//! Colour bars with the name on a plate, below them a ball that rolls there and back, at the bottom
//! the time of day as `HH:MM:SS.mmm UTC` and the frame number. The ball moves with every frame, and
//! its colour comes from the name.
//!
//! [`notice`] draws a placeholder: a name, a reason, and since when.
//!
//! # What it encodes
//!
//! Baseline JPEG (SOF0): 8 bit, three components, 4:2:0 chroma, the Huffman tables in
//! every frame, a JFIF header and no APP1.
//!
//! # Features
//!
//! None.

mod canvas;
mod clock;
mod error;
mod notice;
mod pattern;
mod picture;
mod text;

pub use error::Error;
pub use notice::notice;
pub use picture::TestPicture;
