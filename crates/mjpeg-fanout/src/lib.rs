//! Hands each new Motion-JPEG frame to any number of consumers; the latest frame wins.
//!
//! The middle layer of a Motion-JPEG relay: it does not know where frames come from, nor that HTTP exists. One
//! [`Producer`] publishes, any number of [`Consumer`]s take the newest frame whenever they are ready for one.
//!
//! ```
//! use std::time::{Instant, SystemTime};
//! use mjpeg_codec::{Frame, Stamp};
//!
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (producer, mut consumer) = mjpeg_fanout::channel();
//! let frame = Frame::parse(JPEG)?;
//! # #[allow(clippy::disallowed_methods)]
//! let now = Instant::now();
//! producer.publish(frame, Stamp::new(SystemTime::now(), now));
//!
//! let published = consumer.next().await.expect("the producer lives");
//! assert_eq!((published.seq, published.frame.width()), (1, 8));
//! # Ok(())
//! # }
//! ```
//!
//! ## Lagging
//!
//! There is no queue per consumer, and a producer never waits. [`Consumer::next`] gives the newest frame that this
//! consumer has not had; frames published while it was busy are skipped, whole. How many shows in the sequence number
//! ([`Published::seq`]), which counts every frame. A slow consumer costs one frame's memory at most, with the read
//! buffer that a long frame is a slice of: the one it holds.
//!
//! A new consumer, a clone included, has had nothing: it gets the latest frame at once, however old; its age is in
//! [`Published::stamp`].
//!
//! ## Closing
//!
//! When the producer is dropped, each consumer still gets the latest frame if it has not had it, then `None`, for ever.
//! [`Consumer::latest`] goes on giving the last frame. Dropping consumers never affects the producer.
//!
//! ## Cancel safety
//!
//! [`Consumer::next`] and [`Demand::changed`] are cancel safe: a dropped future has taken nothing.
//!
//! ## Placeholders
//!
//! A source that has no frames leaves consumers with an old one, or with none. Its owner may give a placeholder
//! ([`Producer::set_placeholder`]) and decide when it is shown ([`Producer::show_placeholder`]). Shown, it is the latest frame to every consumer, marked by
//! [`Published::is_placeholder`]; the source's own last frame stays at hand ([`Consumer::picture`]).
//!
//! ## Demand
//!
//! A consumer as such asks for nothing: a logger may watch without keeping a camera busy. Who needs frames holds a
//! [`Viewing`]; the producer's side sees their number in [`Demand`].

mod consumer;
mod demand;
mod producer;
mod published;
mod rhythm;
mod status;

use std::sync::Arc;

use tokio::sync::watch;

pub use consumer::Consumer;
pub use demand::{Demand, Viewing};
/// The crate whose types stand in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use mjpeg_codec;
pub use producer::Producer;
pub use published::Published;
pub use rhythm::Rhythm;
pub use status::Status;

use crate::published::Newest;

/// Makes a fan-out: its producer, and a first consumer to clone for each further one.
///
/// Its [`epoch`](Published::epoch) is random, so that sequence numbers of two runs are never taken for one another.
pub fn channel() -> (Producer, Consumer) {
    let (frames_in, frames_out) = watch::channel(Newest::default());
    let (status_in, status_out) = watch::channel(Status::default());
    let viewers = Arc::new(watch::channel(0).0);
    let rhythm = Arc::new(Rhythm::default());
    let consumer = Consumer::new(
        frames_out,
        status_out,
        Arc::clone(&viewers),
        Arc::clone(&rhythm),
    );
    (
        Producer::new(frames_in, status_in, viewers, rhythm, fastrand::u64(..)),
        consumer,
    )
}
