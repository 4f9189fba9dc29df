//! A Motion-JPEG relay: connects to each camera once and serves any number of viewers over HTTP.
//!
//! This is the top layer. It turns a configuration into streams of a [`mjpeg_manager::Manager`],
//! and leaves the work to the layers below. The command is [`main`]; a program that embeds the
//! relay uses [`Relay`].
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

mod access;
mod advice;
mod assembly;
mod auth_hook;
mod background;
mod cert;
mod cli;
mod cluster;
mod command;
mod completions;
mod config;
mod control;
mod ctl;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
mod devices;
mod event_clips;
mod gateway;
mod jwks;
mod links;
mod machine;
mod metrics;
mod migrate;
mod outbound;
mod output;
mod probe;
mod prompt;
#[cfg(unix)]
mod recordings;
mod relay;
mod reload;
mod secrets;
mod signals;
mod systemd;
mod telemetry;
mod tls;
mod webhooks;

pub use cli::stream_arg::{InvalidStreamArg, StreamArg};
pub use command::main;
pub use gateway::{
    config::{GatewayAddress, GatewayConfig, GatewayError, GatewayFailure, ServeSet},
    routes::Routes,
};
pub use metrics::Metrics;
/// The crates whose types appear in this API, re-exported so that the versions agree.
#[doc(no_inline)]
pub use mjpeg_control;
#[doc(no_inline)]
pub use mjpeg_manager;
pub use relay::{Gateways, Relay, StartError};
pub use tls::{Tls, error::TlsError, files::TlsFiles};
