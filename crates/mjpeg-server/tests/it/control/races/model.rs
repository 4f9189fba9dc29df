//! What the relay should be: files, what was read of them, and what holds for this run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use crate::control::Answer;

/// The keys of a stream, without its name.
pub(super) type Keys = Map<String, Value>;

/// A stream of the API, or of somebody, in a file of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredFile {
    pub(super) is_of_api: bool,
    pub(super) keys: Keys,
}

/// What a relay is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Model {
    /// The main file: its streams, and whether it can be read.
    pub(super) main: BTreeMap<String, Keys>,
    pub(super) is_broken: bool,
    pub(super) files: BTreeMap<String, StoredFile>,
    /// As they were read last: whether the API wrote it, and the keys.
    read: BTreeMap<String, (bool, Keys)>,
    run: BTreeMap<String, ForThisRun>,
    pub(super) paused: BTreeSet<String>,
    /// How often it was started again.
    pub(super) boot: u32,
}

#[derive(Clone, Debug, PartialEq)]
struct ForThisRun {
    /// `None` if it is gone.
    keys: Option<Keys>,
    /// What was read of it.
    replaces: Option<Keys>,
}

/// What a version stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Version {
    pub(super) boot: u32,
    pub(super) name: String,
    pub(super) origin: String,
    pub(super) keys: Keys,
}

/// Something that a client or a person does.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Set {
        name: String,
        mode: Mode,
        persist: bool,
        keys: Keys,
        condition: Condition,
    },
    Remove {
        name: String,
        persist: bool,
        condition: Condition,
    },
    Steer {
        name: String,
        pauses: bool,
    },
    Reload {
        dry_run: bool,
    },
    HangUp,
    Edit(Edit),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    Create { start: &'static str },
    Replace,
    Merge,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    None,
    Exists,
    Absent,
    Tag(String),
}

/// A change of a file by hand.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Main {
        streams: BTreeMap<String, Keys>,
        is_broken: bool,
    },
    Stored {
        name: String,
        file: Option<StoredFile>,
    },
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// 0 where nothing is answered.
    status: u16,
    code: String,
    pub(super) tag: Option<String>,
    pub(super) version: Option<Version>,
}

impl Op {
    /// Whether a line is logged when it has ended.
    pub(super) fn is_reload(&self) -> bool {
        matches!(self, Self::HangUp | Self::Reload { dry_run: false })
    }
}

impl Condition {
    pub(super) fn header(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Exists => "If-Match: *\r\n".into(),
            Self::Absent => "If-None-Match: *\r\n".into(),
            Self::Tag(tag) => format!("If-Match: \"{tag}\"\r\n"),
        }
    }
}

impl Outcome {
    pub(super) fn of(answer: &Answer, boot: u32) -> Self {
        let etag = answer.etag.as_deref();
        let tag = etag.map(|tag| tag.trim_matches('"').to_owned());
        let keys = answer.json["config"].as_object();
        let text = |key: &str| answer.json[key].as_str().unwrap_or_default().to_owned();
        let version = keys.map(|keys| Version {
            boot,
            name: text("name"),
            origin: text("origin"),
            keys: keys.clone(),
        });
        Self {
            status: answer.status,
            code: answer.code().into(),
            tag,
            version,
        }
    }

    fn done(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    fn refused(status: u16, code: &str) -> Self {
        Self {
            status,
            code: code.into(),
            ..Self::default()
        }
    }

    /// Whether this is what is expected, whatever the version is called.
    pub(super) fn allows(&self, answered: &Self) -> bool {
        let named = Self {
            tag: answered.tag.clone(),
            ..self.clone()
        };
        named == *answered && answered.tag.is_some() == answered.version.is_some()
    }
}

impl Model {
    /// A stream as it runs: who has set it, and its keys.
    pub(super) fn running(&self, name: &str) -> Option<(&'static str, &Keys)> {
        match self.run.get(name) {
            Some(run) => Some(("run", run.keys.as_ref()?)),
            None => self.read.get(name).map(|(is_of_api, keys)| {
                let origin = if *is_of_api { "api" } else { "file" };
                (origin, keys)
            }),
        }
    }

    pub(super) fn names(&self) -> BTreeSet<&str> {
        let names = self.run.keys().chain(self.read.keys());
        let names = names.map(|name| &**name);
        names.filter(|name| self.running(name).is_some()).collect()
    }

    /// Whether what is on the disk can be read.
    pub(super) fn is_valid(&self) -> bool {
        !self.is_broken && !self.files.keys().any(|name| self.main.contains_key(name))
    }

    /// Starts again with what is on the disk.
    pub(super) fn restart(&mut self) {
        self.run.clear();
        self.paused.clear();
        self.boot += 1;
        self.reload();
    }

