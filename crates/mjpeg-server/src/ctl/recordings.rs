//! What the relay keeps on its disk: `timelapse` and `clip`.

use std::time::{Duration, SystemTime};

use http::Method;
use mjpeg_manager::mjpeg_ingest::format_duration;
use serde_json::{Map, Value};

use super::{
    client::{ApiClient, encoded},
    download::download,
    failure::CtlFailure,
    fields::{field, items, size, time},
    on_request::{finish, frame},
    screen::{Screen, notice},
    table::{TextTable, Title},
};
use crate::cli::ctl::recordings::{
    ClipCommand, GetRecording, KeepClip, StartTimelapse, TimelapseCommand,
};

/// Does this with time-lapses. Without a command, lists them.
pub(super) async fn timelapse(
    client: &mut ApiClient,
    screen: &Screen,
    command: Option<&TimelapseCommand>,
) -> Result<(), CtlFailure> {
    use TimelapseCommand::{Finish, Frame, Get, List, Remove, Start};
    const PATH: &str = "/timelapses";
    match command {
        None | Some(List) => list(client, screen, ListedKind::Timelapse).await,
        Some(Start(args)) => start(client, screen, args).await,
        Some(Frame(args)) => frame(client, screen, args).await,
        Some(Finish(args)) => finish(client, screen, args).await,
        Some(Get(args)) => {
            let fps = args.fps.map(|fps| format!("?fps={fps}"));
            let query = fps.unwrap_or_default();
            get(client, screen, PATH, &args.recording, &query).await
        }
        Some(Remove(args)) => remove(client, screen, PATH, &args.id).await,
    }
}

/// Does this with clips. Without a command, lists them.
pub(super) async fn clip(
    client: &mut ApiClient,
    screen: &Screen,
    command: Option<&ClipCommand>,
) -> Result<(), CtlFailure> {
    const PATH: &str = "/clips";
    match command {
        None | Some(ClipCommand::List) => list(client, screen, ListedKind::Clip).await,
        Some(ClipCommand::Keep(args)) => keep(client, screen, args).await,
        Some(ClipCommand::Get(args)) => get(client, screen, PATH, args, "").await,
        Some(ClipCommand::Remove(args)) => remove(client, screen, PATH, &args.id).await,
    }
}

async fn start(
    client: &mut ApiClient,
    screen: &Screen,
    args: &StartTimelapse,
) -> Result<(), CtlFailure> {
    let mut wanted = Map::new();
    wanted.insert("stream".into(), args.name.as_str().into());
    if let Some(every) = args.every {
        wanted.insert("every_s".into(), every.0.as_secs_f64().into());
    }
    if let Some(title) = &args.title {
        wanted.insert("title".into(), title.as_str().into());
    }
    if let Some(until) = args.until {
        let until = until.from(SystemTime::now());
        let until = until.ok_or_else(|| CtlFailure::Usage("--until is too late".into()))?;
        wanted.insert("until".into(), until.to_string().into());
    }
    if let Some(frames) = args.max_frames {
        wanted.insert("max_frames".into(), frames.into());
    }
    if let Some(fps) = args.fps {
        wanted.insert("fps".into(), fps.into());
    }
    let started = client
        .send(Method::POST, "/timelapses", Some(&wanted.into()))
        .await?;
    if screen.is_json {
        return screen.json(&started);
    }
    let (id, every) = (field(&started, "id"), every(&started));
    let pace = match every.as_str() {
        ON_REQUEST => "a frame whenever \"frame\" asks for it".into(),
        every => format!("a frame every {every}"),
    };
    screen.whole_line(&format!("{id} is running: {pace}"))
}

async fn keep(client: &mut ApiClient, screen: &Screen, args: &KeepClip) -> Result<(), CtlFailure> {
    let mut wanted = Map::new();
    wanted.insert("stream".into(), args.name.as_str().into());
    wanted.insert("from".into(), args.from.as_str().into());
    if let Some(to) = &args.to {
        wanted.insert("to".into(), to.as_str().into());
    }
    if let Some(title) = &args.title {
        wanted.insert("title".into(), title.as_str().into());
    }
    let kept = client
        .send(Method::POST, "/clips", Some(&wanted.into()))
        .await?;
    if screen.is_json {
        return screen.json(&kept);
    }
    let (id, frames) = (field(&kept, "id"), field(&kept, "frames"));
    screen.whole_line(&format!(
        "{id} is kept: {frames} frames, {}",
        bytes(&kept, "bytes")
    ))
}

