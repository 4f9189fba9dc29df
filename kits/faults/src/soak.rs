//! Twenty cameras with random faults and two hundred viewers that come and go, for long.

mod camera;
mod crowd;
mod minute;

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use fastrand::Rng;
use kit::{flags::Soak, record};
use tokio::time::{Instant, interval, sleep};

use crate::{
    camera::Camera,
    launch::Launch,
    setting::own_dir,
    soak::{camera::Plan, crowd::Crowd, minute::Minute},
    subject::Relay,
    watcher::Watcher,
};

/// Whether memory is flat, all cameras are back, and no picture of the undamaged one is lost.
pub(crate) async fn run(flags: &Soak) -> Result<bool> {
    let dir = own_dir()?;
    let mut soak = Soaking::begin(flags.seed.unwrap_or(1), &dir.join("relay.log")).await?;
    let length = Duration::from_secs(flags.minutes.max(1) * 60);
    let (mut lines, mut failures) = soak.run(length).await?;
    failures.extend(soak.end().await?);
    let minutes = flags.minutes.max(1);
    lines += &match failures.as_slice() {
        [] => format!("\n{minutes} minutes: all holds.\n"),
        failures => format!("\n{minutes} minutes: **failed**: {}\n", failures.join("; ")),
    };
    println!("{}", lines.lines().last().unwrap_or_default());
    if let Some(file) = &flags.record {
        record::write(file, "soak", &lines)?;
    }
    if failures.is_empty() {
        fs::remove_dir_all(&dir)?;
    } else {
        println!("what the relay said is in {}", dir.display());
    }
    Ok(failures.is_empty())
}

struct Soaking {
    relay: Relay,
    plan: Arc<Plan>,
    /// The first is undamaged.
    cameras: Vec<Camera>,
    addrs: Vec<SocketAddr>,
    watchers: Vec<Watcher>,
    crowd: Crowd,
}

impl Soaking {
    async fn begin(seed: u64, log: &std::path::Path) -> Result<Self> {
        let mut random = Rng::with_seed(seed);
        let mut relay = Relay::start(&Launch::default(), log)?;
        let plan = Arc::new(Plan::default());
        let mut cameras = vec![Camera::good().await?];
        for _ in 1..CAMERAS {
            cameras.push(camera::faulty(&plan, random.fork()).await?);
        }
        let mut addrs = Vec::new();
        for (n, camera) in cameras.iter().enumerate() {
            addrs.push(relay.stream(&name(n), &camera.url()).await?);
        }
        let turns = &relay.process.turns;
        let mut watchers = Vec::new();
        for _ in 0..WATCHERS {
            let mut watcher = Watcher::open(addrs[0], &cameras[0].reel, turns).await?;
            watcher.fresh(Duration::from_secs(10)).await?;
            watchers.push(watcher);
        }
        let crowd = Crowd::gather(&addrs, VIEWERS, random.fork());
        Ok(Self {
            relay,
            plan,
            cameras,
            addrs,
            watchers,
            crowd,
        })
    }

    /// Prints a line per minute. Returns these lines, and what does not hold.
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
                for n in 0..self.addrs.len() {
                    let status = self.relay.status(&name(n)).await?;
                    frames += status.frames;
                    reconnects += status.reconnects;
                }
                let minute = Minute::of(&samples, frames, reconnects, self.crowd.served());
                let line = minute.line(full);
                print!("{line}");
                lines += &line;
                minutes.push(minute);
            }
        }
        Ok((lines, minute::flat(&samples)))
    }

    /// Ends the faults, and checks that all cameras are back and nothing is left behind.
    async fn end(mut self) -> Result<Vec<String>> {
        let mut failures = Vec::new();
        self.plan.no_more();
        let last = self.cameras.iter().map(|camera| camera.reel.last());
        let last: Vec<u32> = last.collect();
        let since = Instant::now();
        for (n, camera) in self.cameras.iter().enumerate() {
            let turns = &self.relay.process.turns;
            let mut watcher = Watcher::open(self.addrs[n], &camera.reel, turns).await?;
            let left = BACK_LIMIT.saturating_sub(since.elapsed());
            // Beyond the pictures that may still be on their way.
            if watcher.reach(last[n] + 50, left.max(SAMPLE)).await.is_err() {
                let status = self.relay.status(&name(n)).await?;
                failures.push(format!("camera {n} is not back: {status:?}"));
            }
        }
        failures.extend(self.plan.missed(BACK_LIMIT));
        for mut watcher in std::mem::take(&mut self.watchers) {
            let seen = watcher.settle().await;
            println!(
                "the undamaged camera's viewer: {} pictures, {} lost, {} held up, longest gap {:.2?}",
                seen.pictures, seen.lost, seen.held_up, seen.longest_gap
            );
            if seen.lost > 0 || seen.disordered > 0 {
                failures.push(format!("{} of the undamaged pictures lost", seen.lost));
            }
            failures.extend(seen.ended.map(|why| format!("its response ended: {why}")));
        }
        println!("{}", self.plan.counts());
        drop(self.crowd);
        for n in 0..self.addrs.len() {
            self.relay.ask(&format!("stop {}", name(n))).await?;
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
}

fn name(n: usize) -> String {
    format!("camera{n}")
}

const CAMERAS: usize = 20;
const VIEWERS: usize = 200;
const WATCHERS: usize = 2;
const SAMPLE: Duration = Duration::from_secs(1);
/// The longest wait between attempts, the stall limit, an attempt without an answer, a margin.
const BACK_LIMIT: Duration = Duration::from_secs(30 + 10 + 5 + 5);
