//! Tests through the public face: paused time over in-memory IO or real time over real sockets,
//! never mixed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod backoff;
mod control;
mod dial;
mod errors;
mod failover;
mod frames;
#[cfg(feature = "rtsp")]
mod gstreamer;
#[cfg(feature = "http")]
mod http;
#[cfg(unix)]
mod kinds;
mod pipe;
#[cfg(all(feature = "exec", unix))]
mod programs;
#[cfg(all(feature = "http-listen", unix))]
mod push;
mod reconnect;
mod replay;
#[cfg(feature = "rtsp")]
mod rtsp;
mod source;
mod stopped;
mod tcp;
mod tenure;
mod turns;
mod visits;
mod whole;

use mjpeg_ingest::{
    Backoff, Captured, ConnectError, Connection, Control, DialPolicy, Discarded, Error, Event,
    Failover, FrameOrder, Frames, Framing, Ingest, IngestConfig, Recording, RelayedPart, Source,
    Tenure, TenureHolder,
};
use tokio::{io::AsyncRead, net::TcpStream};

#[test]
fn public_types_cross_threads() {
    fn send<T: Send + Unpin + 'static>() {}
    fn all<T: Send + Sync + Unpin + 'static>() {}
    send::<Ingest>();
    send::<Failover>();
    send::<Connection>();
    send::<Frames<Box<dyn AsyncRead + Send + Unpin>>>();
    all::<Frames<TcpStream>>();
    all::<Source>();
    all::<Recording>();
    all::<Control>();
    all::<DialPolicy>();
    all::<IngestConfig>();
    all::<Event>();
    all::<Captured>();
    all::<Error>();
    all::<ConnectError>();
    all::<Backoff>();
    all::<Framing>();
    all::<FrameOrder>();
    all::<RelayedPart>();
    all::<Tenure>();
    all::<TenureHolder>();
    all::<Discarded>();
}