async fn get(
    client: &mut ApiClient,
    screen: &Screen,
    path: &str,
    args: &GetRecording,
    query: &str,
) -> Result<(), CtlFailure> {
    let (id, ending) = (encoded(&args.recording.id), args.format.ending());
    let path = format!("{path}/{id}/movie.{ending}{query}");
    download(client, screen, &path, args).await
}

async fn remove(
    client: &mut ApiClient,
    screen: &Screen,
    path: &str,
    id: &str,
) -> Result<(), CtlFailure> {
    let path = format!("{path}/{}", encoded(id));
    client.send(Method::DELETE, &path, None).await?;
    screen.done(&format!("{id} is removed"))
}

/// What is listed.
#[derive(Clone, Copy, Debug)]
enum ListedKind {
    Timelapse,
    Clip,
}

/// Lists those of a kind, what is wrong with them, and how much room there is.
async fn list(client: &mut ApiClient, screen: &Screen, kind: ListedKind) -> Result<(), CtlFailure> {
    let (key, titles) = match kind {
        ListedKind::Timelapse => ("timelapses", TIMELAPSES),
        ListedKind::Clip => ("clips", CLIPS),
    };
    let answer = client.get(&format!("/{key}")).await?;
    if screen.is_json {
        return screen.json(&answer);
    }
    if answer.get(key).is_none_or(|list| !list.is_array()) {
        return Err(CtlFailure::BadAnswer(format!("the answer has no {key}")));
    }
    let mut table = TextTable::new(titles);
    for recording in items(&answer, key) {
        match kind {
            ListedKind::Timelapse => table.push(timelapse_cells(recording)),
            ListedKind::Clip => table.push(clip_cells(recording)),
        }
    }
    match items(&answer, key).next() {
        Some(_) => screen.table(&table)?,
        None => notice(&format!("there are no {key}")),
    }
    for recording in items(&answer, key) {
        let problem = field(recording, "problem");
        if !problem.is_empty() {
            let id = field(recording, "id");
            notice(&format!("warning: {id}: no frame could be kept: {problem}"));
        }
    }
    for damaged in items(&answer, "damaged") {
        let (id, reason) = (field(damaged, "id"), field(damaged, "reason"));
        notice(&format!("warning: {id} is damaged: {reason}"));
    }
    if answer.get("quota_bytes").is_some_and(Value::is_number) {
        let (used, quota) = (bytes(&answer, "used_bytes"), bytes(&answer, "quota_bytes"));
        notice(&format!("{used} of {quota} used"));
    }
    Ok(())
}

fn timelapse_cells(it: &Value) -> [String; 8] {
    let state = match field(it, "reason") {
        reason if reason.is_empty() => field(it, "state"),
        reason => format!("{}: {reason}", field(it, "state")),
    };
    let frames = match field(it, "max_frames") {
        most if most.is_empty() => field(it, "frames"),
        most => format!("{}/{most}", field(it, "frames")),
    };
    [
        field(it, "id"),
        field(it, "stream"),
        state,
        frames,
        bytes(it, "bytes"),
        every(it),
        time(it, "last"),
        field(it, "title"),
    ]
}

fn clip_cells(it: &Value) -> [String; 6] {
    [
        field(it, "id"),
        field(it, "stream"),
        field(it, "frames"),
        bytes(it, "bytes"),
        time(it, "created"),
        field(it, "title"),
    ]
}

/// The time between two frames.
fn every(timelapse: &Value) -> String {
    let seconds = timelapse.get("every_s").and_then(Value::as_f64);
    let every = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    every.map_or_else(|| ON_REQUEST.into(), format_duration)
}

fn bytes(object: &Value, name: &str) -> String {
    let count = object.get(name).and_then(Value::as_u64);
    count.map(size).unwrap_or_default()
}

const ON_REQUEST: &str = "request";

const TIMELAPSES: &[Title] = &[
    Title::Text("ID"),
    Title::Text("STREAM"),
    Title::Text("STATE"),
    Title::Number("FRAMES"),
    Title::Number("SIZE"),
    Title::Text("EVERY"),
    Title::Text("LAST (UTC)"),
    Title::Text("TITLE"),
];

const CLIPS: &[Title] = &[
    Title::Text("ID"),
    Title::Text("STREAM"),
    Title::Number("FRAMES"),
    Title::Number("SIZE"),
    Title::Text("KEPT (UTC)"),
    Title::Text("TITLE"),
];
