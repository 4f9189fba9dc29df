//! Sources that wait for pictures: where they are sent, and who may send them.

use std::collections::BTreeMap;

use mjpeg_manager::mjpeg_ingest::Source;

use super::rights::WrittenRights;
use crate::config::{
    keys::{
        auth::{AuthKeys, UserKeys},
        stream::StreamKeys,
    },
    layer::Layer,
    report::{Finding, Report},
    settings::StreamSettings,
    value::choice::RightWord,
};

/// Finds what cannot work of such sources, and what is probably not meant.
pub(super) fn check(
    layers: &[Layer],
    streams: &[StreamSettings],
    rights: &WrittenRights,
    report: &mut Report,
) {
    check_paths(layers, streams, report);
    let may_push = somebody_may_push(rights);
    for (layer, stream) in layers.iter().zip(streams) {
        let is_pushed = |source: &Source| source.kind() == "push";
        if !may_push && stream.sources.iter().any(is_pushed) {
            let message = format!("nobody may send pictures to {}", stream.name);
            let help = "add a user with may = [\"push\"] and a token_hash to [[users]]";
            let finding = Finding::warning(message).with_help(help);
            report.add(finding.about(layer, "source"));
        }
        let keys: StreamKeys = layer.read();
        let waits = |source: &Source| matches!(source.kind(), "push" | "http-listen");
        if keys.on_demand && stream.sources.iter().any(waits) {
            let message = "while nobody watches an on-demand stream, its senders are refused";
            let help = "leave `on_demand` out: a stream that waits for pictures costs nothing";
            let finding = Finding::warning(message).with_help(help);
            report.add(finding.about(layer, "on_demand"));
        }
    }
}

/// A path of an address can be of one stream only.
fn check_paths(layers: &[Layer], streams: &[StreamSettings], report: &mut Report) {
    let mut users = BTreeMap::new();
    for (at, stream) in streams.iter().enumerate() {
        for source in &stream.sources {
            let Some(path) = path(source) else { continue };
            let first = *users.entry(path.to_owned()).or_insert(at);
            if first == at {
                continue;
            }
            let message = format!(
                "streams {} and {} have the same path: {path}",
                streams[first].name, stream.name
            );
            let finding = Finding::error(message).with_help("give each a path of its own");
            let other = layers[first].place_of("source");
            let finding = finding.about(&layers[at], "source");
            report.add(finding.with_other(other, "and here"));
        }
    }
}

/// The address and path of a source that has such, without options.
fn path(source: &Source) -> Option<&str> {
    let url = source.reveal();
    let is_it = url.starts_with("http-listen:");
    is_it.then(|| url.split('#').next().unwrap_or_default())
}

/// Whether there may be somebody who may send pictures. What tokens and hooks say is not known.
fn somebody_may_push(rights: &WrittenRights) -> bool {
    let auth: AuthKeys = rights.auth.read();
    let users: Vec<UserKeys> = rights.users.iter().map(Layer::read).collect();
    auth.anonymous.contains(&RightWord::Push)
        || auth.jwt.is_some()
        || auth.hook.is_some()
        || users.iter().any(|user| user.may.contains(&RightWord::Push))
}
