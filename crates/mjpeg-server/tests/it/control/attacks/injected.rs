//! Texts that would be more than a value in the file of a stream.

use std::{collections::BTreeMap, fs};

use serde_json::json;

use super::super::Controlled;

#[tokio::test]
async fn what_is_set_is_read_back_after_a_restart_and_nothing_else() {
    let mut relay = Controlled::start("");
    let mut set = BTreeMap::new();
    for (n, text) in TEXTS.iter().enumerate() {
        let name = format!("s{n}");
        let source = format!("test:?size=64x48&fps=1&name={text}");
        let body = json!({
            "name": name, "source": source, "fallback": [source, "test:"], "max_fps": 7,
        });
        let added = relay.ask("POST", "/streams", &body.to_string()).await;
        match added.status {
            201 => drop(set.insert(name, (source, added.json["config"].clone()))),
            422 => assert!(!relay.stored(&name).exists(), "{text:?}"),
            _ => panic!("{text:?}: {added:?}"),
        }
    }
    assert!(set.len() > TEXTS.len() / 2, "{:?}", set.keys());
    for (name, (source, _)) in &set {
        let file = fs::read_to_string(relay.stored(name)).unwrap();
        let table: toml::Table = file.parse().unwrap();
        let expected: toml::Table = toml::from_str(&format!(
            "[[streams]]\nname = \"{name}\"\nmax_fps = 7\nsource = \"\"\nfallback = [\"\", \"test:\"]"
        ))
        .unwrap();
        let mut expected = expected;
        let stream = &mut expected["streams"][0];
        stream["source"] = source.clone().into();
        stream["fallback"][0] = source.clone().into();
        assert_eq!(table, expected, "{file}");
    }
    relay.restart();
    let mut names = relay.names().await;
    names.sort();
    assert_eq!(names, set.keys().cloned().collect::<Vec<_>>());
    for (name, (source, config)) in &set {
        let read = relay.ask("GET", &format!("/streams/{name}"), "").await;
        assert_eq!(read.json["config"], *config, "{source:?}");
        assert_eq!(read.json["origin"], "api");
    }
}

#[tokio::test]
async fn keys_and_values_of_other_shapes_make_no_file() {
    let relay = Controlled::start("");
    for key in [
        "",
        "max_fps\nname",
        "max_fps = 1\nname",
        "a.b",
        "[[streams]]",
        "\"max_fps\"",
        " max_fps",
        "name ",
        "Source",
        "source\u{0}",
        "include",
        "listen.address",
        "streams",
    ] {
        let body = json!({ "name": "evil", "source": "test:", key: 1 });
        let refused = relay.ask("POST", "/streams", &body.to_string()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "invalid_spec"),
            "{key:?}"
        );
    }
    for (key, value) in [
        ("max_fps", json!({ "a\nb": 1 })),
        ("max_fps", json!("7\nlisten = 1")),
        ("linger", json!("5s\"\nlisten = \"0.0.0.0:1")),
        ("repair", json!(["eoi\"]\n[[streams]]\nname = \"x"])),
        ("placeholder", json!("drawn\"\nview = [\"x")),
        ("on_demand", json!("true\nlisten = 1")),
        ("source", json!(["test:"])),
        ("source", json!({ "test:": "\n[[streams]]" })),
        ("fallback", json!([["test:"]])),
        ("fallback", json!({ "a = 1\n": "test:" })),
        ("start", json!("retry\n[[streams]]")),
    ] {
        let mut body = json!({ "name": "evil", "source": "test:" });
        body[key] = value;
        let refused = relay.ask("POST", "/streams", &body.to_string()).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "invalid_spec"),
            "{body}"
        );
    }
    assert!(relay.names().await.is_empty());
    let folder = relay.folder.path().join("streams.d");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
}

/// Each would end a text of TOML, begin another thing, or be another character when it is read.
const TEXTS: [&str; 28] = [
    "\"",
    "\"\"",
    "\"\"\"",
    "\"\"\"\"\"\"",
    "'",
    "'''",
    "'''\"\"\"",
    "\\",
    "\\\\",
    "\\\"",
    "\\u0022",
    "\\\n  x",
    "\n[[streams]]\nname = \"evil\"\nsource = \"exec:id\"\n",
    "\"\n[[streams]]\nname = \"evil\"\nsource = \"test:",
    "\"\"\"\n[[streams]]\nname = \"evil\"\nsource = \"\"\"test:",
    "'''\n[[streams]]\nname = 'evil'\nsource = '''test:",
    "\nlisten = \"0.0.0.0:1\"",
    "]]",
    "]\nlisten = 1\nx = [",
    "}",
    "= # x",
    "\n",
    "\r\n",
    "\r",
    "\t\u{8}\u{c}\u{7f}\u{1b}[2J",
    "\u{0}",
    "\u{2028}\u{85}\u{202e}\u{feff}é😀",
    "\n# Written by the API of mjpeg-server",
];
