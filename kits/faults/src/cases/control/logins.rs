//! Many wrong passwords.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

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

/// How clients log in.
#[derive(Clone, Copy)]
pub(super) enum LoginWay {
    /// By `Authorization: Basic`, with each request.
    Basic,
    /// As the page does, for a session.
    Page,
}

pub(super) async fn logins(
    rig: &mut ProgramRig,
    way: LoginWay,
    addresses: u32,
) -> Result<Findings> {
    let addr = gateway(rig).await?;
    close_a_stream(rig).await?;
    let header = way.log_in(addr).await?;
    let (name, value) = header.split_once(": ").context("a header")?;
    let mut alice = Viewer::open_with(addr, "/closed/", &[(name, value)]).await?;
    ensure!(
        alice.head().status == 200,
        "alice gets {}",
        alice.head().status
    );
    let before = ages(rig, FLOOD).await?;
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
    let flooding = tokio::spawn(flood(addr, way, addresses));
    let flooded = ages(rig, FLOOD).await?;
    let again = get(addr, &header, "198.51.100.1");
    let again = request(addr, again).await?.head.status;
    ensure!(again == 200, "alice, who has logged in, gets {again}");
    let (wrong, refused) = flooding.await??;
    let since = Instant::now();
    let logs_in = async || {
        let answer = request(addr, way.attempt(addr, "bob", "right", "203.0.113.9")).await?;
        match answer.head.status {
            200 | 204 => Ok(Some(())),
            429 => Ok(None),
            status => bail!("bob gets {status}"),
        }
    };
    wait::until("bob logs in", secs(10), logs_in).await?;
    let took = since.elapsed();
    // A machine that has other work to do has it before or after, too.
    let quiet = before.max(ages(rig, FLOOD).await?);
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

/// Adds a stream that only users may watch, and the page. At the start, their URLs would be in the
/// way.
async fn close_a_stream(rig: &mut ProgramRig) -> Result<()> {
    let at = rig.launch.args.iter().position(|arg| arg == "-c");
    let file = at.and_then(|at| rig.launch.args.get(at + 1));
    let file = file.context("a file")?;
    let text = fs::read_to_string(file)?;
    let text = text.replace("[\"streams\"]", "[\"streams\", \"page\"]");
    fs::write(file, text + CLOSED)?;
    rig.program.process.signal(Signal::HUP)?;
    let reloaded = async || Ok(rig.said()?.contains("configuration reloaded").then_some(()));
    wait::until("the configuration is reloaded", secs(10), reloaded).await
}

/// Sends wrong passwords, and returns how many were called wrong and how many were refused unseen.
async fn flood(addr: SocketAddr, way: LoginWay, addresses: u32) -> Result<(u32, u32)> {
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
            let attempt = way.attempt(addr, user, "guess", &from);
            asking.spawn(async move { Ok(request(addr, attempt).await?.head.status) });
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

impl LoginWay {
    /// A request that logs in, as a client at this address sends it through the proxy.
    fn attempt(self, addr: SocketAddr, user: &str, password: &str, from: &str) -> String {
        match self {
            Self::Basic => {
                let login = BASE64_STANDARD.encode(format!("{user}:{password}"));
                get(addr, &format!("Authorization: Basic {login}"), from)
            }
            Self::Page => {
                let body = format!(r#"{{"name": "{user}", "password": "{password}"}}"#);
                format!(
                    "POST /login HTTP/1.1\r\nHost: {addr}\r\nX-Forwarded-For: {from}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{body}",
                    body.len()
                )
            }
        }
    }

    /// Logs alice in, and returns the header that proves it from then on.
    async fn log_in(self, addr: SocketAddr) -> Result<String> {
        let attempt = self.attempt(addr, "alice", "right", "198.51.100.1");
        let answer = request(addr, attempt).await?;
        let cookie = answer.head.header("set-cookie");
        match (self, answer.head.status, cookie) {
            (Self::Basic, 200, _) => {
                let login = BASE64_STANDARD.encode("alice:right");
                Ok(format!("Authorization: Basic {login}"))
            }
            (Self::Page, 204, Some(cookie)) => {
                let pair = cookie.split(';').next().unwrap_or_default();
                Ok(format!("Cookie: {pair}"))
            }
            (_, status, _) => bail!("alice gets {status}"),
        }
    }
}

fn get(addr: SocketAddr, header: &str, from: &str) -> String {
    format!(
        "GET /closed/snapshot HTTP/1.1\r\nHost: {addr}\r\n{header}\r\n\
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
