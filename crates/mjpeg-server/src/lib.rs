//! A Motion-JPEG relay: connects to each camera once and serves any number of viewers over HTTP.
//!
//! The uppermost layer: it turns a command line into streams of a [`mjpeg_manager::Manager`] and holds no logic of its own. The command is
//! [`main`]; programs that want to embed the relay start from [`Relay`].
//!
//! ```no_run
//! use mjpeg_server::{Relay, StreamArg};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> anyhow::Result<()> {
//! let door: StreamArg = "door=tcp://192.168.1.100:6001@127.0.0.1:8081".parse()?;
//! let relay = Relay::start([door.into_spec()], Default::default()).await?;
//! for url in relay.urls() {
//!     println!("{url}");
//! }
//! tokio::time::sleep(std::time::Duration::from_secs(60)).await;
//! relay.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! None.

mod advice;
mod camera_args;
mod cli;
mod command;
mod relay;
mod signals;
mod stream_arg;
mod telemetry;
mod viewer_args;

pub use command::main;
/// The crate whose types stand in this one's API, so that their versions agree.
#[doc(no_inline)]
pub use mjpeg_manager;
pub use relay::{Relay, StartError};
pub use stream_arg::StreamArg;
