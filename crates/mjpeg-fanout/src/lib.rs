//! Hands each new Motion-JPEG frame to any number of consumers; the latest frame wins.
//!
//! This is the middle layer of a Motion-JPEG relay. It does not know where frames come from, and
//! knows no HTTP. One [`Producer`] publishes frames. Any number of [`Consumer`]s take the latest
//! frame whenever they are ready for one; a [`Recorder`] takes every frame.
//!
//! ```
//! use mjpeg_codec::Frame;
//!
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (producer, mut consumer) = mjpeg_fanout::channel();
//! producer.publish_now(Frame::parse(JPEG)?);
//!
//! let published = consumer.next().await.expect("the producer lives");
//! assert_eq!((published.seq, published.frame.width()), (1, 8));
//! # Ok(())
//! # }
//! ```
//!
//! Use [`Producer::publish`] for frames whose time of capture is known, and
//! [`publish_now`](Producer::publish_now) otherwise.
//!
//! ## Lagging
//!
//! [`Producer::publish`] never waits, and a consumer has no queue. [`Consumer::next`] returns the
//! latest frame that this consumer has not taken; frames published while it was busy are skipped.
//! The sequence number ([`Published::seq`]) counts every frame, so it shows how many were skipped.
//!
//! ```
//! # use mjpeg_codec::Frame;
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let frame = Frame::parse(JPEG)?;
//! let (producer, mut consumer) = mjpeg_fanout::channel();
//! for _ in 0..5 {
//!     producer.publish_now(frame.clone());
//! }
//! assert_eq!(consumer.next().await.unwrap().seq, 5); // skipped 1 to 4
//! assert!(consumer.try_next().is_none());
//! # Ok(())
//! # }
//! ```
//!
//! A slow consumer keeps one frame in memory, the one it holds; see
//! [`Frame::memory_bytes`](mjpeg_codec::Frame::memory_bytes).
//!
//! A new consumer has taken nothing: it gets the latest frame at once, however old.
//! [`Published::stamp`] tells its age. New consumers come from [`Producer::subscribe`] or from
//! cloning a consumer.
//!
//! ## Bursts
//!
//! Some sources send several frames at once, and each would replace the previous one before anybody
//! has seen it. A producer that already has the next frame publishes it with
//! [`Producer::publish_next`], which first gives consumers that are ready their turn. A consumer
//! takes part by holding a [`Turn`] while it waits for a frame and until it has dealt with it. The
//! producer does not wait for a consumer that is still busy with an earlier frame, and each wait is
//! short: see [`Producer::taken`].
//!
//! ```
//! # use std::time::SystemTime;
//! # use mjpeg_codec::{Frame, Stamp};
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let frame = Frame::parse(JPEG)?;
//! # let stamp = Stamp::new(SystemTime::now(), tokio::time::Instant::now().into_std());
//! let (producer, mut consumer) = mjpeg_fanout::channel();
//! let watching = tokio::spawn(async move {
//!     let mut seen = Vec::new();
//!     loop {
//!         let turn = consumer.turn(); // before the wait
//!         let Some(published) = consumer.next().await else {
//!             return seen;
//!         };
//!         seen.push(published.seq);
//!         drop(turn); // dealt with it
//!     }
//! });
//! tokio::task::yield_now().await;
//! for _ in 0..4 {
//!     producer.publish_next(frame.clone(), stamp).await;
//! }
//! drop(producer);
//! assert_eq!(watching.await?, [1, 2, 3, 4]);
//! # Ok(())
//! # }
//! ```
//!
//! ## Recording
//!
//! A program that must not miss a frame, such as a recorder or a motion detector, uses a
//! [`Recorder`]. It has a bounded queue of its own, which the producer fills without waiting. When
//! the queue is full, the oldest frame is dropped and counted by [`Recorder::lost`].
//!
//! ```
//! # use mjpeg_codec::Frame;
//! use mjpeg_fanout::RecorderConfig;
//!
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let frame = Frame::parse(JPEG)?;
//! let (producer, consumer) = mjpeg_fanout::channel();
//! let mut recorder = consumer.record(RecorderConfig::default().with_max_frames(3));
//! for _ in 0..5 {
//!     producer.publish_now(frame.clone());
//! }
//! drop(producer);
//! let mut recorded = Vec::new();
//! while let Some(published) = recorder.next().await {
//!     recorded.push(published.seq);
//! }
//! assert_eq!((recorded, recorder.lost()), (vec![3, 4, 5], 2));
//! # Ok(())
//! # }
//! ```
//!
//! A recorder starts with the first frame published after its creation. It never receives
//! placeholders. Its frames share the image with those that consumers take, but not the rendered
//! [part](Published::part), which would double the memory that the queue keeps.
//!
//! ## Closing
//!
//! Dropping the producer closes the fan-out. Each consumer still gets the latest frame if it has
//! not taken it, then `None` from every call; a recorder first gets the rest of its queue.
//! [`Consumer::latest`] keeps returning the last frame, [`Consumer::is_closed`] returns true, and
//! the status becomes [`Status::Offline`]. Dropping consumers never affects the producer.
//!
//! ```
//! # use mjpeg_codec::Frame;
//! use mjpeg_fanout::Status;
//!
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let frame = Frame::parse(JPEG)?;
//! let (producer, mut consumer) = mjpeg_fanout::channel();
//! producer.publish_now(frame);
//! drop(producer);
//! assert!(consumer.is_closed());
//! assert_eq!(consumer.status(), Status::Offline);
//! assert!(consumer.next().await.is_some());
//! assert!(consumer.next().await.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! ## Status
//!
//! Consumers read the state of the source from [`Consumer::status`], and wait for a change with
//! [`Consumer::status_changed`]. It is [`Connecting`](Status::Connecting) until the first frame,
//! [`Online`](Status::Online) from then on, and [`Offline`](Status::Offline) once the producer is
//! dropped. A producer that knows more about its source calls [`Producer::set_status`]; from then
//! on, publishing a frame no longer changes the status. For a source that is read on demand there
//! are [`Idle`](Status::Idle) and [`Starting`](Status::Starting).
//!
//! ```
//! # use mjpeg_codec::Frame;
//! use mjpeg_fanout::Status;
//!
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let frame = Frame::parse(JPEG)?;
//! let (producer, consumer) = mjpeg_fanout::channel();
//! assert_eq!(consumer.status(), Status::Connecting);
//! producer.publish_now(frame.clone());
//! assert_eq!(consumer.status(), Status::Online);
//!
//! producer.set_status(Status::Offline);
//! producer.publish_now(frame);
//! assert_eq!(consumer.status(), Status::Offline);
//! # Ok(())
//! # }
//! ```
//!
//! ## Placeholders
//!
//! When a source stops delivering, consumers are left with an old frame, or with none. The
//! producer's owner can set a placeholder ([`Producer::set_placeholder`]) and decide when to show
//! it ([`Producer::show_placeholder`]). While shown, it is the latest frame for every consumer,
//! marked by [`Published::is_placeholder`]. [`Consumer::picture`] still returns the last frame of
//! the source.
//!
//! ```
//! # use std::time::SystemTime;
//! # use mjpeg_codec::{Frame, Stamp};
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (frame, notice) = (Frame::parse(JPEG)?, Frame::parse(JPEG)?);
//! # let now = Stamp::new(SystemTime::now(), tokio::time::Instant::now().into_std());
//! let (producer, consumer) = mjpeg_fanout::channel();
//! producer.publish_now(frame);
//! producer.set_placeholder(notice, now);
//! producer.show_placeholder();
//! assert!(consumer.latest().unwrap().is_placeholder);
//! assert_eq!(consumer.picture().unwrap().seq, 1);
//! # Ok(())
//! # }
//! ```
//!
//! ## Demand
//!
//! A consumer or recorder alone creates no demand, so a logger can watch without keeping a camera
//! busy. A consumer that needs frames holds a [`Viewing`] guard; the producer's side sees the
//! number of guards in [`Demand`].
//!
//! ```
//! let (producer, consumer) = mjpeg_fanout::channel();
//! let demand = producer.demand();
//! let viewing = consumer.viewing();
//! assert_eq!(demand.now(), 1);
//! drop(viewing);
//! assert_eq!(demand.now(), 0);
//! ```
//!
//! ## Small pictures
//!
//! With the feature `small`, each frame has a picture at an eighth of its size, made without
//! decoding when somebody asks for it, and shared: `Published::small_jpeg`.
//!
//! ## Replay
//!
//! With the feature `ring`, a `ReplayRing` keeps the last frames of a stream: for example, all
//! frames of the last minute, then one per second for ten minutes, then one per ten seconds for a
//! day. It is filled from a [`Recorder`], and read by time of capture. `RingConfig` limits the
//! memory of one ring, and `RingMemory` that of several rings together.
//!
//! Each frame is copied once, so that a ring keeps no read buffers. A frame that a reader holds
//! counts as memory of the ring until the reader drops it. When memory is short, the ring that
//! holds the most drops its oldest frames, and counts them as evicted.
//!
//! ## Publishing from a task
//!
//! [`Producer::publish`] wakes the consumers but does not run them. An async task that captures or
//! encodes without awaiting keeps its worker thread to itself, and the consumers on that thread
//! miss frames meanwhile. That is so on tokio's multi-thread runtime too: a woken task is queued on
//! the thread that woke it. Publish from a thread, or yield after each frame:
//!
//! ```
//! # use mjpeg_codec::Frame;
//! # const JPEG: &[u8] = &[
//! #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
//! #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
//! # ];
//! # fn encode() -> Frame {
//! #     Frame::parse(JPEG).unwrap()
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (producer, mut consumer) = mjpeg_fanout::channel();
//! tokio::spawn(async move {
//!     for _ in 0..100 {
//!         producer.publish_now(encode());
//!         tokio::task::yield_now().await;
//!     }
//! });
//! let mut taken = 0;
//! while consumer.next().await.is_some() {
//!     taken += 1;
//! }
//! assert_eq!(taken, 100);
//! # Ok(())
//! # }
//! ```
//!
//! The example `busy_producer` compares the three ways.
//!
//! ## Cancel safety
//!
//! All async methods are cancel safe, except [`Producer::publish_next`]: dropping the future takes
//! no frame and loses no change.

