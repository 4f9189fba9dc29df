//! End to end: the real program, real sockets, ffmpeg and a browser.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod auth_hook;
mod browser;
mod cert;
mod children;
mod cli;
#[cfg(feature = "cluster")]
mod cluster;
mod config;
mod control;
mod ctl;
mod ffmpeg;
mod folder;
mod gateway;
mod http_cameras;
mod log;
mod logs;
mod metrics;
#[cfg(all(feature = "rtsp", feature = "v4l2", target_os = "linux"))]
mod migrate;
mod outage;
mod page;
mod probe;
mod process;
mod proxies;
#[cfg(feature = "http-listen")]
mod push;
mod receiver;
#[cfg(unix)]
mod recordings;
mod relays;
mod reload;
mod replay;
mod rtsp;
mod sources;
mod streams;
mod terminal;
mod tls;
#[cfg(all(feature = "v4l2", target_os = "linux"))]
mod v4l2;
mod wall;
mod webhooks;
