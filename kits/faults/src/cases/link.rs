//! Links that fail, and host names that change, in the namespaces of the suite.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::{Result, ensure};
use mjpeg_testkit::jpeg;
use tokio::{
    io::{AsyncWriteExt as _, copy, sink},
    net::{TcpListener, TcpStream},
};

use super::steps::{GET, good, last, secs, timed};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Needs, Run},
    network::{RemoteHost, name_host},
    rig::relay::RelayRig,
    sequence::Sequence,
    table::seconds,
    watcher::Watcher,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "cable-1s",
        "the camera's cable is unplugged for 1 s",
        "the connection lasts",
        Run::Relay(|rig| Box::pin(cable_for_a_second(rig))),
    )
    .needs(Needs::Network)
    .short(),
    Case::new(
        "cable-10s",
        "the camera's cable is unplugged for 10 s",
        "",
        Run::Relay(|rig| Box::pin(cable_for_ten_seconds(rig))),
    )
    .needs(Needs::Network),
    Case::new(
        "cable-for-good",
        "the camera's cable is unplugged for good",
        "offline after 10 s; the relay keeps trying, and ends when it is to",
        Run::Relay(|rig| Box::pin(cable_for_good(rig))),
    )
    .needs(Needs::Network),
    Case::new(
        "link-1mbit",
        "1 Mbit/s with a queue of 32 KB for a camera of 4 Mbit/s, packets are lost, for 15 s",
        "whole pictures arrive, on one connection",
        Run::Relay(|rig| Box::pin(narrow(rig))),
    )
    .needs(Needs::Network),
    Case::new(
        "dns-changes",
        "the camera disappears, and returns under the same name at another address",
        "",
        Run::Relay(|rig| Box::pin(name_changes(rig))),
    )
    .needs(Needs::Network)
    .short(),
    Case::new(
        "viewer-vanishes",
        "five viewers whose cable is unplugged: no FIN, no RST",
        "their connections are closed after 30 s (write stall, TCP_USER_TIMEOUT)",
        Run::Relay(|rig| Box::pin(viewers_vanish(rig))),
    )
    .needs(Needs::Network)
    .long(),
];

async fn cable_for_a_second(rig: &mut RelayRig) -> Result<Findings> {
    let (host, _camera, mut watcher) = behind_link(rig).await?;
    host.pull()?;
    last(1).await;
    host.plug()?;
    let took = timed(watcher.fresh(secs(10))).await?;
    let status = rig.status().await?;
    ensure!(status.reconnects == 0, "the relay has reconnected");
    // TCP doubles the time before each retransmission, so the next may be as far away as the outage
    // was long. ARP may add to that.
    Ok(Findings::seen("the same connection").recovered(took, secs(3)))
}

async fn cable_for_ten_seconds(rig: &mut RelayRig) -> Result<Findings> {
    let (host, _camera, mut watcher) = behind_link(rig).await?;
    host.pull()?;
    last(10).await;
    host.plug()?;
    let took = timed(watcher.fresh(secs(30))).await?;
    let status = rig.status().await?;
    let how = match status.last_error {
        Some(error) => format!("reconnected: {error}"),
        None => "the same connection".to_owned(),
    };
    // The relay gives up at about the time when the link returns. The next attempt may take up to
    // its limit of 5 s, and a backoff of 0.5 to 1 s follows.
    Ok(Findings::seen(how).recovered(took, secs(8)))
}

async fn cable_for_good(rig: &mut RelayRig) -> Result<Findings> {
    let (host, _camera, _watcher) = behind_link(rig).await?;
    host.pull()?;
    let stalled = timed(rig.error_says(&["sent nothing for 10s"], secs(20))).await?;
    ensure!(stalled < secs(12), "noticed after {stalled:.1?}");
    // The next attempt fails: by ARP after 3 s, or at its limit of 5 s.
    let words = ["o route to host", "no connection within 5s"];
    let error = rig.error_says(&words, secs(10)).await?;
    last(5).await;
    let status = rig.status().await?;
    ensure!(
        matches!(&*status.state, "offline" | "connecting"),
        "the state is {}",
        status.state
    );
    ensure!(
        status.retry_in_ms.is_none_or(|time| time <= 30_000),
        "the next attempt is in {:?} ms",
        status.retry_in_ms
    );
    Ok(Findings::seen(format!(
        "noticed after {}, then: {error}",
        seconds(stalled)
    )))
}

