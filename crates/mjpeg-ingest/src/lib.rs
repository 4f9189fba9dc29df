//! Reads a Motion-JPEG camera and reconnects indefinitely, with capped and jittered backoff.
//!
//! The layer of a Motion-JPEG relay between a camera and the consumers of its frames. You ask for
//! each event. No task is spawned, but for one per address of `http-listen://` and one per
//! connection with a [`Tenure`], and nothing is queued: while you do not call [`Ingest::next`],
//! nothing is read, and TCP slows the camera down.
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
//!         Event::Offline { error, retry_in } => {
//!             println!("{}; next attempt in {retry_in:?}", error.chain())
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it does for you
//!
//! * It holds **one connection per camera**, ever: the old one is closed before the next attempt
//!   begins. (While it races the addresses of one host name, as RFC 8305 describes, several
//!   connection *attempts* may be under way for a moment.)
//! * Making a connection, including name look-up, all addresses and TLS, takes at most
//!   [`connect_timeout`](IngestConfig::connect_timeout) (5 s). The answer of a camera that speaks
//!   HTTP takes at most [`answer_timeout`](IngestConfig::answer_timeout) (30 s).
//! * A camera without a frame for ten of its usual intervals, and 2 s at least, is reported as
//!   [stalled](Event::Stalled). A camera that sends no byte for
//!   [`stall_limit`](IngestConfig::stall_limit) (10 s), or no frame for three times that, is
//!   disconnected. TCP keepalive also detects a dead peer.
//! * A camera that is polled for single images is polled at the same rate even if an answer now and
//!   then holds none. It counts as lost when three polls in a row brought no image and none came
//!   for the stall limit, or when none came for the answer timeout.
//! * Time in which this process did not run (SIGSTOP, a closed laptop) does not count against the
//!   camera.
//! * After a refused password the next login is tried after
//!   [`login_retry`](IngestConfig::login_retry) (5 min): many cameras lock accounts.
//! * [`Limits`] sets these limits for one source, in code or in its URL.
//! * A camera's bytes do not keep a thread busy for long: reading yields according to the work that
//!   they cause. A [flood](Event::Flooded) is read more slowly, and gets a quarter of a core at
//!   most.
//! * After each failure it reconnects, indefinitely, with a [`Backoff`] of 250 ms to 30 s. The
//!   backoff starts over only when the camera has been online with frames for
//!   [`stable_after`](IngestConfig::stable_after) (10 s).
//! * [`Failover`] takes several sources, in order, and reads the first that has frames.
//! * [`Control`] retries now, pauses and resumes, from anywhere.
//!
//! Implement [`Connect`] for other kinds of source, and in tests. Its connections carry bytes or
//! whole frames.
//!
//! # A socket of your own
//!
//! If you have a connection already and only want its frames, pass it to [`frames()`], which takes
//! any [`AsyncRead`](tokio::io::AsyncRead) and returns a stream.
//!
//! # Features
//!
//! * `exec`: programs as [sources](Source), `exec:program args` (Unix). They run with the rights of
//!   this process: accept such a source only from users who may run programs.
//! * `http`: cameras that send multipart streams or single images, `http://…`, with logins by Basic
//!   and Digest.
//! * `http-listen`: cameras and programs that POST their pictures to us, `http-listen://…`, and
//!   pictures that the program hands in itself, `push:`.
//! * `tls`: the same over `https://…`, and with `rtsp` over `rtsps://…`.
//! * `rtsp`: cameras that speak RTSP and send M-JPEG (RFC 2435), `rtsp://…`, over TCP.
//! * `test-picture`: the [source](Source) `test:`, a moving test picture by `mjpeg-picture`.
//! * `v4l2`: cameras of this machine as [sources](Source), `v4l2:///dev/video0`: USB webcams and
//!   others that make JPEG images (Linux). It needs neither bindgen nor a C compiler.

mod backoff;
mod config;
mod connect;
mod contained;
mod control;
mod dial_policy;
mod duration;
mod error;
mod event;
mod failover;
mod fence;
mod flood_limiter;
mod framed;
mod framer;
mod frames;
mod framing;
mod ingest;
mod input;
mod observed;
mod online;
mod order;
mod parsed;
mod relayed;
mod retry;
mod source;
mod stall;
mod tenure;
mod text;
mod timer;
mod upstream;
mod within;

pub use backoff::{Backoff, InvalidBackoff};
pub use config::IngestConfig;
pub use connect::{Connect, Connection};
pub use control::Control;
pub use dial_policy::{AddressNotAllowed, DialPolicy};
pub use duration::{format_duration, parse_duration};
#[cfg(feature = "rtsp")]
pub use error::RtspError;
#[cfg(feature = "http")]
pub use error::{AuthoritiesError, HttpError};
pub use error::{
    ConnectError, Error, ErrorChain, RelayError, SourceEnd, kind::FailureKind,
    reason::FailureReason,
};
pub use event::{Captured, Event};
pub use failover::Failover;
pub use frames::{Discarded, Frames, frames};
pub use framing::Framing;
pub use ingest::Ingest;
pub use observed::{facts::Observed, quirk::CameraQuirk};
pub use order::FrameOrder;
pub use relayed::RelayedPart;
#[cfg(feature = "http")]
pub use source::HttpCamera;
#[cfg(feature = "test-picture")]
pub use source::TestCamera;
#[cfg(feature = "__fuzzing")]
#[doc(hidden)]
pub use source::fuzzing;
#[cfg(feature = "http-listen")]
pub use source::{Inlet, Push, PushOutcome, PushStats};
pub use source::{InvalidSource, Limits, Recording, Source, redacted};
#[cfg(all(feature = "v4l2", target_os = "linux"))]
pub use source::{V4l2Camera, V4l2Control, V4l2Device, V4l2Format, V4l2Size};
pub use tenure::{Tenure, TenureHolder};
pub use text::escaped;
/// The crates whose types appear in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use {ipnet, mjpeg_codec};
