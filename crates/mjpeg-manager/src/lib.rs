//! Runs many Motion-JPEG camera streams by name: start, stop, change, list, status.
//!
//! The layer of a Motion-JPEG relay that connects the others. Per stream it owns one ingest, one
//! fan-out, and the [outlets](Outlet) that serve it. It knows no config file, no command line and
//! no control API. HTTP is one of its outlets: `HttpOutlet` (feature `listener`).
//!
//! ```no_run
//! use mjpeg_manager::{Manager, ManagerConfig, StartMode, StreamSpec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mjpeg_manager::Error> {
//! let manager = Manager::new(ManagerConfig::default());
//! let spec = StreamSpec::parse("garage", "tcp://192.168.1.100:6001")?.with_mode(StartMode::Retry);
//! manager.start(spec).await?;
//!
//! let mut garage = manager.subscribe("garage")?;
//! if let Some(published) = garage.next().await {
//!     println!("{} bytes", published.frame.bytes().len());
//! }
//! for stream in manager.list() {
//!     println!("{}: {}, {:.1} fps", stream.name, stream.state, stream.fps);
//! }
//! manager.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Contract
//!
//! * Names are unique. Calls on different names run concurrently. Of two starts of one name, one
//!   wins and the other gets [`Error::AlreadyExists`].
//! * A [`start`](Manager::start) that fails, or whose future is dropped, leaves nothing behind: no
//!   port, no task, no entry.
//! * When [`stop`](Manager::stop) returns, the port is free, the camera's connection is closed and
//!   the tasks have ended.
//! * Dropping the last clone of a [`Manager`] ends everything it runs.
//! * [`apply`](Manager::apply) changes a running stream without ending a viewer's response. If it
//!   fails, nothing has changed.
//! * A panic while reading a camera costs that stream a restart with backoff, and other streams
//!   nothing.
//! * While a camera is offline, its viewers stay connected: they keep the last frame, then get the
//!   [placeholder](Placeholder). A stream may have [several sources](StreamSpec::with_fallback), or
//!   be [on demand](StreamSpec::with_on_demand). [`Manager::events`] reports what happens to it.
//! * Frames that browsers cannot show ([`Frame::displayable`](mjpeg_codec::Frame::displayable)) are
//!   held back and counted as `unsupported`: in some browsers, a single such frame ends the picture
//!   for good.
//! * Frames that some viewers could not read are repaired without changing a pixel
//!   ([`mjpeg_codec::repair`]), unless [`StreamSpec::with_repair`] says otherwise.
//!
//! # Features
//!
//! * `listener`: `HttpOutlet` serves streams over HTTP, each on its own port, by `mjpeg-http`.
//! * `compat`: adds `/state` in the format of ustreamer.
//! * `http2`: HTTP/2 for connections that are wrapped in TLS.
//! * `exec`: programs as sources, `exec:program args` (Unix). They run with the rights of the
//!   manager's process: accept such a source only from those who may run programs.
//! * `placeholder`: placeholders that say what is wrong (`Placeholder::Drawn`), drawn by
//!   `mjpeg-picture`.
//! * `http`, `tls`: cameras that speak HTTP as sources, `http://…` and `https://…`.
//! * `http-listen`: pictures that others send as sources, `http-listen://…` and `push:`
//!   (`Manager::inlet`).
//! * `test-picture`: the source `test:`, a moving test picture.
//! * `v4l2`: cameras of this machine as sources, `v4l2:///dev/video0` (Linux).
//! * `small`: snapshots at an eighth of their size.
//! * `replay`: keeps the last frames of streams in memory (`StreamSpec::with_replay`).
//! * `detect`: tells which streams are dark, covered or still, and where something moves
//!   (`StreamSpec::with_detect`).
//! * `serde`: `Serialize` for what the manager reports ([`StreamInfo`], [`StreamEvent`],
//!   [`ManagerStats`], [`ShutdownReport`] and what they hold).

mod config;
mod detect;
mod error;
mod event;
#[cfg(feature = "serde")]
mod json;
mod manager;
mod name;
mod probe;
mod registry;
mod spec;
mod state;
mod status;
mod stream;
mod subscription;

pub use config::ManagerConfig;
pub use detect::{config::DetectConfig, kind::Detection, mask::MaskRect};
pub use error::{Error, InvalidSpec};
pub use event::{Change, Events, StreamEvent};
pub use manager::Manager;
/// The crate whose types appear in this one's API, so that their versions agree.
#[cfg(feature = "listener")]
#[doc(no_inline)]
pub use mjpeg_http;
pub use name::{InvalidName, StreamName};
pub use probe::{
    evidence::{ProbeEvidence, ProbeFailure, SecondClient},
    finding::{FindingLevel, ProbeFinding},
    report::{ProbeReport, ProbeVerdict},
    tally::ProbeTally,
};
pub use spec::{Placeholder, StartMode, StreamSpec};
pub use state::StreamState;
pub use status::info::{
    CutStream, DiscardTotal, LastError, ManagerStats, ReplayInfo, ShutdownReport, SourceInfo,
    StreamInfo,
};
#[cfg(feature = "listener")]
pub use stream::http::{HttpOutlet, ports::PortReservation};
pub use stream::{
    fed::{Publisher, StreamStopped},
    outlet::{Outlet, OutletFactory},
};
pub use subscription::Subscription;
/// The crates whose types appear in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use {mjpeg_codec, mjpeg_fanout, mjpeg_ingest};