mod changes;
mod consumer;
mod demand;
mod histogram;
mod interval;
mod meter;
mod patience;
mod producer;
mod published;
mod recorder;
#[cfg(feature = "ring")]
mod ring;
mod shared;
#[cfg(feature = "small")]
mod small;
mod status;
mod turns;

use std::sync::Arc;

use tokio::sync::watch;

pub use consumer::Consumer;
pub use demand::{Demand, Viewing};
pub use histogram::{Histogram, HistogramReading};
/// The crate whose types appear in this API, re-exported so that the versions agree.
#[doc(no_inline)]
pub use mjpeg_codec;
pub use producer::Producer;
pub use published::Published;
pub use recorder::{Recorder, RecorderConfig};
#[cfg(feature = "ring")]
pub use ring::{
    ReplayRing, RingStats, RingWriter,
    config::{RingConfig, RingTier},
    frame::RingFrame,
    memory::RingMemory,
};
pub use status::Status;
pub use turns::Turn;

use crate::{published::Newest, shared::Shared};

/// Makes a fan-out: its producer and a first consumer.
///
/// The [`epoch`](Published::epoch) is random, so that sequence numbers of two runs are never
/// confused.
pub fn channel() -> (Producer, Consumer) {
    let producer = Producer::new(
        watch::Sender::new(Newest::default()),
        watch::Sender::new(Status::default()),
        Arc::new(Shared::new()),
        fastrand::u64(..),
    );
    let consumer = producer.subscribe();
    (producer, consumer)
}
