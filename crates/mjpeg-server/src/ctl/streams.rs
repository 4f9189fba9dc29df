//! What changes streams: `add`, `set`, `remove`, `pause`, `resume`, `retry`.

use std::path::Path;

use http::Method;
use serde_json::Value;

use super::{
    client::{ApiClient, encoded},
    credentials::secret,
    failure::CtlFailure,
    fields::{field, items, text},
    keys::parsed,
    screen::{Screen, notice},
};
use crate::{
    cli::ctl::{CtlAdd, CtlSet, StorageArguments},
    probe::text::rendered,
};

/// Adds a stream, and shows how it is.
pub(super) async fn add(
    client: &mut ApiClient,
    screen: &Screen,
    args: &CtlAdd,
) -> Result<(), CtlFailure> {
    let mut keys = parsed(&args.keys.keys)?;
    if let Some((key, _)) = keys.iter().find(|(_, value)| value.is_null()) {
        return Err(CtlFailure::Usage(format!(
            "{key}= removes a key; a new stream has none"
        )));
    }
    let source = match args.source.as_str() {
        "-" => secret(Path::new("-"))?,
        source => source.into(),
    };
    let mut given = vec![
        ("name", Value::from(args.name.as_str())),
        ("source", source.into()),
    ];
    if args.retry {
        given.push(("start", "retry".into()));
    }
    for (key, value) in given {
        if keys.insert(key.into(), value).is_some() {
            return Err(CtlFailure::Usage(format!("{key} is given twice")));
        }
    }
    let mut path = format!("/streams{}", set_query(&args.storage, args.dry_run));
    if args.cluster {
        path += if args.dry_run {
            "&cluster=true"
        } else {
            "?cluster=true"
        };
    }
    let added = client.send(Method::POST, &path, Some(&keys.into())).await?;
    match args.dry_run {
        true => checked(screen, &added, &format!("{} can be added", args.name)),
        false => shown(screen, &added, "added"),
    }
}

/// Changes keys of a stream.
pub(super) async fn set(
    client: &mut ApiClient,
    screen: &Screen,
    args: &CtlSet,
) -> Result<(), CtlFailure> {
    let keys = parsed(&args.keys.keys)?;
    if keys.is_empty() {
        return Err(CtlFailure::Usage("say what to set: KEY=VALUE".into()));
    }
    let path = format!(
        "/streams/{}{}",
        encoded(&args.stream.name),
        set_query(&args.storage, args.dry_run)
    );
    let stream = client
        .send(Method::PATCH, &path, Some(&keys.into()))
        .await?;
    match args.dry_run {
        true => {
            let done = format!("{} can be changed", args.stream.name);
            checked(screen, &stream, &done)
        }
        false => shown(screen, &stream, "changed"),
    }
}

/// Says what the camera of a stream is.
pub(super) async fn probe(
    client: &mut ApiClient,
    screen: &Screen,
    name: &str,
) -> Result<(), CtlFailure> {
    let path = format!("/streams/{}/probe", encoded(name));
    let report = client.send(Method::POST, &path, None).await?;
    if screen.is_json {
        return screen.json(&report);
    }
    let text = rendered(&report);
    let mut lines = text.lines();
    lines.try_for_each(|line| screen.whole_line(line))
}

/// What is done to one stream of several.
#[derive(Clone, Copy, Debug)]
pub(super) enum StreamAction<'a> {
    Remove(&'a StorageArguments),
    Pause,
    Resume,
    Retry,
}

/// Does this to a stream.
pub(super) async fn act(
    client: &mut ApiClient,
    screen: &Screen,
    action: StreamAction<'_>,
    name: &str,
) -> Result<(), CtlFailure> {
    let path = format!("/streams/{}", encoded(name));
    let (method, path, done) = match action {
        StreamAction::Remove(storage) => (Method::DELETE, path + query(storage), "removed"),
        StreamAction::Pause => (Method::POST, path + "/pause", "paused"),
        StreamAction::Resume => (Method::POST, path + "/resume", "resumed"),
        StreamAction::Retry => (Method::POST, path + "/retry", "being tried again"),
    };
    client.send(method, &path, None).await?;
    screen.done(&format!("{name} is {done}"))
}

fn shown(screen: &Screen, stream: &Value, done: &str) -> Result<(), CtlFailure> {
    if screen.is_json {
        return screen.json(stream);
    }
    warn(stream);
    let (name, state) = (field(stream, "name"), field(stream, "state"));
    screen.line(&format!("{name} is {done}; {state}"))
}

/// Shows that something could be done.
fn checked(screen: &Screen, stream: &Value, done: &str) -> Result<(), CtlFailure> {
    if screen.is_json {
        return screen.json(stream);
    }
    warn(stream);
    screen.done(done)
}

fn warn(stream: &Value) {
    for warning in items(stream, "warnings") {
        notice(&format!("warning: {}", text(warning)));
    }
}

fn set_query(storage: &StorageArguments, dry_run: bool) -> String {
    let query = query(storage);
    match (dry_run, query) {
        (false, _) => query.into(),
        (true, "") => "?dry_run=true".into(),
        (true, _) => format!("{query}&dry_run=true"),
    }
}

fn query(storage: &StorageArguments) -> &'static str {
    match storage.no_persist {
        true => "?persist=false",
        false => "",
    }
}
