//! Runs many cameras with random faults and two hundred viewers that come and go, for a long time.

mod camera;
mod crowd;
mod minute;
mod streams;

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use fastrand::Rng;
use kit::{flags::Soak, folder, record};
use tokio::time::{Instant, interval, sleep};

use crate::{
    launch::Launch,
    rig::watchers::{self, WATCHERS},
    soak::{camera::Plan, crowd::Crowd, minute::Minute, streams::Stream},
    subject::Relay,
    watcher::Watcher,
};

/// Returns whether memory stays flat, all cameras return, and no undamaged picture is lost.
pub(crate) async fn run(flags: &Soak) -> Result<bool> {
    let dir = folder::lasting("mjpeg-soak")?;
    let mut soak = Soaking::begin(flags.seed.unwrap_or(1), &dir.join("relay.log")).await?;
    let minutes = flags.minutes.max(1);
    let (mut lines, mut failures) = soak.run(Duration::from_secs(minutes * 60)).await?;
    failures.extend(soak.end().await?);
    let verdict = match failures.as_slice() {
        [] => format!("{minutes} minutes: all requirements hold.\n"),
        failures => format!("{minutes} minutes: **failed**: {}\n", failures.join("; ")),
    };
    print!("{verdict}");
    lines += &verdict;
    if let Some(file) = &flags.record {
        record::write(file, "soak", &lines)?;
    }
    if failures.is_empty() {
        fs::remove_dir_all(&dir)?;
    } else {
        println!("the relay's log is in {}", dir.display());
    }
    Ok(failures.is_empty())
}

struct Soaking {
    relay: Relay,
    plan: Arc<Plan>,
    streams: Vec<Stream>,
    /// The address of each stream, for viewers.
    addrs: Vec<SocketAddr>,
    watchers: Vec<Watcher>,
    crowd: Crowd,
    visitors: Crowd,
}

impl Soaking {
    async fn begin(seed: u64, log: &Path) -> Result<Self> {
        let mut random = Rng::with_seed(seed);
        let mut relay = Relay::launch(&Launch::default(), log).await?;
        let plan = Arc::new(Plan::default());
        let streams = streams::all(&plan, &mut random).await?;
        let mut addrs = Vec::new();
        let (mut always, mut on_demand) = (Vec::new(), Vec::new());
        let mut watchers = Vec::new();
        for stream in &streams {
            let addr = relay.start_stream(stream.start.clone()).await?;
            addrs.push(addr);
            if stream.is_on_demand() {
                on_demand.push(addr);
            } else {
                always.push(addr);
            }
            if stream.is_undamaged {
                let cpu_waits = &relay.process.cpu_waits;
                let opened = watchers::watchers(WATCHERS, addr, &stream.sequence, cpu_waits);
                watchers.extend(opened.await?);
            }
        }
        Ok(Self {
            crowd: Crowd::gather(&always, VIEWERS, Duration::ZERO, random.fork()),
            // Sometimes there is no viewer, and the relay disconnects from the cameras.
            visitors: Crowd::gather(&on_demand, on_demand.len(), PAUSE, random.fork()),
            relay,
            plan,
            streams,
            addrs,
            watchers,
        })
    }

    /// Prints a line per minute. Returns these lines, and what has grown.
    async fn run(&mut self, length: Duration) -> Result<(String, Vec<String>)> {
        let mut lines = minute::HEAD.to_owned();
        print!("{lines}");
        let since = Instant::now();
        let mut ticks = interval(SAMPLE);
        let mut minutes: Vec<Minute> = Vec::new();
        let mut samples = Vec::new();
        while since.elapsed() < length {
            ticks.tick().await;
            samples.push(minute::Sample::take(&mut self.relay).await?);
            let full = since.elapsed().as_secs() / 60;
            if full > minutes.len() as u64 {
                let mut frames = 0;
                let mut reconnects = 0;
                for stream in &self.streams {
                    let status = self.relay.status(&stream.start.name).await?;
                    frames += status.frames;
                    reconnects += status.reconnects;
                }
                let served = self.crowd.served() + self.visitors.served();
                let minute = Minute::of(&samples, frames, reconnects, served);
                let line = minute.line(full);
                print!("{line}");
                lines += &line;
                minutes.push(minute);
            }
        }
        let memory = format!("\n{}\n\n", minute::memory(&minutes));
        print!("{memory}");
        Ok((lines + &memory, minute::grown(&samples)))
    }

    /// Ends the faults. Checks that all cameras return, and that nothing is left behind.
    async fn end(mut self) -> Result<Vec<String>> {
        self.plan.no_more();
        let mut failures = self.not_back().await?;
        failures.extend(self.plan.missed(BACK_LIMIT));
        for mut watcher in std::mem::take(&mut self.watchers) {
            let seen = watcher.settle().await;
            println!(
                "a viewer of an undamaged camera: {} pictures, {} lost, {} held up, longest gap \
                 {:.2?}",
                seen.pictures, seen.lost, seen.held_up, seen.longest_gap
            );
            if seen.lost > 0 || seen.disordered > 0 {
                failures.push(format!("{} undamaged pictures lost", seen.lost));
            }
            failures.extend(
                seen.ended
                    .map(|why| format!("the response of a healthy viewer ended: {why}")),
            );
        }
        println!("{}", self.plan.counts());
        drop((self.crowd, self.visitors));
        for stream in &self.streams {
            self.relay.stop_stream(&stream.start.name).await?;
        }
        sleep(SAMPLE).await;
        let left = self.relay.figures().await?;
        println!("with all streams stopped: {left:?}");
        if left.tasks != Some(0) {
            failures.push(format!("{:?} tasks are left", left.tasks));
        }
        if let Some(code) = self.relay.end().await?.filter(|code| *code != 0) {
            failures.push(format!("the relay ended with {code}"));
        }
        Ok(failures)
    }

    /// Lists the streams whose cameras do not return in time.
    async fn not_back(&mut self) -> Result<Vec<String>> {
        let mut failures = Vec::new();
        let last: Vec<u32> = self
            .streams
            .iter()
            .map(|stream| stream.sequence.last())
            .collect();
        let since = Instant::now();
        for ((stream, addr), last) in self.streams.iter().zip(&self.addrs).zip(last) {
            let cpu_waits = &self.relay.process.cpu_waits;
            let mut watcher = Watcher::open(*addr, &stream.sequence, cpu_waits).await?;
            let left = BACK_LIMIT.saturating_sub(since.elapsed());
            // More than the pictures that may still be on their way.
            if watcher.reach(last + 30, left.max(LEAST)).await.is_err() {
                let name = &stream.start.name;
                let status = self.relay.status(name).await?;
                failures.push(format!("{name} has not returned: {status:?}"));
            }
        }
        Ok(failures)
    }
}

const VIEWERS: usize = 200;
/// The longest time between two visits of a viewer to an on-demand stream.
const PAUSE: Duration = Duration::from_secs(20);
const SAMPLE: Duration = Duration::from_secs(1);
/// The longest backoff, the stall limit, an attempt without an answer, and a margin.
const BACK_LIMIT: Duration = Duration::from_secs(30 + 10 + 5 + 5);
/// The time for 30 pictures of a polled camera, and a margin.
const LEAST: Duration = Duration::from_secs(5);
