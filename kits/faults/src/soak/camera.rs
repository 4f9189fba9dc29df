//! Cameras that fail at random, and how soon the relay connects again.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use mjpeg_testkit::{Faults, jpeg};
use tokio::time::{Instant, sleep};

use crate::camera::{Camera, INTERVAL, Line, numbered};

/// What all cameras share: whether faults go on, and their counts.
#[derive(Default)]
pub(super) struct Plan {
    is_over: AtomicBool,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    longest: Mutex<Duration>,
}

impl Plan {
    /// Ends the faults: from now on, all cameras are good.
    pub(super) fn no_more(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// The longest recovery, if it took longer than this.
    pub(super) fn missed(&self, limit: Duration) -> Option<String> {
        let longest = *lock(&self.longest);
        (longest > limit).then(|| format!("a camera was asked again only after {longest:.1?}"))
    }

    /// Counts of the faults so far.
    pub(super) fn counts(&self) -> String {
        let counts = lock(&self.counts);
        let all: Vec<String> = counts
            .iter()
            .map(|(name, n)| format!("{n} {name}"))
            .collect();
        let longest = *lock(&self.longest);
        format!(
            "faults: {}; asked again after {longest:.1?} at most",
            all.join(", ")
        )
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn count(&self, name: &'static str) {
        *lock(&self.counts).entry(name).or_default() += 1;
    }
}

/// A camera that works for 2 to 30 s at a time.
pub(super) async fn faulty(plan: &Arc<Plan>, random: Rng) -> io::Result<Camera> {
    let plan = Arc::clone(plan);
    let random = Arc::new(Mutex::new(random));
    // When the camera gave up the previous connection, if it did.
    let lost = Arc::new(Mutex::new(None::<Instant>));
    Camera::start(move |_, line: Line| {
        let (plan, lost) = (Arc::clone(&plan), Arc::clone(&lost));
        let random = lock(&random).fork();
        async move {
            if let Some(since) = lock(&lost).take() {
                let mut longest = lock(&plan.longest);
                *longest = since.elapsed().max(*longest);
            }
            let ended = play(line, &plan, random).await;
            *lock(&lost) = Some(Instant::now());
            ended
        }
    })
    .await
}

/// Sends pictures and faults until a fault or the relay ends the connection.
async fn play(mut line: Line, plan: &Plan, mut random: Rng) -> io::Result<()> {
    loop {
        let time = Duration::from_millis(random.u64(2_000..30_000));
        let since = Instant::now();
        while since.elapsed() < time || plan.is_over() {
            line.picture().await?;
            sleep(INTERVAL).await;
        }
        match random.u8(..8) {
            0 => {
                plan.count("closed");
                return Ok(());
            }
            1 => {
                plan.count("reset in mid-picture");
                let half = line.reel.half();
                line.send(&half).await?;
                return line.reset();
            }
            2 => {
                plan.count("silent");
                // For longer than the stall limit, so that the relay hangs up.
                return line.silent().await;
            }
            3 => {
                plan.count("garbage");
                let mut garbage = vec![0; random.usize(1..200_000)];
                random.fill(&mut garbage);
                line.send(&garbage).await?;
            }
            4 => {
                plan.count("cut in mid-picture");
                let half = line.reel.half();
                line.send(&half).await?;
            }
            5 => {
                plan.count("slow");
                let (_, mut picture) = line.reel.next();
                while !picture.is_empty() {
                    let length = picture.len().min(200);
                    line.send(&picture.split_to(length)).await?;
                    sleep(Duration::from_millis(random.u64(0..400))).await;
                }
            }
            6 => {
                plan.count("other size");
                let side = random.u16(1..80) * 16;
                let picture = numbered(&jpeg::sized(0, side, 480), line.reel.next().0);
                line.send(&picture).await?;
            }
            _ => {
                plan.count("damaged");
                let pictures: Vec<_> = (0..20).map(|_| line.reel.next().1).collect();
                let damaged = Faults::new(random.u64(..)).damage(&pictures);
                line.send(&damaged.stream).await?;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
