//! Runs many Motion-JPEG camera streams by name: start, stop, list, status.
//!
//! The layer of a Motion-JPEG relay that wires the others together: one ingest, one fan-out and, if asked, one HTTP listener per stream.
//! It knows no config file, no command line and no control API.
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
//!     println!("{}: {:?}, {:.1} fps", stream.name, stream.state, stream.fps);
//! }
//! manager.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Contract
//!
//! * Names are unique. Calls on different names run at once; of two starts of one name one wins and the other gets
//!   [`Error::AlreadyExists`].
//! * A [`start`](Manager::start) that fails, or whose future is dropped, leaves nothing behind: no port, no task, no entry.
//! * When [`stop`](Manager::stop) returns, the port is free, the camera's connection is closed and the tasks have ended.
//! * Dropping the last clone of a [`Manager`] ends everything it runs.
//! * A panic while reading a camera costs that stream a restart with backoff, and no other stream anything.
//! * A camera that goes away costs its viewers nothing but frames: they keep the last one, then the [placeholder](Placeholder). A stream may have
//!   [several sources](StreamSpec::fallback), or be [on demand](StreamSpec::on_demand). What happens to it is told by [`Manager::events`].
//! * Frames that browsers cannot show ([`Frame::displayable`](mjpeg_codec::Frame::displayable)) are held back and counted as
//!   `unsupported`, since a single one ends the picture for good in some of them.
//! * Frames that some viewers cannot read as they come are repaired without loss of pixels ([`mjpeg_codec::repair`]), unless
//!   [`StreamSpec::repair`] says otherwise.
//!
//! # Features
//!
//! * `listener`: gives a stream an HTTP port of its own ([`StreamSpec::listen`]), by `mjpeg-http`.
//! * `compat`: with it, `/state` as ustreamer has it.
//! * `exec`: programs as sources, `exec:program args` (Unix). They run with the rights of the manager's process: take such a source from nobody who may not run programs.
//! * `placeholder`: placeholders that say what is wrong ([`Placeholder::Drawn`]), drawn by `mjpeg-picture`.
//! * `http`, `tls`: cameras that speak HTTP as sources, `http://…` and `https://…`.
//! * `test-picture`: the source `test:`, a moving test picture.

mod config;
mod driver;
mod error;
mod event;
mod freeze;
mod info;
mod manager;
mod meter;
mod monitor;
mod name;
mod outlet;
mod registry;
mod running;
mod seen;
mod spec;
mod stand_in;

pub use config::ManagerConfig;
pub use error::Error;
pub use event::{Change, Events, StreamEvent};
pub use info::{LastError, ManagerStats, SourceInfo, State, StreamInfo, Tally};
pub use manager::{Cut, Manager, ShutdownReport};
/// The crate whose types stand in this one's API, so that their versions agree.
#[cfg(feature = "listener")]
#[doc(no_inline)]
pub use mjpeg_http;
pub use name::{InvalidName, StreamName};
pub use spec::{Placeholder, StartMode, StreamSpec};
/// The crates whose types stand in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use {mjpeg_codec, mjpeg_fanout, mjpeg_ingest};
