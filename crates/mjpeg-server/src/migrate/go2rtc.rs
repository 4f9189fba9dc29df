//! go2rtc.yaml.

mod ffmpeg;
mod judged;
mod streams;

use anyhow::{Result, ensure};

pub(super) use self::streams::{ForeignStreams, Judged};
use super::{
    found::{FoundAddress, FoundListen, Inventory, ViewerLogin},
    listens::host_and_port,
    marks::Marks,
    yaml::{YamlNode, parse},
};

/// Reads a configuration.
///
/// # Errors
///
/// If it is no YAML, or has no streams.
pub(super) fn read(text: &str, marks: &mut Marks) -> Result<Inventory> {
    let root = parse(text)?;
    let streams = root.get("streams").filter(|streams| streams.is_map());
    ensure!(
        streams.is_some(),
        "expected `streams:` with a name and a source each"
    );
    let mut found = Inventory::default();
    let streams = ForeignStreams::read(streams, "${", |_| true, marks);
    let login = login(&root);
    for name in streams.names() {
        if found.is_full() {
            break;
        }
        let place = format!("streams: {name}");
        match streams.judge(name) {
            Ok(judged) => {
                let mut camera = judged.camera(name, place);
                camera.login = login.clone();
                found.cameras.push(camera);
            }
            Err(why) => found.lose(place, why),
        }
    }
    api(&root, &mut found);
    others(&root, &mut found);
    Ok(found)
}

/// The only user of the API, and so of the streams.
fn login(root: &YamlNode) -> Option<ViewerLogin> {
    let api = root.get("api")?;
    let user = api.text_of("username").filter(|user| !user.is_empty())?;
    let password = api.text_of("password").unwrap_or_default();
    Some(ViewerLogin::new(user, password))
}

/// The port of the API serves streams here.
fn api(root: &YamlNode, found: &mut Inventory) {
    let api = root.get("api");
    let written = api.and_then(|api| api.get("listen"));
    let text = written.map_or(Some(DEFAULT_LISTEN), YamlNode::text);
    let mut notes = vec![
        "go2rtc's /api/stream.mjpeg?src=NAME is /NAME/stream here, /api/frame.jpeg?src=NAME is \
         /NAME/snapshot"
            .into(),
    ];
    for (key, why) in [
        (
            "tls_listen",
            "write tls = { certificate = \"FILE\", key = \"FILE\" } (docs/tls.md)",
        ),
        ("static_dir", "`page_dir` replaces files of the page"),
        (
            "origin",
            "every page may read streams; `origins` restricts it",
        ),
    ] {
        if api.is_some_and(|api| api.get(key).is_some()) {
            notes.push(format!("api.{key} is not carried over: {why}"));
        }
    }
    let base_path = api
        .and_then(|api| api.text_of("base_path"))
        .map(|path| format!("/{}", path.trim_matches('/')));
    let tcp = text.and_then(host_and_port);
    if let Some(text) = text.filter(|_| tcp.is_none()) {
        notes.push(format!("api.listen is not carried over: {text} is no port"));
    }
    let unix = api.and_then(|api| api.text_of("unix_listen"));
    let tcp = tcp.map(|(at, note)| {
        notes.extend(note);
        FoundAddress::Tcp(at)
    });
    let unix = unix.map(|path| FoundAddress::Unix {
        path: path.into(),
        mode: None,
    });
    for at in tcp.into_iter().chain(unix) {
        found.listens.push(FoundListen {
            at,
            default: None,
            base_path: base_path.clone(),
            notes: std::mem::take(&mut notes),
        });
    }
    found.notes.append(&mut notes);
}

/// Says which sections mean nothing here.
fn others(root: &YamlNode, found: &mut Inventory) {
    for (key, why) in [
        ("rtsp", "the relay serves no RTSP"),
        ("webrtc", "the relay serves no WebRTC"),
        ("homekit", "the relay speaks no HomeKit"),
        ("publish", "the relay sends nothing to other servers"),
        (
            "preload",
            "cameras are connected all the time, unless `on_demand = true` is set",
        ),
        (
            "ffmpeg",
            "templates of ffmpeg: change the exec: sources below",
        ),
        ("hass", "cameras of Home Assistant: add their URLs"),
        ("log", "docs/logs.md says how the relay logs"),
    ] {
        if root.get(key).is_some() {
            found.notes.push(format!("{key}: {why}"));
        }
    }
}

const DEFAULT_LISTEN: &str = ":1984";
