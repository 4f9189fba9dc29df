//! What changes between two configurations.

mod lines;
mod outbound;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::keys;
use crate::config::{
    edits::Written,
    keys::auth::UserKeys,
    plan::RelayPlan,
    schema::{key::Key, section::Section},
    settings::{ListenAt, ListenSettings, Settings},
};

/// A configuration as it was read, and what it means.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) settings: Settings,
    pub(crate) plan: RelayPlan,
    pub(crate) written: Written,
}

/// What changes between two configurations. Holds no secrets. `Display` writes a line for each
/// change; serialised, it is what the API shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Difference {
    pub(crate) changes: Vec<ItemChange>,
}

/// What happens to one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ItemChange {
    pub(crate) change: ChangeKind,
    pub(crate) what: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Where a new stream comes from, or where a listener is.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<KeyChange>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeKind {
    Added,
    Removed,
    Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    /// The keys at the top of the file.
    Process,
    Listen,
    Defaults,
    Stream,
    /// What holds for those without credentials.
    Auth,
    User,
    Control,
    Webhook,
    Cluster,
    /// The order of the streams.
    Order,
}

/// A key with another value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct KeyChange {
    key: String,
    old: Value,
    new: Value,
    /// The values look the same: what they stand for has changed.
    is_within: bool,
    /// What a reload does about it, in the reference's words.
    reload: String,
}

impl Difference {
    /// Compares two configurations.
    pub(crate) fn between(old: &Configuration, new: &Configuration) -> Self {
        let mut changes = Vec::new();
        let (old_settings, new_settings) = (&old.settings, &new.settings);
        let process = KeyChange::of(
            Section::Process,
            &keys::values(&old_settings.process),
            &keys::values(&new_settings.process),
        );
        changes.extend(ItemChange::of_keys(Subject::Process, None, process));
        listens(old_settings, new_settings, &mut changes);
        let defaults = KeyChange::of(
            Section::Defaults,
            &keys::values(&old_settings.defaults),
            &keys::values(&new_settings.defaults),
        );
        changes.extend(ItemChange::of_keys(Subject::Defaults, None, defaults));
        streams(old, new, &mut changes);
        let mut auth = KeyChange::of(
            Section::Auth,
            &keys::values(&old_settings.auth),
            &keys::values(&new_settings.auth),
        );
        KeyChange::add_hook(old_settings, new_settings, &mut auth);
        changes.extend(ItemChange::of_keys(Subject::Auth, None, auth));
        users(old_settings, new_settings, &mut changes);
        let control = KeyChange::of(
            Section::Control,
            &keys::values(&old_settings.control),
            &keys::values(&new_settings.control),
        );
        changes.extend(ItemChange::of_keys(Subject::Control, None, control));
        ItemChange::add_webhooks(old_settings, new_settings, &mut changes);
        ItemChange::add_cluster(old_settings, new_settings, &mut changes);
        Self { changes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many things change, in words: `1 changed, 1 added, 1 removed`.
    pub(crate) fn summary(&self) -> String {
        let counted = self
            .counts()
            .into_iter()
            .zip(["changed", "added", "removed"]);
        let counted = counted.filter(|(count, _)| *count > 0);
        let counted = counted.map(|(count, word)| format!("{count} {word}"));
        counted.collect::<Vec<_>>().join(", ")
    }

    /// How many things are changed, added and removed.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let kinds = [ChangeKind::Changed, ChangeKind::Added, ChangeKind::Removed];
        kinds.map(|kind| {
            let changes = self.changes.iter();
            changes.filter(|change| change.change == kind).count()
        })
    }

    /// A line for each change.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.changes.iter().flat_map(ItemChange::lines)
    }
}

fn listens(old: &Settings, new: &Settings, changes: &mut Vec<ItemChange>) {
    let mut left: Vec<Option<&ListenSettings>> = old.listens.iter().map(Some).collect();
    let mut added = Vec::new();
    for new in &new.listens {
        let is_it =
            |old: &&mut Option<&ListenSettings>| old.is_some_and(|old| old.at.is_same(&new.at));
        let old = left.iter_mut().find(is_it).and_then(Option::take);
        let name = || Some(new.name.to_string());
        match old {
            Some(old) => {
                let (old, new) = (keys::of_listen(old), keys::of_listen(new));
                let keys = KeyChange::of(Section::Listen, &old, &new);
                changes.extend(ItemChange::of_keys(Subject::Listen, name(), keys));
            }
            None => added.push(ItemChange {
                change: ChangeKind::Added,
                what: Subject::Listen,
                name: name(),
                at: Some(new.at.to_string()),
                keys: Vec::new(),
            }),
        }
    }
    changes.append(&mut added);
    changes.extend(left.into_iter().flatten().map(|old| ItemChange {
        change: ChangeKind::Removed,
        what: Subject::Listen,
        name: Some(old.name.to_string()),
        at: Some(old.at.to_string()),
        keys: Vec::new(),
    }));
}

