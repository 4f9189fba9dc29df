//! Many wrong passwords.

use std::{fs::OpenOptions, io::Write as _, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use mjpeg_testkit::{Viewer, jpeg, request};
use rustix::process::Signal;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{FLOOD, configure, gateway};
use crate::{
    case::Findings,
    cases::steps::{Switch, secs},
    launch::Launch,
    rig::program::ProgramRig,
    table::seconds,
    undisturbed, wait,
};

/// Two users, and a gateway that believes a proxy on this machine.
pub(super) fn users(dir: &Path, launch: &mut Launch) -> Result<()> {
    let text = format!(
        "[[listen]]\nname = \"main\"\naddress = \"127.0.0.1:0\"\nserve = [\"streams\"]\n\
         trusted_proxies = [\"127.0.0.1\"]\n\
         [[users]]\nname = \"alice\"\npassword_hash = \"{HASH}\"\n\
         [[users]]\nname = \"bob\"\npassword_hash = \"{HASH}\"\n"
    );
    configure(dir, launch, &text)
}

pub(super) async fn logins(rig: &mut ProgramRig, addresses: u32) -> Result<Findings> {
    let addr = gateway(rig).await?;
    close_a_stream(rig).await?;
    let login = format!("Basic {ALICE}");
    let mut alice = Viewer::open_with(addr, "/closed/", &[("Authorization", &login)]).await?;
    ensure!(
        alice.head().status == 200,
        "alice gets {}",
        alice.head().status
    );
    let quiet = ages(rig, FLOOD).await?;
    let over = Switch::default();
    let is_over = over.clone();
    let watching = undisturbed::spawn(async move {
        let mut pictures = 0;
        while !is_over.is_on() {
            alice.next_frame().await?.context("her response ended")?;
            pictures += 1;
        }
        anyhow::Ok(pictures)
    });
    let flooding = tokio::spawn(flood(addr, addresses));
    let flooded = ages(rig, FLOOD).await?;
    let again = request(addr, get("/closed/snapshot", ALICE, "198.51.100.1")).await?;
    let again = again.head.status;
    ensure!(again == 200, "alice, who has logged in, gets {again}");
    let (wrong, refused) = flooding.await??;
    let since = Instant::now();
    let logs_in = async || {
        let answer = request(addr, get("/closed/snapshot", BOB, "203.0.113.9")).await?;
        match answer.head.status {
            200 => Ok(Some(())),
            429 => Ok(None),
            status => bail!("bob gets {status}"),
        }
    };
    wait::until("bob logs in", secs(10), logs_in).await?;
    let took = since.elapsed();
    over.on();
    let pictures: u32 = watching.await?.context("alice watches")?;
    ensure!(pictures > 0, "alice saw nothing");
    // The short form uses a debug build, which is slow.
    let limit = quiet.mul_f64(1.5) + Duration::from_millis(2);
    ensure!(
        cfg!(debug_assertions) || flooded <= limit,
        "99 of 100 pictures were at most {flooded:.1?} old, where {quiet:.1?} is usual"
    );
    Ok(Findings::seen(format!(
        "{wrong} answered 401, {refused} 429; pictures {} ms old (p99), {} without the flood; \
         another user after {}",
        flooded.as_millis(),
        quiet.as_millis(),
        seconds(took)
    )))
}

/// Adds a stream that only users may watch. At the start, its URL would be in the way.
async fn close_a_stream(rig: &mut ProgramRig) -> Result<()> {
    let at = rig.launch.args.iter().position(|arg| arg == "-c");
    let file = at.and_then(|at| rig.launch.args.get(at + 1));
    let mut file = OpenOptions::new()
        .append(true)
        .open(file.context("a file")?)?;
    file.write_all(CLOSED.as_bytes())?;
    rig.program.process.signal(Signal::HUP)?;
    let reloaded = async || Ok(rig.said()?.contains("configuration reloaded").then_some(()));
    wait::until("the configuration is reloaded", secs(10), reloaded).await
}

/// Sends wrong passwords, and returns how many were called wrong and how many were refused unseen.
async fn flood(addr: SocketAddr, addresses: u32) -> Result<(u32, u32)> {
    let (mut wrong, mut refused) = (0, 0);
    let mut count = |status: Result<u16>| {
        match status? {
            401 => wrong += 1,
            429 => refused += 1,
            status => bail!("a login was answered {status}"),
        }
        anyhow::Ok(())
    };
    let mut asking = JoinSet::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let until = Instant::now() + FLOOD;
    let mut n = 0;
    while Instant::now() < until {
        ticks.tick().await;
        for _ in 0..PER_TICK {
            n += 1;
            let from = n % addresses;
            let from = format!("198.18.{}.{}", from >> 8, from & 255);
            // Somebody else each time, whose failures have no consequence for others.
            let user = if n % 3 == 0 {
                "alice"
            } else {
                &*format!("user-{n}")
            };
            let login = BASE64_STANDARD.encode(format!("{user}:guess"));
            asking.spawn(async move {
                let answer = request(addr, get("/closed/snapshot", &login, &from)).await?;
                Ok(answer.head.status)
            });
        }
        while let Some(status) = asking.try_join_next() {
            count(status?)?;
        }
    }
    while let Some(status) = asking.join_next().await {
        count(status?)?;
    }
    Ok((wrong, refused))
}

fn get(path: &str, login: &str, from: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: relay\r\nAuthorization: Basic {login}\r\n\
         X-Forwarded-For: {from}\r\nConnection: close\r\n\r\n"
    )
}

/// How old pictures of the bystander are for this long: 99 of 100 are no older.
async fn ages(rig: &ProgramRig, time: Duration) -> Result<Duration> {
    let (addr, sequence) = (rig.program.addrs[0], rig.cameras[0].sequence.clone());
    let ages = undisturbed::run(async move {
        let mut viewer = Viewer::open(addr, "/?dual_final_frames=0").await?;
        let (mut ages, until) = (Vec::new(), Instant::now() + time);
        while Instant::now() < until {
            let picture = viewer.next_frame().await?.context("the response ended")?;
            let number = jpeg::number_of(&picture).context("a picture has no number")?;
            ages.extend(sequence.made_at(number).map(|made| made.elapsed()));
        }
        // The first may have waited for its viewer.
        ages.remove(0);
        anyhow::Ok(ages)
    });
    let mut ages = ages.await??;
    ages.sort_unstable();
    let at = ages.len() * 99 / 100;
    ages.get(at).copied().context("no pictures came")
}

const CLOSED: &str = "[[streams]]\nname = \"closed\"\nsource = \"test:?size=64x64&fps=10\"\n\
                      view = [\"alice\"]\n";

const TICK: Duration = Duration::from_millis(10);
/// 1000 a second.
const PER_TICK: u32 = if cfg!(debug_assertions) { 2 } else { 10 };

/// Of the password `right`.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$FGyZm4e7bBnIGFTHS8xfdA$JdkM6sGhqYNiR++V/RQJIjohCdyR3JoQuB9vsJzSCEs";
/// `alice:right`.
const ALICE: &str = "YWxpY2U6cmlnaHQ=";
/// `bob:right`.
const BOB: &str = "Ym9iOnJpZ2h0";
