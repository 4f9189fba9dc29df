//! Sources that are programs: whether they end with the relay, and what becomes of what they say.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use kit::proc;
use mjpeg_testkit::{Viewer, jpeg};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::steps::{last, secs};
use crate::{
    case::{Case, Findings, Run},
    inside::Start,
    launch::Launch,
    rig::{
        program::ProgramRig,
        relay::{FAULTY, RelayRig},
    },
    subject::Relay,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "program-sighup",
        "SIGHUP to a relay of a program, as when its terminal closes",
        "ends as after SIGTERM, and the program with it",
        Run::Program(|rig| Box::pin(sighup(rig))),
    )
    .set_up(sender)
    .short(),
    Case::new(
        "program-sigkill",
        "SIGKILL to a relay of a program",
        "the program ends too",
        Run::Program(|rig| Box::pin(sigkill(rig))),
    )
    .set_up(sender)
    .short(),
    Case::new(
        "program-idle",
        "a relay of a program with two worker threads, which have little to do for 30 s; then SIGKILL",
        "the program runs until then, and no longer",
        Run::Program(|rig| Box::pin(idle(rig))),
    )
    .set_up(sender_with_threads)
    .long(),
    Case::new(
        "program-secrets",
        "a program that writes passwords and ends; two relays, with passwords that differ",
        "viewers of both see the same placeholder; no password is in a state",
        Run::Relay(|rig| Box::pin(placeholder(rig))),
    )
    .short(),
    Case::new(
        "program-log",
        "a program that writes passwords and control characters and ends",
        "neither is in the log",
        Run::Program(|rig| Box::pin(log(rig))),
    )
    .set_up(blabber)
    .short(),
];

/// A source that sends a picture every 2 s. The number of its process is in a file.
fn sender(dir: &Path, launch: &mut Launch) -> Result<()> {
    let name = dir.join(format!("{:016x}", fastrand::u64(..)));
    let [id, picture] = ["id", "jpg"].map(|kind| name.with_extension(kind));
    fs::write(&picture, jpeg::numbered(0))?;
    let [id, picture] = [id, picture].map(|path| path.display().to_string());
    // It does not end by itself when nobody reads it any more.
    let script = format!("echo $$ > {id}; while :; do cat {picture}; sleep 2; done");
    launch.add_stream("program", &program(dir, &script)?);
    launch.env.insert(ID, id);
    Ok(())
}

fn sender_with_threads(dir: &Path, launch: &mut Launch) -> Result<()> {
    launch.args.extend(["--worker-threads".into(), "2".into()]);
    sender(dir, launch)
}

fn blabber(dir: &Path, launch: &mut Launch) -> Result<()> {
    let url = program(dir, &format!("{}; exit 1", blab("hunter2")))?;
    launch.add_stream("program", &url);
    Ok(())
}

async fn sighup(rig: &mut ProgramRig) -> Result<Findings> {
    let child = child(rig).await?;
    let ended = rig.end_by(Signal::HUP).await?;
    gone(child).await?;
    Ok(Findings::seen(ended.in_order()?))
}

async fn sigkill(rig: &mut ProgramRig) -> Result<Findings> {
    let child = child(rig).await?;
    rig.end_by(Signal::KILL).await?;
    gone(child).await?;
    Ok(Findings::seen("the program is gone"))
}

async fn idle(rig: &mut ProgramRig) -> Result<Findings> {
    let child = child(rig).await?;
    last(30).await;
    let runs = proc::is_running(child);
    ensure!(runs, "the program has ended, although the relay runs");
    sigkill(rig).await
}

