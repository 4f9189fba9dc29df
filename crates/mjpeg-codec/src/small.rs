//! Small pictures without decoding: a frame at an eighth of its size, from its DC coefficients.
//!
//! A frame stores each block of 8 by 8 samples as its mean, the DC coefficient, and what differs
//! from it. The means alone are the picture at an eighth of its size. To find them, the Huffman
//! codes must be walked, as [`verify`](crate::verify) does, but no pixels need to be computed.
//!
//! ```
//! use mjpeg_codec::{Frame, small::SmallPicture};
//!
//! # let jpeg: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0, 16, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
//! #     1,
//! #     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
//! #     1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
//! #     0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2B, 0xFF, 0xD9,
//! # ];
//! let frame = Frame::parse(jpeg.to_vec())?;
//! match SmallPicture::from_frame(&frame) {
//!     Ok(small) => {
//!         assert_eq!((small.width(), small.height()), (1, 1));
//!         println!("mean brightness: {}", small.luma().mean());
//!         std::fs::write("small.jpg", small.encode())?;
//!     }
//!     Err(reason) => println!("show the whole picture instead: {reason}"),
//! }
//! # std::fs::remove_file("small.jpg")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which frames have one
//!
//! Baseline and extended sequential frames with 8 bits per sample, and progressive ones; grey,
//! YCbCr or RGB, with any sampling, restart markers, and any order of scans. Of a progressive frame
//! only the first DC scan of each component is read: this takes a small part of the time, and may
//! leave out the lowest bit or two of each mean. Frames without Huffman tables are read with the
//! typical ones.
//!
//! All others have none, and [`NoSmallPicture`] says why: arithmetic and lossless coding, 12 bits,
//! CMYK, damage, more than [`MOST_SAMPLES`].
//!
//! # Cost
//!
//! The time is that of [`verify`](crate::verify#cost), plus about 0.1 ms per megapixel to encode
//! the result. The memory is a byte per block of each component. It is allocated only if the scan
//! is long enough to hold so many blocks, so that it never exceeds 8 times the frame's length. A
//! [`SmallReader`] and a [`SmallEncoder`] work in slices.

mod dct;
mod encoder;
mod error;
mod headers;
mod huffman;
mod picture;
mod planes;
mod reader;

pub use encoder::SmallEncoder;
pub use error::NoSmallPicture;
pub use picture::{MOST_SAMPLES, Plane, SmallPicture};
pub use reader::SmallReader;
