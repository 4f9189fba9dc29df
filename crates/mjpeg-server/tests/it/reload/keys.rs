//! What the reference says of each key, with a viewer that watches.

mod effects;
mod rights;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::{
    effects::Scene,
    rows::{ROWS, Row, Sequence},
};
use super::{Reloadable, has};
use crate::process::run;

/// Part of the file: the top, a listener, or a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Top,
    Listen(&'static str),
    Stream(&'static str),
}

/// The keys of each part, with their values as TOML.
type File = BTreeMap<Place, BTreeMap<String, String>>;

fn text(file: &File) -> String {
    let mut text = String::new();
    for (place, keys) in file {
        text += match place {
            Place::Top => "",
            Place::Listen(_) => "[[listen]]\n",
            Place::Stream(_) => "[[streams]]\n",
        };
        text.extend(keys.iter().map(|(key, value)| format!("{key} = {value}\n")));
    }
    text
}

/// All keys of the file, by part, with what a reload does as the schema says.
fn declared() -> BTreeMap<(&'static str, String), String> {
    let (_, schema, _) = run(&["config", "--schema"]);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let properties = &schema["properties"];
    let mut all = BTreeMap::new();
    for (part, of) in [
        ("top", properties),
        ("listen", &properties["listen"]["items"]["properties"]),
        ("stream", &properties["streams"]["items"]["properties"]),
    ] {
        for (key, schema) in of.as_object().unwrap() {
            // `auth`, `users` and `control` have rows of their own, in `rights`; `webhooks` and
            // `cluster`, which needs a restart, have tests of their own.
            let sections = [
                "listen", "streams", "defaults", "auth", "users", "control", "webhooks", "cluster",
            ];
            if part == "top" && sections.contains(&&**key) {
                continue;
            }
            let reload = schema["x-reload"].as_str().unwrap_or_default();
            all.insert((part, key.clone()), reload.to_owned());
        }
    }
    all
}

#[test]
fn each_key_of_the_reference_has_a_row() {
    let part = |row: &Row| match row.place {
        Place::Top => "top",
        Place::Listen(_) => "listen",
        Place::Stream(_) => "stream",
    };
    let rows: BTreeSet<_> = ROWS
        .iter()
        .map(|row| (part(row), row.key.to_owned()))
        .collect();
    let declared = declared();
    assert_eq!(rows, declared.keys().cloned().collect());
    assert_eq!(rows.len(), ROWS.len(), "once each");
    for row in ROWS {
        let reload = &declared[&(part(row), row.key.to_owned())];
        assert_eq!(reload, row.reload, "{}", row.key);
    }
}

/// One viewer watches while each key is changed and changed back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_does_what_the_reference_says() {
    let scene = Scene::new().await;
    let base = scene.base();
    let mut relay = Reloadable::start(&text(&base), 5);
    scene.prepare(&relay);
    let mut watches = scene.watch().await;
    for row in ROWS {
        // A listener's name is nothing that a viewer sees.
        let seen = match row.place {
            Place::Listen(_) if row.key == "name" => "",
            _ => row.key,
        };
        let mut file = base.clone();
        let also = row
            .also
            .iter()
            .map(|(place, key, value)| (*place, *key, *value));
        for (place, key, value) in also.chain([(row.place, row.key, row.value)]) {
            let value = scene.value(value);
            let keys = file.get_mut(&place).unwrap();
            match value.is_empty() {
                true => drop(keys.remove(key)),
                false => drop(keys.insert(key.into(), value)),
            }
        }
        scene.check(seen, false).await;
        let mut viewer = scene.viewer(seen).await;
        let log = relay.reload(&text(&file));
        assert!(has(&log, &scene.value(row.line)), "{}: {log:#?}", row.key);
        if row.sequence == Sequence::Refused {
            assert!(
                has(&log, "configuration not reloaded"),
                "{}: {log:#?}",
                row.key
            );
        }
        match row.sequence {
            Sequence::Whole | Sequence::Refused => watches.follow(3).await,
            Sequence::Reconnects => watches.follow_until(0).await,
            Sequence::Moves => watches.follow_until(200).await,
            Sequence::Skips => watches.skip(3).await,
        }
        scene.check(seen, true).await;
        scene.watching(seen, &mut viewer).await;
        let log = relay.reload(&text(&base));
        let word = match row.sequence {
            Sequence::Refused => "nothing has changed",
            _ => "configuration reloaded: ",
        };
        assert!(has(&log, word), "{}: {log:#?}", row.key);
        watches.follow_until(0).await;
        watches.follow(1).await;
    }
}