    pub(super) fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Main { streams, is_broken } => {
                self.main.clone_from(streams);
                self.is_broken = *is_broken;
            }
            Edit::Stored { name, file } => match file {
                Some(file) => drop(self.files.insert(name.clone(), file.clone())),
                None => drop(self.files.remove(name)),
            },
        }
    }

    /// Does it, and returns what is to be answered.
    pub(super) fn apply(&mut self, op: &Op, tags: &HashMap<String, Version>) -> Outcome {
        let outcome = match op {
            Op::Set {
                name, condition, ..
            }
            | Op::Remove {
                name, condition, ..
            } if !self.holds(name, condition, tags) => Outcome::refused(412, "precondition_failed"),
            Op::Set {
                name,
                mode,
                persist,
                keys,
                ..
            } => self.set(name, *mode, *persist, keys),
            Op::Remove { name, persist, .. } => self.remove(name, *persist),
            Op::Steer { name, pauses } => self.steer(name, *pauses),
            Op::Reload { .. } if !self.is_valid() => Outcome::refused(422, "invalid_spec"),
            Op::Reload { dry_run } => {
                if !dry_run {
                    self.reload();
                }
                Outcome::done(200)
            }
            Op::HangUp => {
                if self.is_valid() {
                    self.reload();
                }
                Outcome::default()
            }
            Op::Edit(edit) => {
                self.edit(edit);
                Outcome::default()
            }
        };
        let gone = |name: &String| self.running(name).is_none();
        let gone: Vec<String> = self
            .paused
            .iter()
            .filter(|name| gone(name))
            .cloned()
            .collect();
        for name in gone {
            self.paused.remove(&name);
        }
        outcome
    }

    fn holds(&self, name: &str, condition: &Condition, tags: &HashMap<String, Version>) -> bool {
        let running = self.running(name);
        match condition {
            Condition::None => true,
            Condition::Exists => running.is_some(),
            Condition::Absent => running.is_none(),
            Condition::Tag(tag) => tags.get(tag).is_some_and(|version| {
                (version.boot, &*version.name) == (self.boot, name)
                    && running == Some((&*version.origin, &version.keys))
            }),
        }
    }

    fn set(&mut self, name: &str, mode: Mode, persist: bool, new: &Keys) -> Outcome {
        let running = self.running(name).map(|(_, keys)| keys.clone());
        let is_new = running.is_none();
        let base = match (mode, &running) {
            (Mode::Create { .. }, Some(_)) => return Outcome::refused(409, "already_exists"),
            (Mode::Merge, None) => return Outcome::refused(404, "not_found"),
            (Mode::Merge, Some(keys)) => keys.clone(),
            _ => Keys::new(),
        };
        if new.contains_key("colour") {
            return Outcome::refused(422, "invalid_spec");
        }
        let mut keys = base;
        for (key, value) in new {
            match value {
                Value::Null => drop(keys.remove(key)),
                value => drop(keys.insert(key.clone(), value.clone())),
            }
        }
        if persist && !self.may_store(name) {
            return Outcome::refused(409, "defined_in_file");
        }
        // Also if it was not read since.
        if persist && self.main.contains_key(name) {
            return Outcome::refused(409, "already_exists");
        }
        if keys.get("max_fps").is_some_and(Value::is_string) {
            return Outcome::refused(422, "invalid_spec");
        }
        if persist {
            self.run.remove(name);
            self.read.insert(name.into(), (true, keys.clone()));
            let file = StoredFile {
                is_of_api: true,
                keys,
            };
            self.files.insert(name.into(), file);
        } else {
            self.hold(name, Some(keys));
        }
        let (origin, keys) = self.running(name).expect("it was set");
        Outcome {
            version: Some(Version {
                boot: self.boot,
                name: name.into(),
                origin: origin.into(),
                keys: keys.clone(),
            }),
            ..Outcome::done(if is_new { 201 } else { 200 })
        }
    }

    /// Whether the API may write the file of a stream.
    fn may_store(&self, name: &str) -> bool {
        let file = self.files.get(name);
        match self.read.get(name) {
            Some((is_of_api, _)) => *is_of_api && file.is_none_or(|file| file.is_of_api),
            None => file.is_none(),
        }
    }

    fn remove(&mut self, name: &str, persist: bool) -> Outcome {
        if self.running(name).is_none() {
            return Outcome::refused(404, "not_found");
        }
        let is_only_of_run = self.run.get(name).is_some_and(|run| run.replaces.is_none());
        if !persist || is_only_of_run {
            self.hold(name, None);
        } else if self.may_store(name) {
            self.files.remove(name);
            self.read.remove(name);
            self.run.remove(name);
        } else {
            return Outcome::refused(409, "defined_in_file");
        }
        Outcome::done(204)
    }

    /// Sets a stream for this run.
    fn hold(&mut self, name: &str, keys: Option<Keys>) {
        let replaces = match self.run.remove(name) {
            Some(run) => run.replaces,
            None => self.read.get(name).map(|(_, keys)| keys.clone()),
        };
        if keys.is_some() || replaces.is_some() {
            self.run.insert(name.into(), ForThisRun { keys, replaces });
        }
    }

    fn steer(&mut self, name: &str, pauses: bool) -> Outcome {
        if self.running(name).is_none() {
            return Outcome::refused(404, "not_found");
        }
        match pauses {
            true => drop(self.paused.insert(name.into())),
            false => drop(self.paused.remove(name)),
        }
        Outcome::done(204)
    }

    fn reload(&mut self) {
        let main = self.main.iter();
        let main = main.map(|(name, keys)| (name.clone(), (false, keys.clone())));
        let files = self.files.iter();
        let files = files.map(|(name, file)| (name.clone(), (file.is_of_api, file.keys.clone())));
        self.read = main.chain(files).collect();
        let read = &self.read;
        // It holds until a file says something else of it.
        self.run
            .retain(|name, run| read.get(name).map(|(_, keys)| keys) == run.replaces.as_ref());
    }
}

/// A stream as a file holds it.
pub(super) fn text(name: &str, keys: &Keys) -> String {
    let keys = keys.iter().map(|(key, value)| format!("{key} = {value}\n"));
    format!(
        "[[streams]]\nname = \"{name}\"\n{}",
        keys.collect::<String>()
    )
}
