//! Streams, each from its layers.

use std::collections::BTreeMap;

use mjpeg_manager::mjpeg_ingest::{DialPolicy, Source};

use super::{overrides::Overrides, sources::Sources};
use crate::config::{
    files::TextFile,
    keys::stream::{OwnKeys, StreamKeys},
    layer::{Layer, ValueOrigin},
    read::document::Document,
    report::{Finding, Report},
    settings::StreamSettings,
};

/// The streams' own keys: those of the files first, then those of the command line.
pub(crate) fn own(document: &Document, overrides: &Overrides, report: &mut Report) -> Vec<Layer> {
    let mut flagged = overrides.streams.clone();
    let is_named = |layer: &Layer, name: &str| {
        let own = layer.entries.get("name");
        own.and_then(|entry| entry.value.as_str()) == Some(name)
    };
    for fallback in &overrides.fallbacks {
        let name = fallback.stream.as_str();
        let Some(stream) = flagged.iter_mut().find(|layer| is_named(layer, name)) else {
            let mut finding =
                Finding::error(format!("no stream of the command line is named {name}"));
            finding.about = match &fallback.origin {
                ValueOrigin::Flag(name) | ValueOrigin::Environment(name) => Some(name.clone()),
                _ => None,
            };
            let in_file = document.streams.iter().find(|layer| is_named(layer, name));
            let help = match in_file {
                Some(_) => "set its `fallback` in the file".to_owned(),
                None => format!("add --stream {name}=…"),
            };
            report.add(finding.with_help(help));
            continue;
        };
        let known = stream.entries.get("fallback");
        let known = known.and_then(|entry| entry.value.as_array().cloned());
        let mut urls = known.unwrap_or_default();
        urls.push(fallback.url.clone().into());
        stream.set("fallback", urls, fallback.origin.clone());
    }
    document.streams.iter().cloned().chain(flagged).collect()
}

/// Makes the settings of a stream. `dial` is which addresses it may connect to if the API has set
/// it. The values that options of its URL set are entered.
pub(super) fn resolve(
    merged: &mut Layer,
    own: &Layer,
    dial: &DialPolicy,
    report: &mut Report,
) -> Option<StreamSettings> {
    let names: OwnKeys = merged.read();
    let keys: StreamKeys = merged.read();
    for (key, is_missing) in [
        ("name", names.name.is_none()),
        ("source", names.source.is_none()),
    ] {
        if is_missing && !merged.broken.contains(key) {
            let finding = Finding::error(format!("this stream has no `{key}`"));
            report.add(finding.at(merged.place.clone()).with_key(key));
        }
    }
    let mut all = Vec::new();
    let mut sources = Sources {
        merged,
        own,
        dial: match is_of_api(own, report) {
            true => dial.clone(),
            false => DialPolicy::new(),
        },
        report,
        from_url: Vec::new(),
    };
    let source = names.source.map(|text| ("source", text));
    let fallback = keys.fallback.iter().cloned().map(|text| ("fallback", text));
    for (key, text) in source.into_iter().chain(fallback) {
        all.extend(sources.resolve(key, &text.0.0));
    }
    // Only now: an option in one URL does not hold for the other sources.
    for (key, time) in sources.from_url {
        merged.set(key, time.to_string(), ValueOrigin::Url);
    }
    Some(StreamSettings {
        name: names.name?.0,
        sources: all,
        listen: names.listen.map(|listen| listen.0),
        aliases: names.aliases.into_iter().map(|alias| alias.0).collect(),
        keys: merged.read(),
    })
}

/// Whether the API has set a stream.
fn is_of_api(own: &Layer, report: &Report) -> bool {
    let file = own.place.as_ref().map(|place| report.files.get(place.file));
    file.flatten().is_some_and(TextFile::is_of_api)
}

/// Warns of what is probably not meant.
pub(super) fn warn(layers: &[Layer], streams: &[StreamSettings], report: &mut Report) {
    for layer in layers {
        let keys: StreamKeys = layer.read();
        let own_place = matches!(layer.origin("linger"), Some(ValueOrigin::File(_)));
        if !keys.on_demand && own_place && layer.is_built_in("on_demand") {
            let finding = Finding::warning("`linger` has no effect without `on_demand`");
            report.add_once(finding.about(layer, "linger"));
        }
    }
    let mut users: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, stream) in streams.iter().enumerate() {
        for camera in stream.sources.iter().filter_map(camera) {
            let users = users.entry(camera).or_default();
            // A stream may name it twice.
            if users.last() != Some(&at) {
                users.push(at);
            }
        }
    }
    for users in users.into_values() {
        let [first, second, others @ ..] = &*users else {
            continue;
        };
        let names = match others {
            [] => format!("{} and {}", streams[*first].name, streams[*second].name),
            others => format!(
                "{}, {} and {} more",
                streams[*first].name,
                streams[*second].name,
                others.len()
            ),
        };
        let finding = Finding::warning(format!(
            "streams {names} name the same camera, which gets a connection from each"
        ));
        let other = layers[*first].place_of("source");
        report.add(
            finding
                .about(&layers[*second], "source")
                .with_other(other, "and here"),
        );
    }
}

/// Warns of what has no effect without a cluster.
pub(super) fn warn_of_requires(layers: &[Layer], is_clustered: bool, report: &mut Report) {
    for layer in layers.iter().filter(|_| !is_clustered) {
        if !layer.read::<StreamKeys>().requires.is_empty() {
            let finding = Finding::warning("`requires` has no effect without `[cluster]`");
            report.add_once(finding.about(layer, "requires"));
        }
    }
}

/// What tells cameras apart: the URL without options and login. `None` for kinds that may be read
/// any number of times.
fn camera(source: &Source) -> Option<&str> {
    let url = source.reveal();
    let (scheme, rest) = url.split_once(':')?;
    match scheme {
        "exec" => Some(url),
        "tcp" | "http" | "https" | "rtsp" | "rtsps" | "unix" => {
            let rest = rest.split('#').next().unwrap_or_default();
            let authority = rest.trim_start_matches('/').split(['/', '?']).next()?;
            let login = authority.rfind('@').map_or(0, |at| at + 1);
            Some(rest.trim_start_matches('/').get(login..).unwrap_or(rest))
        }
        _ => None,
    }
}
