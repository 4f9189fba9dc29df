//! One viewer reads one row: the relay starts, the viewer connects, the camera sends, the relay ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;

use super::parsers::{self, Recorder};
use super::rows::{FRAMES, Prepared};
use super::viewers::{Habit, Kind, Viewer};
use super::{Kit, open_folder};
use crate::compat::camera::{Camera, Connection};
use crate::compat::relay::Relay;
use crate::compat::table::Cell;

/// What a viewer is started with.
pub(crate) struct Session {
    pub(crate) url: String,
    /// Its own, empty at first.
    pub(crate) folder: PathBuf,
    /// The Python that has the modules.
    pub(crate) python: String,
    pub(crate) root: bool,
}

impl Session {
    pub(super) fn run(kit: &Kit, row: &Prepared, viewer: &Viewer, attempt: usize) -> Result<Cell> {
        let name = format!("{}-{}-{attempt}", row.row.word, viewer.name).replace(' ', "-");
        let folder = kit.folder.join(name);
        open_folder(&folder)?;
        let (relay, camera) = start(kit, &folder)?;
        let session = Self {
            url: format!("http://{}{}", relay.addr(), row.row.path),
            folder,
            python: kit.machine.python.clone(),
            root: kit.machine.root,
        };
        let silence = match viewer.habit {
            Habit::RepeatsLate => LONG_SILENCE,
            Habit::None | Habit::Repeats => SILENCE,
        };
        let saw = match &viewer.kind {
            Kind::Program { command, collect } => {
                let mut program = Program::start(command(&session)?, &session.folder)?;
                connected(&relay, || program.ended())?;
                play(row, camera, silence)?;
                relay.end()?;
                let end = program.wait()?;
                let mut saw = collect(&session)?;
                if !end.success() {
                    saw.complaints.push(format!("it ended with {end}"));
                }
                saw
            }
            Kind::Parser { command, script } => {
                let recorder = Recorder::start(relay.addr(), row.row.path)?;
                connected(&relay, || Ok(None))?;
                play(row, camera, silence)?;
                relay.end()?;
                let bodies = [recorder.finish()?];
                parsers::run(command, &kit.parsers.join(script), &bodies)?
            }
            Kind::Stills { command, script } => {
                let bodies = stills(row, camera, &relay)?;
                parsers::run(command, &kit.parsers.join(script), &bodies)?
            }
        };
        let score = row
            .judge
            .score(saw.jpegs.iter().map(|jpeg| &jpeg[..]), viewer.fidelity);
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
        Ok(Cell::Measured {
            good: score.good.len(),
            of: FRAMES as usize,
            notes,
            remark: missed(&score.good),
        })
    }
}

/// Which of the pictures were not seen, if some were.
fn missed(seen: &[u32]) -> Option<String> {
    let missed = (0..FRAMES).filter(|number| !seen.contains(number));
    let missed: Vec<String> = missed.map(|number| number.to_string()).collect();
    let some = !missed.is_empty() && !seen.is_empty();
    some.then(|| format!("missed {} of 0 to {}", missed.join(", "), FRAMES - 1))
}

/// The beginning of what the relay sends to somebody who asks for this row, the first picture in it.
pub(super) fn sample(kit: &Kit, row: &Prepared) -> Result<Bytes> {
    let folder = kit.folder.join(format!("{}-sample", row.row.word));
    open_folder(&folder)?;
    let (relay, mut camera) = start(kit, &folder)?;
    let recorder = Recorder::start(relay.addr(), row.row.path)?;
    connected(&relay, || Ok(None))?;
    camera.send(&row.shots[0])?;
    sleep(SETTLED);
    relay.end()?;
    Ok(recorder.finish()?.reads.concat().into())
}

fn start(kit: &Kit, folder: &Path) -> Result<(Relay, Connection)> {
    let camera = Camera::listen()?;
    let relay = Relay::start(&kit.program, camera.addr()?, &kit.relay_arguments, folder)?;
    let connection = camera.accept()?;
    Ok((relay, connection))
}

/// Waits until somebody has asked the relay for the stream.
fn connected(relay: &Relay, mut ended: impl FnMut() -> Result<Option<String>>) -> Result<()> {
    let start = Instant::now();
    while relay.connections()? == 0 {
        if let Some(how) = ended()? {
            bail!("it ended before it had connected: {how}");
        }
        if start.elapsed() > CONNECT_LIMIT {
            bail!("it did not connect within {CONNECT_LIMIT:?}");
        }
        sleep(Duration::from_millis(10));
    }
    // The request comes right behind the connection.
    sleep(SETTLED);
    Ok(())
}

/// Sends all pictures, then nothing for as long as viewers may take to see the last.
fn play(row: &Prepared, mut camera: Connection, silence: Duration) -> Result<()> {
    for shot in &row.shots {
        let start = Instant::now();
        camera.send(shot)?;
        sleep(row.row.interval().saturating_sub(start.elapsed()));
    }
    sleep(silence);
    Ok(())
}

/// Somebody comes for a still behind each picture.
fn stills(row: &Prepared, mut camera: Connection, relay: &Relay) -> Result<Vec<parsers::Body>> {
    let mut bodies = Vec::new();
    for shot in &row.shots {
        camera.send(shot)?;
        sleep(PUBLISHED);
        let recorder = Recorder::start(relay.addr(), row.row.path)?;
        sleep(SETTLED);
        bodies.push(recorder.leave()?);
    }
    Ok(bodies)
}

/// A program that runs, killed when dropped.
struct Program {
    child: Child,
    folder: PathBuf,
}

impl Program {
    fn start(mut command: Command, folder: &Path) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("stdout"))?)
            .stderr(File::create(folder.join("stderr"))?);
        let child = command.spawn();
        let child = child.with_context(|| format!("starting {:?}", command.get_program()))?;
        Ok(Self {
            child,
            folder: folder.to_owned(),
        })
    }

    /// How it ended, if it has.
    fn ended(&mut self) -> Result<Option<String>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let stderr = fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
        Ok(Some(format!("{status}; {}", stderr.trim())))
    }

    /// Waits for its end, which the end of the response should bring.
    fn wait(mut self) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > END_LIMIT {
                bail!("it still runs {END_LIMIT:?} after the end of the stream");
            }
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// After that, the relay has a picture, and whoever comes gets it.
const PUBLISHED: Duration = Duration::from_millis(150);
const SETTLED: Duration = Duration::from_millis(400);
const SILENCE: Duration = Duration::from_millis(1500);
/// So that the relay repeats the last picture once, which it does after 5 s.
const LONG_SILENCE: Duration = Duration::from_millis(6500);
/// Shorter than the 10 s after which the relay gives up a silent camera.
const CONNECT_LIMIT: Duration = Duration::from_secs(9);
const END_LIMIT: Duration = Duration::from_secs(10);
