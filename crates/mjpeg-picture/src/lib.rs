//! Draws a moving test picture, or a still one with a message, and encodes pictures as JPEG.
//!
//! This crate stands beside the data path of a Motion-JPEG relay: it is a camera for demonstrations
//! and tests without hardware. It knows no sockets, no clock, no randomness and no async runtime.
//! The time to show is an argument, so the same arguments give the same bytes. Its siblings carry
//! the pictures: `mjpeg-codec` finds the frames in a byte stream, `mjpeg-http` serves them.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use mjpeg_picture::TestPicture;
//!
//! let picture = TestPicture::new("front door", 640, 480)?.with_quality(80)?;
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
//! * [`TestPicture`]: colour bars with the name on a plate, below them a ball that rolls to and
//!   fro, and at the bottom the time of day as `HH:MM:SS.mmm UTC` and the frame number. The ball
//!   moves with every frame. The name determines the ball's colour.
//! * [`Notice`]: a title, a text and a footer, such as the placeholder for a camera that is
//!   offline.
//!
//! [`Encoder`] encodes RGB pixels of your own.
//!
//! # What it encodes
//!
//! Baseline JPEG (SOF0): 8 bit, three components, 4:2:0 chroma, the Huffman tables in every frame,
//! a JFIF header and no APP1.
//!
//! # Features
//!
//! None.

mod canvas;
mod clock;
mod encoder;
mod error;
mod limits;
mod notice;
mod palette;
mod pattern;
mod picture;
mod text;

pub use encoder::Encoder;
pub use error::Error;
pub use notice::Notice;
pub use picture::TestPicture;
