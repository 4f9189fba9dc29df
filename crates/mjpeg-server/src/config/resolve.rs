//! Merges the layers: built-in default, `[defaults]`, flag or environment, a stream's own key.

mod cluster;
pub(crate) mod listens;
pub(crate) mod names;
mod outbound;
pub(crate) mod overrides;
mod pushes;
mod rights;
mod sources;
pub(crate) mod streams;
mod tokens;

use self::{overrides::Overrides, rights::WrittenRights};
use super::{
    keys::{listen::ListenKeys, process::ProcessKeys, stream::StreamKeys},
    layer::Layer,
    read::document::Document,
    report::Report,
    settings::{ListenSettings, Settings},
};

/// A configuration with all layers merged.
pub(crate) struct Resolved {
    /// Without what cannot be used, which was reported.
    pub(crate) settings: Settings,
    /// Each key's effective value, and where it came from.
    pub(crate) process: Layer,
    /// In the order of the settings.
    pub(crate) listens: Vec<Layer>,
    /// In the order of the settings.
    pub(crate) streams: Vec<Layer>,
    pub(crate) auth: Layer,
    pub(crate) users: Vec<Layer>,
    pub(crate) control: Layer,
    /// In the order of the settings.
    pub(crate) webhooks: Vec<Layer>,
    pub(crate) cluster: Option<Layer>,
}

/// Merges all layers. What is wrong is reported.
pub(crate) fn resolve(
    document: &Document,
    overrides: &Overrides,
    own_streams: &[Layer],
    report: &mut Report,
) -> Resolved {
    let process = Layer::built_in::<ProcessKeys>()
        .under(&document.process)
        .under(&overrides.process);
    let defaults = Layer::built_in::<StreamKeys>()
        .under(&document.defaults)
        .under(&overrides.defaults);
    let base = Layer::built_in::<ListenKeys>().under(&overrides.listen);
    let listens = listens::layers(&document.listens, own_streams, &base);
    let has_gateway = !listens.is_empty();

    let rights = WrittenRights::new(document);
    let dial = rights.dial_policy();
    let mut all = Vec::new();
    let mut streams = Vec::new();
    for own in own_streams {
        let mut merged = defaults.clone().under(own);
        if let Some(stream) = streams::resolve(&mut merged, own, &dial, report) {
            streams.push((merged.clone(), stream));
        }
        all.push(merged);
    }
    let names = names::check(&all, has_gateway, report);
    rights.check(&listens, &all, &names, report);
    let listens = listens::resolve(&listens, &all, &names, report);
    let (listen_layers, listens): (Vec<_>, Vec<_>) = listens.into_iter().unzip();
    let (stream_layers, streams): (Vec<_>, Vec<_>) = streams.into_iter().unzip();
    streams::warn(&stream_layers, &streams, report);
    pushes::check(&stream_layers, &streams, &rights, report);
    let hook = outbound::hook(&rights.auth, report);
    let webhooks = outbound::webhooks(&document.webhooks, &names, report);
    let (webhook_layers, webhooks): (Vec<_>, Vec<_>) = webhooks.into_iter().unzip();

    let cluster = cluster::layer(document, &stream_layers, report);

    Resolved {
        settings: Settings {
            process: process.read(),
            ports: ports(&base, &listens),
            listens,
            defaults: defaults.read(),
            streams,
            auth: rights.auth.read(),
            users: rights.users.iter().map(Layer::read).collect(),
            control: rights.control.read(),
            hook,
            webhooks,
            tokens: tokens::tokens(&rights.auth, report),
            cluster: cluster::cluster(cluster.as_ref(), report),
        },
        process,
        listens: listen_layers,
        streams: stream_layers,
        auth: rights.auth,
        users: rights.users,
        control: rights.control,
        webhooks: webhook_layers,
        cluster,
    }
}

/// What the streams' own ports have of a listener.
fn ports(base: &Layer, listens: &[ListenSettings]) -> ListenKeys {
    let mut ports: ListenKeys = base.read();
    if let Some(first) = listens.first() {
        ports
            .trusted_proxies
            .clone_from(&first.keys.trusted_proxies);
    }
    ports
}
