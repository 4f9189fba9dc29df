//! Cameras that POST their pictures, and who else connects to their port.

mod sender;

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use tokio::time::{Instant, interval, sleep};

use self::sender::{
    Sender,
    hostile::{self, Answers},
    post,
};
use super::steps::secs;
use crate::{
    camera::free_addr,
    case::{Case, Findings, Run},
    inside::Start,
    rig::relay::RelayRig,
    sequence::Sequence,
    wait,
    watcher::Watcher,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "push-dies-in-picture",
        "a sender of one picture per connection, of which every fourth ends in its picture",
        "each whole picture arrives; the stream stays online",
        Run::Relay(|rig| Box::pin(dies(rig))),
    )
    .short(),
    Case::new(
        "push-slowloris",
        "600 connections that send the head of a request byte by byte, or nothing",
        "the honest sender loses no picture",
        Run::Relay(|rig| Box::pin(slow_heads(rig))),
    )
    .alone()
    .most_mib(32),
    Case::new(
        "push-oversize",
        "requests that announce a picture, or a chunk, of terabytes, and send it",
        "they are refused; the honest sender loses no picture",
        Run::Relay(|rig| Box::pin(refused(rig, 8, hostile::oversize))),
    )
    .alone()
    .most_mib(48)
    .short(),
    Case::new(
        "push-wrong-tokens",
        "200 connections that send requests with wrong tokens as fast as they are answered",
        "each is refused with 401; the honest sender loses no picture",
        Run::Relay(|rig| Box::pin(refused(rig, 200, hostile::wrong_token))),
    )
    .alone()
    .most_mib(24)
    .short(),
    Case::new(
        "push-endless-body",
        "a body without end and without a picture, with the right token",
        "another sender takes over within 3 s of its first picture",
        Run::Relay(|rig| Box::pin(endless(rig))),
    )
    .alone()
    .most_mib(40)
    .short(),
    Case::new(
        "push-200",
        "200 senders of 5 pictures a second each at one port, for 4 s",
        "all pictures arrive",
        Run::Relay(|rig| Box::pin(many(rig))),
    )
    .alone()
    .most_mib(160),
];

/// Starts the faulty stream, of pictures that are sent to `/cam`, and a viewer of it.
async fn pushed(rig: &mut RelayRig) -> Result<(SocketAddr, Sender, Watcher)> {
    let addr = free_addr()?;
    let url = format!("http-listen://{addr}/cam#token={}", sender::TOKEN);
    let served = rig.stream(&url).await?;
    let sender = Sender::new(addr, Sequence::default());
    let watcher = rig.watch_sequence(served, &sender.sequence).await?;
    sender.listens().await?;
    Ok((addr, sender, watcher))
}

async fn dies(rig: &mut RelayRig) -> Result<Findings> {
    let (_, sender, mut watcher) = pushed(rig).await?;
    let mut tick = interval(Duration::from_millis(100));
    for n in 0..32 {
        tick.tick().await;
        match n % 4 {
            3 => sender.half().await?,
            _ => sender.one().await?,
        }
    }
    let last = sender.sequence.last();
    watcher.reach(last, secs(5)).await?;
    let seen = watcher.seen();
    ensure!(
        seen.pictures == u64::from(last),
        "{} of {last} arrived",
        seen.pictures
    );
    let status = rig.status().await?;
    ensure!(status.reconnects == 0, "it was offline: {status:?}");
    Ok(Findings::seen(format!("all {last} arrived")))
}

/// Lets an honest sender send while others do something else.
async fn beside<F>(
    rig: &mut RelayRig,
    count: usize,
    other: fn(SocketAddr, usize, Arc<Answers>) -> F,
) -> Result<(u32, Arc<Answers>)>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (addr, sender, mut watcher) = pushed(rig).await?;
    let answers = Arc::<Answers>::default();
    let others = (0..count).map(|n| tokio::spawn(other(addr, n, Arc::clone(&answers))));
    let others: Vec<_> = others.collect();
    let all_connected = async || {
        let connected = answers.connected.load(Ordering::Relaxed);
        Ok((connected >= count as u64).then_some(()))
    };
    wait::until("all others connect", secs(10), all_connected).await?;
    let sent = sender
        .for_a_while(secs(3), Duration::from_millis(100))
        .await?;
    for other in &others {
        other.abort();
    }
    let last = sender.sequence.last();
    watcher.reach(last, secs(5)).await?;
    let seen = watcher.seen();
    ensure!(
        seen.pictures == u64::from(sent),
        "{} of {sent} arrived",
        seen.pictures
    );
    Ok((sent, answers))
}

async fn slow_heads(rig: &mut RelayRig) -> Result<Findings> {
    let (sent, _) = beside(rig, 600, hostile::slow_head).await?;
    Ok(Findings::seen(format!("{sent} of {sent} arrived")))
}

/// Like [`beside`], for others whose requests must be refused, each with the right status.
async fn refused<F>(
    rig: &mut RelayRig,
    count: usize,
    other: fn(SocketAddr, usize, Arc<Answers>) -> F,
) -> Result<Findings>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sent, answers) = beside(rig, count, other).await?;
    let refusals = answers.refusals.load(Ordering::Relaxed);
    let others = answers.others.load(Ordering::Relaxed);
    ensure!(others == 0, "{others} answers of another kind");
    ensure!(refusals > 0, "nobody was refused");
    Ok(Findings::seen(format!(
        "{sent} of {sent} arrived; {refusals} others refused"
    )))
}

async fn endless(rig: &mut RelayRig) -> Result<Findings> {
    let (addr, sender, mut watcher) = pushed(rig).await?;
    let endless = tokio::spawn(hostile::endless(addr));
    sleep(secs(2)).await;
    let since = Instant::now();
    // From another address: it is another sender.
    let sender = sender.from([127, 0, 0, 2]);
    sender.one().await?;
    watcher.reach(1, secs(5)).await?;
    let took = since.elapsed();
    endless.abort();
    Ok(Findings::seen("the other sender was heard").recovered(took, secs(3)))
}

async fn many(rig: &mut RelayRig) -> Result<Findings> {
    const SENDERS: usize = 200;
    const PICTURES: u64 = 20;
    let addr = free_addr()?;
    for n in 0..SENDERS {
        let url = format!("http-listen://{addr}/cam{n}#token={}", sender::TOKEN);
        rig.start_stream(Start::of(format!("cam{n}"), url)).await?;
    }
    let senders = (0..SENDERS).map(|n| async move {
        let sender = Sender::new(addr, Sequence::default()).to(format!("/cam{n}"));
        sender.listens().await?;
        // They do not all send at once.
        sleep(Duration::from_millis(n as u64)).await;
        sender.times(PICTURES, Duration::from_millis(200)).await
    });
    let since = Instant::now();
    try_join_all(senders).await?;
    let took = since.elapsed();
    for n in 0..SENDERS {
        let name = format!("cam{n}");
        let arrived = async || {
            let frames = rig.relay.status(&name).await?.frames;
            ensure!(
                frames <= PICTURES,
                "{frames} of {PICTURES} arrived at {name}"
            );
            Ok((frames == PICTURES).then_some(()))
        };
        wait::until(format!("all arrive at {name}"), secs(2), arrived).await?;
    }
    // The connection was refused for none.
    post(addr, "/cam0", sender::TOKEN).await?;
    let rate = (SENDERS as u64 * PICTURES) as f64 / took.as_secs_f64();
    Ok(Findings::seen(format!(
        "all arrived, at {rate:.0} a second"
    )))
}
