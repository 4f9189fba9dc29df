//! End to end: the real program, real sockets, ffmpeg and a browser.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod browser;
mod children;
mod cli;
mod config;
mod ffmpeg;
mod folder;
mod gateway;
mod http_cameras;
mod metrics;
mod outage;
mod process;
mod relays;
mod reload;
mod sources;
mod streams;
mod terminal;
