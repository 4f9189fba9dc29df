//! Sources that are programs: whether they end with the relay, and where their output appears.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use kit::proc;
use mjpeg_testkit::{Viewer, jpeg};
use rustix::process::{Pid, Signal, kill_process};

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
    wait,
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "program-sighup",
        "SIGHUP to a relay of a program that has a child, as when its terminal closes",
        "the relay ends as after SIGTERM; program and child end too",
        Run::Program(|rig| Box::pin(sighup(rig))),
    )
    .set_up(sender)
    .short(),
    Case::new(
        "program-sigkill",
        "SIGKILL to a relay of a program that has a child",
        "program and child end too",
        Run::Program(|rig| Box::pin(sigkill(rig))),
    )
    .set_up(sender)
    .short(),
    Case::new(
        "program-idle",
        "a relay of a program that has a child, with two worker threads that are mostly idle for \
         30 s; then SIGKILL",
        "program and child run until then, and no longer",
        Run::Program(|rig| Box::pin(idle(rig))),
    )
    .set_up(sender_with_threads)
    .long(),
    Case::new(
        "program-secrets",
        "a program that writes passwords and ends, in two relays with different passwords",
        "viewers of both see the same placeholder; no state contains a password",
        Run::Relay(|rig| Box::pin(placeholder(rig))),
    )
    .short(),
    Case::new(
        "program-log",
        "a program that writes passwords and control characters, and ends",
        "neither appears in the log",
        Run::Program(|rig| Box::pin(log(rig))),
    )
    .set_up(failing)
    .short(),
];

/// Adds a program that sends a picture every 2 s and has a child. It writes both process IDs to a
/// file. Neither process ends by itself when the relay no longer reads the pictures.
fn sender(dir: &Path, launch: &mut Launch) -> Result<()> {
    let name = dir.join(format!("{:016x}", fastrand::u64(..)));
    let [ids, picture] = ["ids", "jpg"].map(|kind| name.with_extension(kind));
    fs::write(&picture, jpeg::numbered(0))?;
    let [ids, picture] = [ids, picture].map(|path| path.display().to_string());
    let script = format!(
        "sh -c 'trap \"\" HUP INT TERM; exec sleep 600' & echo $$ $! > {ids}\n\
         while :; do cat {picture}; sleep 2; done"
    );
    launch.add_stream("program", &program(dir, &script)?);
    launch.env.insert(IDS, ids);
    Ok(())
}

fn sender_with_threads(dir: &Path, launch: &mut Launch) -> Result<()> {
    launch.args.extend(["--worker-threads".into(), "2".into()]);
    sender(dir, launch)
}

fn failing(dir: &Path, launch: &mut Launch) -> Result<()> {
    let url = leaking(dir, "hunter2")?;
    launch.add_stream("program", &url);
    Ok(())
}

async fn sighup(rig: &mut ProgramRig) -> Result<Findings> {
    let processes = Processes::of_program(rig).await?;
    let ended = rig.end_by(Signal::HUP).await?;
    processes.ended().await?;
    Ok(Findings::seen(ended.in_order()?))
}

async fn sigkill(rig: &mut ProgramRig) -> Result<Findings> {
    let processes = Processes::of_program(rig).await?;
    rig.end_by(Signal::KILL).await?;
    processes.ended().await?;
    Ok(Findings::seen("program and child are gone"))
}

async fn idle(rig: &mut ProgramRig) -> Result<Findings> {
    let processes = Processes::of_program(rig).await?;
    last(30).await;
    for (what, id) in processes.0 {
        ensure!(proc::is_running(id), "{what} ended before the relay");
    }
    sigkill(rig).await
}