async fn narrow(rig: &mut RelayRig) -> Result<Findings> {
    let host = RemoteHost::new()?;
    host.narrow(1000)?;
    let sequence = Sequence::of(jpeg::of_length(0, 20_000));
    let camera = camera_at(&host, sequence)?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    watcher.reach(1, secs(10)).await?;
    let before = watcher.seen().pictures;
    last(15).await;
    let pictures = watcher.seen().pictures - before;
    let status = rig.status().await?;
    ensure!(status.reconnects == 0, "the relay has reconnected");
    // The link carries 6 pictures a second.
    ensure!(pictures >= 45, "{pictures} pictures in 15 s");
    ensure!(watcher.seen().lost == 0, "pictures were lost");
    Ok(Findings::seen(format!(
        "{:.1} pictures a second, none lost",
        pictures as f64 / 15.0
    )))
}

async fn name_changes(rig: &mut RelayRig) -> Result<Findings> {
    let sequence = Arc::new(Sequence::default());
    let [first, second] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];
    name_host(NAME, first)?;
    let listener = TcpListener::bind((first, 0)).await?;
    let port = listener.local_addr()?.port();
    let camera = Camera::on(listener, Arc::clone(&sequence), |_, conn: Conn| conn.live())?;
    let url = format!("tcp://{NAME}:{port}");
    let mut watcher = rig.watched(&url, &camera).await?;
    watcher.fresh(secs(5)).await?;
    drop(camera);
    rig.error_says(&["refused"], secs(5)).await?;
    name_host(NAME, second)?;
    let listener = TcpListener::bind((second, port)).await?;
    let _camera = Camera::on(listener, sequence, |_, conn: Conn| conn.live())?;
    let took = timed(watcher.fresh(secs(20))).await?;
    // One or two attempts have failed by then, so the backoff is 2 s at most.
    Ok(Findings::seen(format!("found at {second}")).recovered(took, secs(4)))
}

async fn viewers_vanish(rig: &mut RelayRig) -> Result<Findings> {
    let host = RemoteHost::new()?;
    let (addr, _camera) = good(rig).await?;
    let healthy = rig.status().await?.connections;
    let here = (host.local_ip(), addr.port()).into();
    let mut viewers = Vec::new();
    for _ in 0..5 {
        let stream = host.connect(here)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream)?;
        stream.write_all(GET).await?;
        // As a viewer, it reads what it receives.
        let (mut read, write) = stream.into_split();
        let reading = tokio::spawn(async move {
            let _ = copy(&mut read, &mut sink()).await;
        });
        viewers.push((reading, write));
    }
    let what = "all five viewers are connected";
    let all = healthy + 5;
    rig.until(what, secs(5), |now| now.connections == all)
        .await?;
    last(1).await;
    host.pull()?;
    let what = "the five viewers are gone";
    let took = timed(rig.until(what, secs(60), |now| now.connections == healthy)).await?;
    for (reading, _) in &viewers {
        reading.abort();
    }
    // TCP gives up 30 s after the last acknowledged byte, but only at the next retransmission.
    ensure!(took < secs(45), "closed after {took:.1?}");
    Ok(Findings::seen(format!("closed after {}", seconds(took))))
}

/// Starts a stream of a good camera at the far end of a link, and waits until a viewer sees it.
async fn behind_link(rig: &mut RelayRig) -> Result<(RemoteHost, Camera, Watcher)> {
    let host = RemoteHost::new()?;
    let camera = camera_at(&host, Sequence::default())?;
    let mut watcher = rig.watched(&camera.url(), &camera).await?;
    watcher.fresh(secs(5)).await?;
    Ok((host, camera, watcher))
}

fn camera_at(host: &RemoteHost, sequence: Sequence) -> Result<Camera> {
    let listener = host.listen()?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    Camera::on(listener, sequence, |_, conn: Conn| conn.live())
}

const NAME: &str = "camera.test";
