//! One viewer reads one row: the relay starts, the viewer connects, the camera sends its pictures,
//! the relay ends.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use kit::camera::Camera;
use kit::child::Child;

use crate::parsers::{self, Recorder};
use crate::relay::Relay;
use crate::rows::{FRAMES, Prepared, Shot};
use crate::setting::{Launch, Setting, open_folder};
use crate::table::{Cell, Outcome};
use crate::viewers::saw::Saw;
use crate::viewers::{Habit, Kind, Viewer};

/// Measures one viewer in one row, with a relay and a camera of its own.
pub(crate) fn run(
    setting: &Setting,
    row: &Prepared,
    viewer: &Viewer,
    attempt: usize,
) -> Result<Cell> {
    let name = format!("{}-{}-{attempt}", row.row.word, viewer.name).replace(' ', "-");
    let folder = setting.folder.join(name);
    open_folder(&folder)?;
    let (relay, camera) = start(setting, &folder)?;
    let path = row.row.path();
    let silence = match viewer.habit {
        Habit::RepeatsLate => LONG_SILENCE,
        Habit::None | Habit::Repeats => SILENCE,
    };
    let saw = match &viewer.kind {
        Kind::Program { command, collect } => {
            let launch = Launch {
                url: format!("http://{}{path}", relay.addr()),
                folder,
                machine: &setting.machine,
            };
            let mut program = start_program(command(&launch)?, &launch.folder)?;
            connected(&relay, || ended(&mut program, &launch.folder))?;
            play(row, camera, silence)?;
            relay.end()?;
            let end = program.ended_blocking(END_LIMIT);
            let end = end.context("after the end of the stream")?;
            let mut saw = collect(&launch)?;
            if !end.success() {
                saw.complaints.push(format!("it ended with {end}"));
            }
            saw
        }
        Kind::Script {
            command,
            script,
            stills,
        } => {
            let bodies = if *stills {
                request_stills(row, camera, &relay)?
            } else {
                let recorder = Recorder::start(relay.addr(), path)?;
                connected(&relay, || Ok(None))?;
                play(row, camera, silence)?;
                relay.end()?;
                vec![recorder.finish()?]
            };
            parsers::run(command, &setting.parsers.join(script), &bodies)?
        }
    };
    Ok(judged(row, viewer, saw))
}

/// Compares what a viewer saw with what the camera sent.
fn judged(row: &Prepared, viewer: &Viewer, saw: Saw) -> Cell {
    let jpegs = saw.jpegs.iter().map(|jpeg| &jpeg[..]);
    let score = row.judge.score(jpegs, viewer.fidelity);
    let (good, all) = (score.good.len(), FRAMES as usize);
    let mut notes = saw.complaints;
    if score.corrupt > 0 {
        notes.insert(0, format!("{} corrupt", score.corrupt));
    }
    if !score.good.is_sorted() {
        notes.push("out of order".to_owned());
    }
    if score.repeated > 0 && viewer.habit == Habit::None {
        notes.push(format!("{} seen twice", score.repeated));
    }
    let outcome = match (notes.is_empty(), good == all) {
        (true, true) => Outcome::Good,
        (true, false) => Outcome::Missed,
        (false, _) => Outcome::Wrong,
    };
    let mark = if notes.is_empty() { "" } else { " !" };
    notes.extend(missed(&score.good));
    Cell {
        outcome,
        short: format!("{good}/{all}{mark}"),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    }
}

/// Names the missed pictures if the viewer saw some, but not all.
fn missed(seen: &[u32]) -> Option<String> {
    let missed = (0..FRAMES).filter(|number| !seen.contains(number));
    let missed: Vec<String> = missed.map(|number| number.to_string()).collect();
    let some = !missed.is_empty() && !seen.is_empty();
    some.then(|| format!("missed {} of 0 to {}", missed.join(", "), FRAMES - 1))
}