async fn placeholder(rig: &mut RelayRig) -> Result<Findings> {
    // The relay keeps the helper that it starts with its first program. That is not a leak.
    rig.stream(&program(&rig.dir, "exit 1")?).await?;
    let what = "the program has failed";
    rig.until(what, secs(5), |now| now.last_error.is_some())
        .await?;
    rig.stop_stream(FAULTY).await?;
    rig.begin().await?;
    let other_log = rig.dir.join("program-secrets-other.log");
    let mut other = Relay::launch(&Launch::default(), &other_log).await?;
    // The placeholders may differ in the second that they show, so there are several attempts.
    for _ in 0..4 {
        let [first, second] = ["hunter2", "swordf1"]
            .map(|secret| leaking(&rig.dir, secret).map(|url| Start::of(FAULTY, url)));
        let one = rig.start_stream(first?).await?;
        let two = other.start_stream(second?).await?;
        let mut seen = Vec::new();
        for addr in [one, two] {
            let mut viewer = Viewer::open(addr, "/").await?;
            seen.push(viewer.next_frame().await?.context("the response ended")?);
        }
        let is_placeholder = |picture: &Bytes| jpeg::number_of(picture).is_none();
        ensure!(
            seen.iter().all(is_placeholder),
            "a viewer sees a picture of a program that sends none"
        );
        let said = format!("{:?}{:?}", rig.status().await?, other.status(FAULTY).await?);
        ensure!(
            !said.contains("hunter2") && !said.contains("swordf1"),
            "a state contains a password: {said}"
        );
        if seen[0] == seen[1] {
            other.end().await?;
            return Ok(Findings::seen("both show the same placeholder"));
        }
        rig.stop_stream(FAULTY).await?;
        other.stop_stream(FAULTY).await?;
    }
    bail!("the placeholder depends on the password")
}

async fn log(rig: &mut ProgramRig) -> Result<Findings> {
    let what = "the relay logs the end of the program";
    let look = async || Ok(Some(rig.said()?).filter(|said| said.contains("offline")));
    let said = wait::until(what, secs(5), look).await?;
    let line = said.lines().find(|line| line.contains("offline"));
    let line = line.unwrap_or_default().escape_debug().to_string();
    ensure!(!said.contains("hunter2"), "a password is logged: {line}");
    ensure!(
        !said.contains(is_control),
        "a control character is logged: {line}"
    );
    Ok(Findings::seen(line))
}

/// Whether a character can change how a terminal shows other text.
fn is_control(c: char) -> bool {
    let is_bidi =
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidi || c.is_control() && c != '\n'
}

/// The URL of a program that fails, and before that writes control characters and this password, in
/// the ways in which programs do.
fn leaking(dir: &Path, secret: &str) -> Result<String> {
    let script = format!(
        "printf 'open rtsp://me:{secret}@camera/1 pwd={secret}&x=1\\n\
         Authorization: Basic {secret}\\n\
         \\033[31mred\\033]0;title\\007 \\342\\200\\256 \\302\\233 password: {secret}\\000\\n' >&2
         exit 1"
    );
    program(dir, &script)
}

/// The URL of a program that runs this shell script.
fn program(dir: &Path, script: &str) -> Result<String> {
    let path = dir.join(format!("{:016x}.sh", fastrand::u64(..)));
    fs::write(&path, script)?;
    Ok(format!("exec:sh {}", path.display()))
}

/// The processes of a source: the program and its child. Those that still run when this is dropped
/// are killed, so that a failed case leaves none behind.
struct Processes([(&'static str, u32); 2]);

impl Processes {
    /// Waits until both run.
    async fn of_program(rig: &ProgramRig) -> Result<Self> {
        let path = rig.launch.env.get(IDS).context("the case has no program")?;
        let look = async || {
            let text = fs::read_to_string(path).unwrap_or_default();
            let mut ids = text.split_whitespace().map(str::parse);
            let (Some(Ok(program)), Some(Ok(child))) = (ids.next(), ids.next()) else {
                return Ok(None);
            };
            Ok(Some(Self([("the program", program), ("its child", child)])))
        };
        wait::until("the program and its child run", secs(5), look).await
    }

    /// Waits until both have ended.
    async fn ended(&self) -> Result<()> {
        for (what, id) in self.0 {
            let has_ended = async || Ok((!proc::is_running(id)).then_some(()));
            wait::until(format!("{what} ends too"), secs(2), has_ended).await?;
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, id) in self.0.iter().filter(|(_, id)| proc::is_running(*id)) {
            if let Some(id) = i32::try_from(*id).ok().and_then(Pid::from_raw) {
                // Fails if it has ended meanwhile.
                let _ = kill_process(id, Signal::KILL);
            }
        }
    }
}

/// The environment variable that names the file with the process IDs.
const IDS: &str = "MJPEG_FAULTS_IDS";
