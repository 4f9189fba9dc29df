//! JPEG pictures from RTP packets (RFC 2435), without IO and without a clock.
//!
//! RTSP cameras send Motion-JPEG in this payload format: each packet carries a fragment of one
//! picture's scan and says where it belongs. The headers are not sent, only what differs from
//! picture to picture: the size, the sampling, the quantization tables or their quality, the
//! restart interval. A [`Depacketizer`] puts the scan together and the headers before it.
//!
//! ```
//! use mjpeg_codec::rtp::{Depacketizer, DepacketizerConfig, Packet, Reassembled};
//!
//! # fn packet() -> Option<Vec<u8>> { None }
//! let mut depacketizer = Depacketizer::new(DepacketizerConfig::default());
//! while let Some(bytes) = packet() {
//!     let Some(packet) = Packet::parse(&bytes) else {
//!         continue;
//!     };
//!     for found in depacketizer.push(&packet) {
//!         match found {
//!             Reassembled::Frame { frame, .. } => println!("{frame:?}"),
//!             Reassembled::Dropped { reason, bytes, .. } => println!("{bytes} bytes: {reason}"),
//!             _ => {}
//!         }
//!     }
//! }
//! ```
//!
//! # Which packets make a picture
//!
//! A picture comes out when each byte of its scan has arrived, in whatever order, and its end is
//! known: by the marker bit, or because the next packet in sequence begins another picture. What
//! has a hole never comes out. Of two pictures under way, the older one is given up when the newer
//! one is complete; it would come too late to be shown.
//!
//! * The **size** is in the header, in units of 8 pixels, up to 2040. A larger one is written as 0
//!   there and comes from the session's description ([`DepacketizerConfig::with_size`]), which also
//!   settles a size that was cut off at 8 bits.
//! * The **sampling** is that of types 0 (4:2:2) and 1 (4:2:0), and of 64 and 65, which have
//!   restart markers (section 3.1.3). No other types are registered.
//! * **Quantization tables** are computed for a quality of 1 to 99 (section 4.2), or come with the
//!   picture. Those of 128 to 254 are sent once and remembered, those of 255 come with each
//!   picture (section 3.1.8). They have 8 or 16 bits; one table serves brightness and colour
//!   alike, and more than two are ignored.
//! * The **Huffman tables** are always the typical ones of T.81 K.3.3: the format carries no
//!   others.
//!   If the camera's encoder uses others, its pictures come out damaged, which
//!   [`Frame::verify`](crate::Frame::verify) finds.
//! * **Interlaced** pictures (the type-specific field) come out field by field.
//! * An EOI is appended if there is none. What follows the EOI is left out.
//!
//! # Bounds
//!
//! Two pictures are under way at most, each of [`DepacketizerConfig::max_frame_bytes`] at most. Of
//! each, 64 fragments wait for one before them. A packet that comes more than 64 packets late is
//! not recognised as such.

mod config;
mod depacketizer;
mod headers;
mod jfif;
mod packet;
mod picture;
mod quantization;
mod reason;
mod recent;

pub use config::DepacketizerConfig;
pub use depacketizer::{Depacketizer, Reassembled};
pub use packet::Packet;
pub use reason::DropReason;