/// The beginning of the relay's response to a viewer of this row, including the first picture.
pub(crate) fn sample(setting: &Setting, row: &Prepared) -> Result<Bytes> {
    let folder = setting.folder.join(format!("{}-sample", row.row.word));
    open_folder(&folder)?;
    let (relay, mut camera) = start(setting, &folder)?;
    let recorder = Recorder::start(relay.addr(), row.row.path())?;
    connected(&relay, || Ok(None))?;
    send(&mut camera, &row.shots[0])?;
    sleep(SETTLED);
    relay.end()?;
    Ok(recorder.finish()?.reads.concat().into())
}

fn start(setting: &Setting, folder: &Path) -> Result<(Relay, TcpStream)> {
    let camera = Camera::listen(Ipv4Addr::LOCALHOST.into())?;
    let arguments = &setting.relay_arguments;
    let relay = Relay::start(&setting.program, camera.addr()?, arguments, folder)?;
    let connection = camera.accept()?;
    Ok((relay, connection))
}

fn send(camera: &mut TcpStream, shot: &Shot) -> Result<()> {
    for (i, write) in shot.iter().enumerate() {
        if i > 0 {
            sleep(BETWEEN_WRITES);
        }
        let written = camera.write_all(write);
        written.context("the relay has left its camera")?;
    }
    Ok(())
}

/// Waits until a viewer has requested the stream. Fails early if `ended` says that it has ended.
fn connected(relay: &Relay, mut ended: impl FnMut() -> Result<Option<String>>) -> Result<()> {
    let start = Instant::now();
    while !relay.has_viewer()? {
        if let Some(how) = ended()? {
            bail!("it ended before it had connected: {how}");
        }
        if start.elapsed() > CONNECT_LIMIT {
            bail!("it did not connect within {CONNECT_LIMIT:?}");
        }
        sleep(Duration::from_millis(10));
    }
    // The request follows soon after the connection.
    sleep(SETTLED);
    Ok(())
}

/// Sends all pictures, and then nothing for a while: viewers may still be reading the last.
fn play(row: &Prepared, mut camera: TcpStream, silence: Duration) -> Result<()> {
    for shot in &row.shots {
        let start = Instant::now();
        send(&mut camera, shot)?;
        sleep(row.row.interval().saturating_sub(start.elapsed()));
    }
    sleep(silence);
    Ok(())
}

/// Makes a new request after each picture.
fn request_stills(
    row: &Prepared,
    mut camera: TcpStream,
    relay: &Relay,
) -> Result<Vec<parsers::Body>> {
    let mut bodies = Vec::new();
    for shot in &row.shots {
        send(&mut camera, shot)?;
        sleep(PUBLISHED);
        let recorder = Recorder::start(relay.addr(), row.row.path())?;
        sleep(SETTLED);
        bodies.push(recorder.leave()?);
    }
    Ok(bodies)
}

/// Starts a viewer whose output goes to files in `folder`.
fn start_program(mut command: Command, folder: &Path) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(File::create(folder.join("stdout"))?)
        .stderr(File::create(folder.join("stderr"))?);
    let name = command.get_program().display().to_string();
    Child::start(&mut command, name)
}

/// How a viewer ended, if it has.
fn ended(program: &mut Child, folder: &Path) -> Result<Option<String>> {
    let Some(status) = program.status()? else {
        return Ok(None);
    };
    let stderr = fs::read_to_string(folder.join("stderr")).unwrap_or_default();
    Ok(Some(format!("{status}; {}", stderr.trim())))
}

/// After this time the relay has published a picture, and new viewers get it.
const PUBLISHED: Duration = Duration::from_millis(150);
const SETTLED: Duration = Duration::from_millis(400);
const SILENCE: Duration = Duration::from_millis(1500);
/// Long enough for the relay to repeat the last picture once, which it does after 5 s.
const LONG_SILENCE: Duration = Duration::from_millis(6500);
/// Shorter than the 10 s after which the relay gives up on a silent camera.
const CONNECT_LIMIT: Duration = Duration::from_secs(9);
/// Long enough for the relay to read the previous write.
const BETWEEN_WRITES: Duration = Duration::from_millis(15);
const END_LIMIT: Duration = Duration::from_secs(10);
