//! Reads a Motion-JPEG camera and reconnects for ever, with capped and jittered backoff.
//!
//! The layer of a Motion-JPEG relay between a camera and whoever wants its frames. You pull events; nothing is spawned for
//! you, nothing is queued: while you do not call [`Ingest::next`], nothing is read, and TCP slows the camera down.
//!
//! ```no_run
//! use mjpeg_ingest::{Event, Ingest, IngestConfig, Source};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source: Source = "tcp://192.168.1.100:6001".parse()?;
//! let mut camera = Ingest::new(source, IngestConfig::default());
//! while let Some(event) = camera.next().await {
//!     match event {
//!         Event::Online { peer } => println!("connected to {peer}"),
//!         Event::Frame(captured) => println!("{} bytes", captured.frame.bytes().len()),
//!         Event::Offline { error, retry_in } => println!("{error}; next attempt in {retry_in:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it does for you
//!
//! * **One connection per camera**, ever: the old one is closed before the next attempt begins. (While the addresses of one
//!   host name are raced, as RFC 8305 has it, more than one connection *attempt* may be under way for a moment.)
//! * A connection attempt, name look-up and all addresses included, takes at most
//!   [`connect_timeout`](IngestConfig::connect_timeout) (5 s).
//! * A camera that falls out of its rhythm, with no frame for ten intervals or 2 s, is [told](Event::Stalled) as stalled. One that sends no byte for
//!   [`stall_limit`](IngestConfig::stall_limit) (10 s), or no frame for three times that, is given up; TCP keepalive finds
//!   a dead peer as well.
//! * Then it reconnects, for ever, after a [`Backoff`] of 250 ms to 30 s that goes back to its beginning only when the camera
//!   has been online with frames for [`stable_after`](IngestConfig::stable_after) (10 s).
//! * [`Failover`] takes several sources, in order, and reads the first that has frames.
//! * [`Control`] retries now, pauses and resumes, from anywhere.
//!
//! Other kinds of source implement [`Connect`]; tests do too.
//!
//! # A socket of your own
//!
//! Whoever has a connection already, and wants the frames on it and nothing else, gives it to [`frames()`], which takes any
//! [`AsyncRead`](tokio::io::AsyncRead) and returns a stream.
//!
//! # Features
//!
//! * `exec`: programs as [sources](Source), `exec:program args` (Unix). They run with the rights of this process: take such a source from nobody who
//!   may not run programs.
//! * `http`: cameras that send multipart streams or single pictures, `http://…`, with logins by Basic and Digest.
//! * `tls`: the same over `https://…`.
//! * `test-picture`: the [source](Source) `test:`, a moving test picture by `mjpeg-picture`.

mod backoff;
mod config;
mod connect;
mod control;
mod error;
mod event;
#[cfg(all(feature = "exec", unix))]
mod exec;
mod failover;
mod file;
mod frames;
#[cfg(feature = "http")]
mod http_camera;
mod ingest;
mod listen;
mod online;
mod reading;
#[cfg(any(all(feature = "exec", unix), feature = "http"))]
mod redact;
mod source;
mod stall;
mod tcp;
#[cfg(feature = "test-picture")]
mod test_camera;
#[cfg(unix)]
mod unix;

pub use backoff::{Backoff, InvalidBackoff};
pub use config::IngestConfig;
pub use connect::{Connect, Connection, Framing};
pub use control::Control;
pub use error::{ConnectError, Error, SourceEnd};
pub use event::{Captured, Event};
pub use failover::Failover;
pub use frames::{Frames, Tally, frames, frames_with};
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub use http_camera::fuzzing;
#[cfg(feature = "http")]
pub use http_camera::{HttpCamera, HttpError};
pub use ingest::Ingest;
/// The crate whose types stand in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use mjpeg_codec;
pub use source::{InvalidSource, Source};