async fn placeholder(rig: &mut RelayRig) -> Result<Findings> {
    // What the relay keeps from its first program on is not left behind by this one.
    rig.stream(&program(&rig.dir, "exit 1")?).await?;
    let what = "a program has failed";
    rig.until(what, secs(5), |now| now.last_error.is_some())
        .await?;
    rig.stop_stream(FAULTY).await?;
    rig.begin().await?;
    let other_log = rig.dir.join("program-secrets-other.log");
    let mut other = Relay::launch(&Launch::default(), &other_log).await?;
    // They look the same if both begin in the same second.
    for _ in 0..4 {
        let [first, second] = ["hunter2", "swordf1"].map(|secret| {
            let script = format!("{}; exit 1", blab(secret));
            program(&rig.dir, &script).map(|url| Start::of(FAULTY, url))
        });
        let one = rig.start_stream(first?).await?;
        let two = other.start_stream(second?).await?;
        let mut seen = Vec::new();
        for addr in [one, two] {
            let mut viewer = Viewer::open(addr, "/").await?;
            seen.push(viewer.next_frame().await?.context("the response ended")?);
        }
        ensure!(
            seen.iter()
                .all(|picture| jpeg::number_of(picture).is_none())
        );
        let said = format!("{:?}{:?}", rig.status().await?, other.status(FAULTY).await?);
        ensure!(
            !said.contains("hunter2") && !said.contains("swordf1"),
            "the state says {said}"
        );
        if seen[0] == seen[1] {
            other.end().await?;
            return Ok(Findings::seen("the same placeholder for both"));
        }
        rig.stop_stream(FAULTY).await?;
        other.stop_stream(FAULTY).await?;
    }
    bail!("viewers see placeholders that depend on the password")
}

async fn log(rig: &mut ProgramRig) -> Result<Findings> {
    let since = Instant::now();
    let said = loop {
        let said = rig.said()?;
        if said.contains("offline") {
            break said;
        }
        ensure!(since.elapsed() < secs(5), "the end is not logged: {said}");
        sleep(Duration::from_millis(20)).await;
    };
    let line = said.lines().find(|line| line.contains("offline"));
    let line = line.unwrap_or_default().escape_debug().to_string();
    ensure!(!said.contains("hunter2"), "a password is logged: {line}");
    ensure!(
        !said.contains(is_control),
        "control characters are logged: {line}"
    );
    Ok(Findings::seen(line))
}

/// Whether a character can change how a terminal shows the others.
fn is_control(c: char) -> bool {
    let is_bidi =
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidi || c.is_control() && c != '\n'
}

/// Commands of the shell that write a password in the ways in which programs do, and control
/// characters.
fn blab(secret: &str) -> String {
    format!(
        "printf 'open rtsp://me:{secret}@camera/1 pwd={secret}&x=1\\n\
         Authorization: Basic {secret}\\n\
         \\033[31mred\\033]0;title\\007 \\342\\200\\256 \\302\\233 password: {secret}\\000\\n' >&2"
    )
}

/// The URL of a source that runs this script of the shell.
fn program(dir: &Path, script: &str) -> Result<String> {
    let path = dir.join(format!("{:016x}.sh", fastrand::u64(..)));
    fs::write(&path, script)?;
    Ok(format!("exec:sh {}", path.display()))
}

/// The number of the program's process, once it runs.
async fn child(rig: &ProgramRig) -> Result<u32> {
    let path = rig.launch.env.get(ID).context("no file for it")?;
    let since = Instant::now();
    loop {
        if let Ok(id) = fs::read_to_string(path).unwrap_or_default().trim().parse() {
            return Ok(id);
        }
        ensure!(since.elapsed() < secs(5), "the program does not start");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the program has ended. One that does not is killed.
async fn gone(child: u32) -> Result<()> {
    let since = Instant::now();
    while proc::is_running(child) {
        if since.elapsed() > secs(2) {
            let id = i32::try_from(child).ok().and_then(Pid::from_raw);
            kill_process(id.context("no process has this number")?, Signal::KILL)?;
            bail!("the program still runs 2 s after the relay");
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// The variable that names the file with the program's number.
const ID: &str = "MJPEG_FAULTS_ID";
