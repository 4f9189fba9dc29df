//! Clients whose requests are wrong.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use mjpeg_testkit::request;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::steps::{GET, ask, get, good, secs, timed};
use crate::{
    case::{Case, Findings, Run},
    rig::relay::RelayRig,
    table::seconds,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "request-garbage",
        "100 connections of random bytes",
        "they are answered 400 or closed",
        Run::Relay(|rig| Box::pin(garbage(rig))),
    )
    .short(),
    Case::new(
        "request-1mb-header",
        "10 request heads of 1 MB",
        "they are answered 431",
        Run::Relay(|rig| Box::pin(large_header(rig))),
    )
    .short(),
    Case::new(
        "request-drips",
        "50 request heads that arrive at a byte per 200 ms and never end",
        "the connections are closed after 10 s (header timeout)",
        Run::Relay(|rig| Box::pin(drips(rig))),
    )
    .short(),
    Case::new(
        "request-pipelined",
        "requests for three pictures at once; requests behind one for a stream",
        "three answers; the stream lasts",
        Run::Relay(|rig| Box::pin(pipelined(rig))),
    )
    .short(),
    Case::new(
        "request-http2",
        "the connection preface of HTTP/2",
        "it is answered or closed at once",
        Run::Relay(|rig| Box::pin(http2(rig))),
    )
    .short(),
    Case::new(
        "request-odd-targets",
        "absolute URIs; paths with `..`, NUL, 8 KB of slashes",
        "absolute URIs are served, the others are answered 404 or 400",
        Run::Relay(|rig| Box::pin(odd_targets(rig))),
    )
    .short(),
];

async fn garbage(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let mut answered = 0;
    for _ in 0..100 {
        let mut bytes = vec![0; rig.random.usize(1..4000)];
        rig.random.fill(&mut bytes);
        // Without a blank line, it could be the start of a head, which has 10 s to be completed.
        bytes.extend(b"\r\n\r\n");
        let answer = answer(addr, &bytes).await?;
        ensure!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "the answer was {}",
            answer.escape_ascii()
        );
        answered += u32::from(!answer.is_empty());
    }
    let bad = rig.status().await?.bad_requests;
    ensure!(bad == 100, "{bad} were counted");
    Ok(Findings::seen(format!("{answered} of 100 answered 400")))
}

async fn large_header(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let mut head = GET[..GET.len() - 2].to_vec();
    head.extend(b"X-Much: ");
    head.resize(1 << 20, b'x');
    head.extend(b"\r\n\r\n");
    for _ in 0..10 {
        let answer = answer(addr, &head).await?;
        // The answer may be lost, because the relay closes before it has received all.
        ensure!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
            "the answer was {}",
            answer.escape_ascii()
        );
    }
    let bad = rig.status().await?.bad_requests;
    ensure!(bad == 10, "{bad} were counted");
    Ok(Findings::seen("10 of 10 counted as bad requests"))
}

async fn drips(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let since = Instant::now();
    let mut dripping = Vec::new();
    for _ in 0..50 {
        let mut stream = ask(addr, &GET[..GET.len() - 2]).await?;
        dripping.push(tokio::spawn(async move {
            while stream.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(200)).await;
            }
        }));
    }
    for drip in dripping {
        timeout(secs(30), drip)
            .await
            .context("a connection is still open")??;
    }
    let took = since.elapsed();
    let counted = rig.status().await?.header_timeouts;
    ensure!(counted == 50, "{counted} were counted");
    ensure!(took < secs(15), "closed after {took:.1?}");
    Ok(Findings::seen(format!(
        "all closed after {}",
        seconds(took)
    )))
}

async fn pipelined(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let one = "GET /snapshot HTTP/1.1\r\nHost: relay\r\n\r\n";
    let last = get("/snapshot");
    let answers = answer(addr, format!("{one}{one}{last}").as_bytes()).await?;
    let ok = answers
        .windows(15)
        .filter(|window| window == b"HTTP/1.1 200 OK")
        .count();
    ensure!(ok == 3, "{ok} answers");
    let both = [GET, one.as_bytes(), GET].concat();
    let mut viewer = ask(addr, &both).await?;
    let mut long = vec![0; 50_000];
    timeout(secs(20), viewer.read_exact(&mut long))
        .await
        .context("the stream does not last")??;
    Ok(Findings::seen("3 of 3 answered; the stream lasts"))
}

async fn http2(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let mut said = Vec::new();
    let took = timed(async {
        said = answer(addr, preface).await?;
        Ok(())
    })
    .await?;
    ensure!(took < secs(2), "closed after {took:.1?}");
    let first = said.split(|byte| *byte == b'\r').next();
    let first = first.unwrap_or_default();
    Ok(Findings::seen(if first.is_empty() {
        "closed at once".to_owned()
    } else {
        String::from_utf8_lossy(first).into_owned()
    }))
}

async fn odd_targets(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, _camera) = good(rig).await?;
    let slashes = "/".repeat(8000);
    for (target, wanted) in [
        (format!("http://{addr}/snapshot"), &[200][..]),
        ("http://elsewhere.example/snapshot".to_owned(), &[200]),
        ("/../../etc/passwd".to_owned(), &[404]),
        ("/snapshot/../../etc/passwd".to_owned(), &[404]),
        ("/%2e%2e/%2e%2e/etc/passwd".to_owned(), &[404]),
        ("/stream/..".to_owned(), &[404]),
        ("/snapshot%00.jpg".to_owned(), &[404]),
        (slashes, &[404]),
        ("snapshot".to_owned(), &[400, 404]),
        ("/snap shot".to_owned(), &[400]),
    ] {
        let response = request(addr, get(&target))
            .await
            .with_context(|| target.clone())?;
        let status = response.head.status;
        let shown = &target[..target.len().min(40)];
        ensure!(wanted.contains(&status), "{shown} was answered {status}");
    }
    Ok(Findings::seen("10 of 10 answered as required"))
}

/// Sends bytes, and returns all that is received until the relay closes. It is not an error if the
/// answer is lost because the relay closes.
async fn answer(addr: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>> {
    let stream = TcpStream::connect(addr).await?;
    let (mut read, mut write) = stream.into_split();
    let mut all = Vec::new();
    let writing = async {
        let _ = write.write_all(bytes).await;
    };
    let reading = async {
        let _ = read.read_to_end(&mut all).await;
    };
    timeout(secs(20), async { tokio::join!(writing, reading) })
        .await
        .context("the relay does not close")?;
    Ok(all)
}