fn streams(old: &Configuration, new: &Configuration, changes: &mut Vec<ItemChange>) {
    let named = |configuration: &Configuration| -> Vec<_> {
        let settings = configuration.settings.streams.iter();
        settings.map(|stream| stream.name.clone()).collect()
    };
    let (old_names, new_names) = (named(old), named(new));
    let places: BTreeMap<_, _> = old_names.iter().zip(0..).collect();
    let mut added = Vec::new();
    let mut kept = Vec::new();
    for (at, stream) in new.settings.streams.iter().enumerate() {
        let name = Some(stream.name.to_string());
        let Some(&was_at) = places.get(&stream.name) else {
            added.push(ItemChange {
                change: ChangeKind::Added,
                what: Subject::Stream,
                name,
                at: stream.sources.first().map(ToString::to_string),
                keys: Vec::new(),
            });
            continue;
        };
        kept.push(was_at);
        let was = &old.settings.streams[was_at];
        let (before, now) = (keys::of_stream(was), keys::of_stream(stream));
        let mut keys = KeyChange::of(Section::Stream, &before, &now);
        let specs = [(old, was_at), (new, at)].map(|(configuration, at)| {
            let planned = configuration.plan.streams.get(at);
            planned.map(|planned| planned.spec.placeholder())
        });
        if specs[0] != specs[1] && was.keys.placeholder == stream.keys.placeholder {
            keys.extend(KeyChange::within(Section::Stream, "placeholder", &now));
        }
        for (key, is_same) in keys::same_sources(was, stream) {
            if !is_same && !keys.iter().any(|change| change.key == key) {
                keys.extend(KeyChange::within(Section::Stream, key, &now));
            }
        }
        changes.extend(ItemChange::of_keys(Subject::Stream, name, keys));
    }
    changes.append(&mut added);
    let new_names = BTreeSet::from_iter(new_names);
    let gone = old_names.iter().filter(|name| !new_names.contains(*name));
    changes.extend(gone.map(|name| ItemChange {
        change: ChangeKind::Removed,
        what: Subject::Stream,
        name: Some(name.to_string()),
        at: None,
        keys: Vec::new(),
    }));
    if !kept.is_sorted() {
        changes.push(ItemChange {
            change: ChangeKind::Changed,
            what: Subject::Order,
            name: None,
            at: None,
            keys: Vec::new(),
        });
    }
}

fn users(old: &Settings, new: &Settings, changes: &mut Vec<ItemChange>) {
    let name = |user: &UserKeys| user.name.as_ref().map(|name| name.0.to_string());
    let find = |users: &[UserKeys], wanted: &UserKeys| {
        let mut users = users.iter();
        users.find(|user| user.name == wanted.name).cloned()
    };
    let whole = |change, user: &UserKeys| ItemChange {
        change,
        what: Subject::User,
        name: name(user),
        at: None,
        keys: Vec::new(),
    };
    for user in &new.users {
        let Some(was) = find(&old.users, user) else {
            changes.push(whole(ChangeKind::Added, user));
            continue;
        };
        let (before, now) = (keys::values(&was), keys::values(user));
        let mut keys = KeyChange::of(Section::User, &before, &now);
        let secrets = [
            ("password_hash", was.password_hash != user.password_hash),
            ("token_hash", was.token_hash != user.token_hash),
        ];
        for (key, differs) in secrets {
            if differs && !keys.iter().any(|change| change.key == key) {
                keys.extend(KeyChange::within(Section::User, key, &now));
            }
        }
        changes.extend(ItemChange::of_keys(Subject::User, name(user), keys));
    }
    let gone = old
        .users
        .iter()
        .filter(|user| find(&new.users, user).is_none());
    changes.extend(gone.map(|user| whole(ChangeKind::Removed, user)));
}

impl KeyChange {
    /// The keys of a section whose values differ, in the order of the reference.
    fn of(section: Section, old: &keys::Values, new: &keys::Values) -> Vec<Self> {
        let differs = |key: &&Key| old.get(&key.name) != new.get(&key.name);
        let of_key = |key: &Key| {
            let value = |values: &keys::Values| values.get(&key.name).cloned();
            Self {
                old: value(old).unwrap_or_default(),
                new: value(new).unwrap_or_default(),
                ..Self::named(key)
            }
        };
        section.keys().filter(differs).map(of_key).collect()
    }

