//! A configuration in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use mjpeg_control::{
    Condition, Configurator, ConfiguredStream, EditMode, EditedStream, Error, ErrorCode, Reloaded,
    StreamEdit, StreamOrigin, StreamRemoval, Violation,
};
use mjpeg_manager::{Manager, StartMode, StreamName, StreamSpec};
use serde_json::{Map, Value, json};

/// Keeps streams for one run. Knows the keys `source`, `start` and `note`.
pub(crate) struct Memory {
    manager: Manager,
    streams: Mutex<BTreeMap<StreamName, ConfiguredStream>>,
    versions: AtomicU64,
    /// One change at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
    /// The changes that were asked for.
    pub(crate) changes: Mutex<Vec<StreamEdit>>,
    /// The changes that were only to be checked.
    pub(crate) checks: Mutex<Vec<StreamEdit>>,
    pub(crate) order: Mutex<Vec<StreamName>>,
}

impl Memory {
    pub(crate) fn new(manager: Manager) -> Self {
        Self {
            manager,
            streams: Mutex::default(),
            versions: AtomicU64::new(1),
            changing: tokio::sync::Mutex::default(),
            changes: Mutex::default(),
            checks: Mutex::default(),
            order: Mutex::default(),
        }
    }

    /// Says that a stream stands in a file of people.
    pub(crate) fn is_in_file(&self, name: &str) {
        let mut streams = self.streams.lock().unwrap();
        streams.get_mut(name).unwrap().origin = StreamOrigin::File;
    }

    fn check(&self, name: &StreamName, condition: &Condition, persist: bool) -> Result<(), Error> {
        let known = self.stream(name.as_str());
        if !condition.holds(known.as_ref().map(|stream| &*stream.version)) {
            let detail = "the stream is another version";
            return Err(Error::new(ErrorCode::PreconditionFailed, detail));
        }
        if persist && known.is_some_and(|stream| stream.origin == StreamOrigin::File) {
            let error = Error::new(ErrorCode::DefinedInFile, "it stands in a file");
            return Err(error.with_hint("change the file"));
        }
        Ok(())
    }
}

/// Passwords as `***`.
fn masked(source: &str) -> String {
    match (source.split_once("://"), source.split_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => source.into(),
    }
}

fn spec(name: &StreamName, keys: &Map<String, Value>) -> Result<StreamSpec, Error> {
    if let Some(key) = keys
        .keys()
        .find(|key| !["source", "start", "note"].contains(&&***key))
    {
        let violation = Violation::new("it is not known").with_key(key);
        return Err(
            Error::new(ErrorCode::InvalidSpec, "a key is not known").with_violation(violation)
        );
    }
    let source = keys
        .get("source")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let spec = StreamSpec::parse(name.as_str(), source);
    let spec = spec.map_err(mjpeg_manager::Error::from)?;
    let start = keys.get("start").and_then(Value::as_str);
    Ok(spec.with_mode(match start {
        Some("retry") => StartMode::Retry,
        _ => StartMode::Require,
    }))
}

#[async_trait]
impl Configurator for Memory {
    fn stream(&self, name: &str) -> Option<ConfiguredStream> {
        let mut stream = self.streams.lock().unwrap().get(name).cloned()?;
        if let Some(Value::String(source)) = stream.keys.get_mut("source") {
            *source = masked(source);
        }
        Some(stream)
    }

    fn order(&self) -> Vec<StreamName> {
        self.order.lock().unwrap().clone()
    }

    fn alias(&self, name: &str) -> Option<StreamName> {
        (name == "webcam").then(|| "door".parse().unwrap())
    }

    async fn set(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        self.changes.lock().unwrap().push(change.clone());
        let _changing = self.changing.lock().await;
        let StreamEdit {
            name,
            mode,
            keys,
            condition,
            persist,
            ..
        } = change;
        self.check(&name, &condition, persist)?;
        let before = self.streams.lock().unwrap().get(&name).cloned();
        let keys = match (mode, &before) {
            (EditMode::Create, Some(_)) => {
                let detail = format!("there is a stream named {name} already");
                return Err(Error::new(ErrorCode::AlreadyExists, detail));
            }
            (EditMode::Merge, None) => {
                return Err(Error::new(ErrorCode::NotFound, "there is no such stream"));
            }
            (EditMode::Merge, Some(before)) => {
                let mut merged = before.keys.clone();
                for (key, value) in keys {
                    match value {
                        Value::Null => merged.remove(&key),
                        value => merged.insert(key, value),
                    };
                }
                merged
            }
            _ => keys,
        };
        let spec = spec(&name, &keys)?;
        match before {
            Some(_) => self.manager.apply(spec).await?,
            None => self.manager.start(spec).await?,
        };
        let origin = match persist {
            true => StreamOrigin::Api,
            false => StreamOrigin::Run,
        };
        let version = self.versions.fetch_add(1, Ordering::Relaxed);
        let stream = ConfiguredStream::new(keys, origin, format!("v{version}"));
        let streams = || self.streams.lock().unwrap();
        streams().insert(name.clone(), stream);
        let stream = self.stream(name.as_str()).unwrap();
        Ok(EditedStream::new(stream, before.is_none()))
    }

    async fn check_edit(&self, change: StreamEdit) -> Result<EditedStream, Error> {
        let is_new = !self.streams.lock().unwrap().contains_key(&change.name);
        spec(&change.name, &change.keys)?;
        let mut stream = ConfiguredStream::new(change.keys.clone(), StreamOrigin::Api, "checked");
        stream.warnings.push("it is odd".into());
        self.checks.lock().unwrap().push(change);
        Ok(EditedStream::new(stream, is_new))
    }

    fn stream_schema(&self) -> Option<Value> {
        Some(json!({ "type": "object", "required": ["source"] }))
    }

    async fn remove(&self, removal: StreamRemoval) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let name = &removal.name;
        self.check(name, &removal.condition, removal.persist)?;
        self.manager.stop(name.as_str()).await?;
        self.streams.lock().unwrap().remove(name);
        Ok(())
    }

    async fn reload(&self, dry_run: bool) -> Result<Reloaded, Error> {
        let changes = match dry_run {
            true => vec!["stream yard: added".to_owned()],
            false => {
                let violation = Violation::new("it is not a number")
                    .with_key("linger")
                    .with_place("mjpeg.toml", 3, 10);
                let error = Error::new(ErrorCode::InvalidSpec, "the configuration has an error");
                return Err(error.with_violation(violation));
            }
        };
        Ok(Reloaded::new(changes))
    }

    async fn shown(&self) -> Result<Value, Error> {
        Ok(json!({ "listen": [{ "address": "[::]:8080" }] }))
    }
}
