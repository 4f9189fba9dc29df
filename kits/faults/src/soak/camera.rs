//! Cameras that fail at random. Measures how soon the relay connects again.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::BoxFuture;
use mjpeg_testkit::{Faults, jpeg};
use tokio::time::{Instant, sleep};

use crate::{
    camera::{Camera, Conn, INTERVAL, ok_head},
    sequence::{Sequence, numbered},
};

/// What all cameras share: whether there are still faults, and how many there were.
#[derive(Default)]
pub(super) struct Plan {
    is_over: AtomicBool,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    /// The longest time until the relay connected again.
    longest: Mutex<Duration>,
}

impl Plan {
    /// Ends the faults: from now on all cameras are good.
    pub(super) fn no_more(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// Reports the longest time until the relay connected again, if it exceeds this limit.
    pub(super) fn missed(&self, limit: Duration) -> Option<String> {
        let longest = *lock(&self.longest);
        (longest > limit).then(|| format!("the relay connected again only after {longest:.1?}"))
    }

    /// Describes the faults so far.
    pub(super) fn counts(&self) -> String {
        let counts = lock(&self.counts);
        let all: Vec<String> = counts
            .iter()
            .map(|(name, n)| format!("{n} {name}"))
            .collect();
        let longest = *lock(&self.longest);
        format!(
            "faults: {}; the relay connected again after {longest:.1?} at most",
            all.join(", ")
        )
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn count(&self, name: &'static str) {
        *lock(&self.counts).entry(name).or_default() += 1;
    }
}

/// What a camera does on a connection.
pub(super) type Serve = fn(Conn, Arc<Plan>, Rng) -> BoxFuture<'static, io::Result<()>>;

/// Starts a camera that fails at random. `is_missed` says whether the relay must connect again.
pub(super) async fn faulty(
    plan: &Arc<Plan>,
    sequence: &Arc<Sequence>,
    random: Rng,
    serve: Serve,
    is_missed: bool,
) -> Result<Camera> {
    let plan = Arc::clone(plan);
    let random = Arc::new(Mutex::new(random));
    // When the camera ended the previous connection.
    let lost = Arc::new(Mutex::new(None::<Instant>));
    Camera::with(Arc::clone(sequence), move |_, conn: Conn| {
        let (plan, lost) = (Arc::clone(&plan), Arc::clone(&lost));
        let random = lock(&random).fork();
        async move {
            if let Some(since) = lock(&lost).take() {
                let mut longest = lock(&plan.longest);
                *longest = since.elapsed().max(*longest);
            }
            let ended = serve(conn, plan, random).await;
            *lock(&lost) = is_missed.then(Instant::now);
            ended
        }
    })
    .await
}

/// Answers requests with single pictures, and now and then with a fault.
pub(super) async fn answer(mut conn: Conn, plan: Arc<Plan>, mut random: Rng) -> io::Result<()> {
    loop {
        conn.request().await?;
        let (_, picture) = conn.sequence.next();
        if plan.is_over() || random.u8(..50) > 0 {
            conn.answer("image/jpeg", &picture).await?;
            continue;
        }
        match random.u8(..5) {
            0 => {
                plan.count("answered 503");
                conn.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                    .await?;
            }
            1 => {
                plan.count("answered with a page");
                conn.answer("text/html", b"<html>").await?;
            }
            2 => {
                plan.count("cut in an answer");
                let head = ok_head("image/jpeg", picture.len());
                let half = &picture[..picture.len() / 2];
                return conn.send(&[head.as_bytes(), half].concat()).await;
            }
            3 => {
                plan.count("closed instead of an answer");
                return Ok(());
            }
            _ => {
                plan.count("silent instead of an answer");
                return conn.silent().await;
            }
        }
    }
}

/// Sends pictures and faults until a fault or the relay ends the connection.
pub(super) async fn send(mut conn: Conn, plan: Arc<Plan>, mut random: Rng) -> io::Result<()> {
    loop {
        let time = Duration::from_millis(random.u64(2_000..30_000));
        let since = Instant::now();
        while since.elapsed() < time || plan.is_over() {
            conn.picture().await?;
            sleep(INTERVAL).await;
        }
        match random.u8(..8) {
            0 => {
                plan.count("closed");
                return Ok(());
            }
            1 => {
                plan.count("reset in mid-picture");
                let half = conn.sequence.half();
                conn.send(&half).await?;
                return conn.reset();
            }
            2 => {
                plan.count("silent");
                // Until the relay reaches its stall limit and hangs up.
                return conn.silent().await;
            }
            3 => {
                plan.count("garbage");
                let mut garbage = vec![0; random.usize(1..200_000)];
                random.fill(&mut garbage);
                conn.send(&garbage).await?;
            }
            4 => {
                plan.count("cut in mid-picture");
                let half = conn.sequence.half();
                conn.send(&half).await?;
            }
            5 => {
                plan.count("slow");
                let (_, mut picture) = conn.sequence.next();
                while !picture.is_empty() {
                    let length = picture.len().min(200);
                    conn.send(&picture.split_to(length)).await?;
                    sleep(Duration::from_millis(random.u64(0..400))).await;
                }
            }
            6 => {
                plan.count("other size");
                let side = random.u16(1..80) * 16;
                let picture = numbered(&jpeg::sized(0, side, 480), conn.sequence.next_number());
                conn.send(&picture).await?;
            }
            _ => {
                plan.count("damaged");
                let pictures: Vec<_> = (0..20).map(|_| conn.sequence.next().1).collect();
                let damaged = Faults::new(random.u64(..)).damage(&pictures);
                conn.send(&damaged.stream).await?;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