    /// A key whose value looks the same and means something else.
    fn within(section: Section, key: &str, values: &keys::Values) -> Option<Self> {
        let value = values.get(key).cloned().unwrap_or_default();
        Some(Self {
            old: value.clone(),
            new: value,
            is_within: true,
            ..Self::named(section.key(key)?)
        })
    }

    fn named(key: &Key) -> Self {
        Self {
            key: key.name.clone(),
            old: Value::Null,
            new: Value::Null,
            is_within: false,
            reload: key.reload().into(),
        }
    }
}

impl ItemChange {
    fn of_keys(what: Subject, name: Option<String>, keys: Vec<KeyChange>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self {
            change: ChangeKind::Changed,
            what,
            name,
            at: None,
            keys,
        })
    }
}

impl ListenAt {
    /// Whether both are one address, whatever the mode of a socket file.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix { path: a, .. }, Self::Unix { path: b, .. }) => a == b,
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{load::load, resolve::overrides::Overrides};

    fn read(name: &str, text: &str) -> Configuration {
        let file = format!("mjpeg-difference-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, text).unwrap();
        let loaded = load(Some(&path), &Overrides::default());
        std::fs::remove_file(&path).unwrap();
        Configuration {
            settings: loaded.resolved.settings,
            plan: loaded.plan.unwrap(),
            written: loaded.written,
        }
    }

    const OLD: &str = r#"
[[listen]]
address = "127.0.0.1:8080"
[[streams]]
name = "a"
source = "http://me:hunter2@cam/x#header=X-Key:hunter2"
fallback = ["exec:curl -u me:hunter2 cam"]
max_fps = 5
[[streams]]
name = "b"
source = "tcp://cam-b:6001"
"#;

    #[test]
    fn every_change_is_a_line_without_secrets() {
        let new = r#"
worker_threads = 2
[[listen]]
address = "127.0.0.1:8080"
serve = ["page"]
[[listen]]
unix = "/run/x.sock"
[[streams]]
name = "c"
source = "http://me:hunter3@cam/y"
[[streams]]
name = "a"
source = "http://me:hunter3@cam/x#header=X-Key:hunter2&stall_limit=20s"
fallback = ["exec:curl -u me:hunter3 cam"]
listen = 8081
"#;
        let difference = Difference::between(&read("old", OLD), &read("new", new));
        let lines: Vec<String> = difference.lines().collect();
        let expected = [
            "~ worker_threads 1 -> 2 (restart)",
            "~ listen listen1: serve [\"streams\", \"page\"] -> [\"page\"]",
            "+ listen listen2: unix:/run/x.sock",
            "~ stream a: listen not set -> \"[::]:8081\"",
            "~ stream a: stall_limit \"10s\" -> \"20s\"",
            "~ stream a: max_fps 5.0 -> \"none\"",
        ];
        for line in expected {
            assert!(
                lines.iter().any(|known| known == line),
                "{line}: {lines:#?}"
            );
        }
        let begins = ["+ stream c: http://***@cam/y", "- stream b"];
        for begin in begins {
            assert!(
                lines.iter().any(|line| line.starts_with(begin)),
                "{begin}: {lines:#?}"
            );
        }
        for key in ["source", "fallback"] {
            let is_it = |line: &&String| line.starts_with(&format!("~ stream a: {key} "));
            let line = lines.iter().find(is_it).unwrap();
            assert!(line.ends_with(": *** changed"), "{line}");
        }
        assert_eq!(difference.summary(), "3 changed, 2 added, 1 removed");
        let json = serde_json::to_string(&difference).unwrap();
        for text in [json, difference.to_string(), format!("{difference:?}")] {
            assert!(!text.contains("hunter"), "{text}");
        }
    }

    #[test]
    fn same_configuration_is_no_difference_and_another_order_is_one() {
        let old = read("same", OLD);
        assert!(Difference::between(&old, &read("again", OLD)).is_empty());
        let (head, second) = OLD.rsplit_once("[[streams]]").unwrap();
        let (head, first) = head.split_once("[[streams]]").unwrap();
        let swapped = format!("{head}[[streams]]{second}[[streams]]{first}");
        let difference = Difference::between(&old, &read("swapped", &swapped));
        assert_eq!(difference.to_string(), "~ the order of the streams\n");
    }
}
