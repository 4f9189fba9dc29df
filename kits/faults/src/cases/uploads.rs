//! Viewers that keep sending after their request.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::steps::{GET, ask, good, last, secs};
use crate::{
    case::{Case, Findings, Run},
    rig::{program::ProgramRig, relay::RelayRig},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "viewer-uploads",
        "a viewer that keeps sending on the connection of its stream, as fast as it can",
        "the connection is closed within 10 s",
        Run::Relay(|rig| Box::pin(uploads(rig, &[GET]))),
    )
    .alone()
    .short(),
    Case::new(
        "viewer-uploads-40",
        "40 viewers that do so at once, on a stream or in the bodies of their requests",
        "the connections are closed within 10 s",
        Run::Relay(|rig| Box::pin(uploads(rig, FORTY.as_flattened()))),
    )
    .alone()
    .most_mib(32),
    Case::new(
        "viewer-uploads-sigterm",
        "SIGTERM while four viewers do so",
        "exit code 0 within the grace of 5 s",
        Run::Program(|rig| Box::pin(sigterm(rig))),
    )
    .alone()
    .short(),
];

async fn uploads(rig: &mut RelayRig, requests: &'static [&'static [u8]]) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let requests = requests.iter().copied();
    let count = requests.len();
    let uploading = requests.map(|request| tokio::spawn(upload(addr, request, secs(10))));
    let mut most = 0;
    let mut open = 0;
    for uploaded in join_all(uploading).await {
        let Uploaded { bytes, is_closed } = uploaded??;
        most = most.max(bytes);
        open += u32::from(!is_closed);
    }
    ensure!(open == 0, "{open} of {count} are still open after 10 s");
    ensure!(
        most < MOST_BYTES,
        "the relay accepted {} MB from one viewer",
        most / 1_000_000
    );
    let most = most as f64 / 1e6;
    Ok(Findings::seen(format!(
        "all closed; at most {most:.1} MB from one"
    )))
}

async fn sigterm(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = rig.program.addrs[1];
    let uploading: Vec<_> = (0..4)
        .map(|_| tokio::spawn(upload(addr, GET, secs(15))))
        .collect();
    last(1).await;
    let ended = rig.end_by(Signal::TERM).await;
    for task in uploading {
        task.abort();
    }
    Ok(Findings::seen(ended?.in_order()?))
}

struct Uploaded {
    /// What the viewer could send, with what is in the sockets' buffers.
    bytes: u64,
    is_closed: bool,
}

/// Sends a request and then zeros, and reads the response, until the relay closes or the time is
/// over.
async fn upload(addr: SocketAddr, request: &'static [u8], time: Duration) -> Result<Uploaded> {
    let (mut read, mut write) = ask(addr, request).await?.into_split();
    let mut bytes = 0;
    let reading = async {
        let mut ignored = vec![0; 64 << 10];
        while read.read(&mut ignored).await.is_ok_and(|n| n > 0) {}
        // The response may end before the request.
        std::future::pending::<()>().await;
    };
    let writing = async {
        let chunk = vec![0; 64 << 10];
        while let Ok(n) = write.write(&chunk).await {
            bytes += n as u64;
        }
    };
    let both = async {
        tokio::select! {
            () = reading => {}
            () = writing => {}
        }
    };
    let is_closed = timeout(time, both).await.is_ok();
    Ok(Uploaded { bytes, is_closed })
}

/// More than what the relay accepts from a viewer and the buffers of both sockets hold.
const MOST_BYTES: u64 = 32_000_000;
const FORTY: &[[&[u8]; 4]; 10] = &[[GET, BODY, POST, CHUNKED]; 10];
const BODY: &[u8] = b"GET / HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000000000000\r\n\r\n";
const POST: &[u8] =
    b"POST /snapshot HTTP/1.1\r\nHost: relay\r\nContent-Length: 1000000000000\r\n\r\n";
const CHUNKED: &[u8] =
    b"GET /snapshot HTTP/1.1\r\nHost: relay\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n";
