//! Listeners.

use std::collections::BTreeMap;

use mjpeg_manager::mjpeg_http::CorsPolicy;

use crate::config::{
    keys::{listen::ListenKeys, stream::OwnKeys},
    layer::{Layer, ValueOrigin},
    report::{Finding, Report},
    settings::{ListenAt, ListenSettings},
    value::listen_addr::ListenAddr,
};

/// The layers of the listeners. Where none is written, there is one at port 8080, unless each
/// stream has a port of its own.
pub(super) fn layers(written: &[Layer], streams: &[Layer], base: &Layer) -> Vec<Layer> {
    let mut layers: Vec<_> = written.iter().map(|own| base.clone().under(own)).collect();
    let has_port =
        |stream: &Layer| stream.entries.contains_key("listen") || stream.broken.contains("listen");
    if layers.is_empty() && (streams.is_empty() || !streams.iter().all(has_port)) {
        let mut layer = base.clone();
        let address = ListenAddr::all_interfaces(DEFAULT_PORT);
        layer.set("address", address.to_string(), ValueOrigin::BuiltIn);
        layers.push(layer);
    }
    layers
}

/// Makes the settings of the listeners. What is wrong is reported.
pub(super) fn resolve(
    layers: &[Layer],
    streams: &[Layer],
    names: &BTreeMap<String, usize>,
    report: &mut Report,
) -> Vec<(Layer, ListenSettings)> {
    let mut listens: Vec<(Layer, ListenSettings)> = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        let keys: ListenKeys = layer.read();
        check(layer, &keys, names, report);
        if keys.origins != layers[0].read::<ListenKeys>().origins {
            let finding = Finding::error("all listeners must have the same `origins` for now");
            report.add(finding.about(layer, "origins"));
        }
        let name = keys.name.as_ref().map(|name| name.0.clone());
        let name = name.or_else(|| format!("listen{}", at + 1).parse().ok());
        let Some((name, at)) = name.zip(address(layer, &keys, report)) else {
            continue;
        };
        if listens.iter().any(|(_, known)| known.name == name) {
            let finding = Finding::error(format!("two listeners are called {name}"));
            report.add(finding.about(layer, "name"));
        }
        listens.push((layer.clone(), ListenSettings { name, at, keys }));
    }
    ports(layers, streams, report);
    listens
}

fn check(layer: &Layer, keys: &ListenKeys, names: &BTreeMap<String, usize>, report: &mut Report) {
    if let Some(default) = &keys.default
        && !names.contains_key(default.0.as_str())
    {
        let finding = Finding::error(format!("no stream is named {}", default.0));
        report.add(finding.about(layer, "default"));
    }
    if let Err(error) = cors(&keys.origins) {
        report.add(Finding::error(error).about(layer, "origins"));
    }
    let is_host = |host: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        !host.is_empty() && host.len() <= 253 && host.chars().all(is_plain)
    };
    if !keys.hosts.iter().all(|host| is_host(host)) {
        let finding = Finding::error("write names of this machine, such as \"cam.example\"");
        report.add(finding.about(layer, "hosts"));
    }
    for (key, path) in keys
        .tls
        .iter()
        .flat_map(|tls| [&tls.certificate, &tls.key])
        .map(|path| ("tls", path))
    {
        // A warning: a configuration is also checked on other machines than its own.
        if let Err(error) = std::fs::metadata(path) {
            let shown = crate::config::files::shown(path);
            let finding = Finding::warning(format!("cannot read {shown}: {error}"));
            report.add(finding.about(layer, key));
        }
    }
}

/// The one place where a listener listens.
fn address(layer: &Layer, keys: &ListenKeys, report: &mut Report) -> Option<ListenAt> {
    let ways = ["address", "unix", "fd"];
    let set: Vec<_> = ways
        .into_iter()
        .filter(|key| layer.entries.contains_key(*key))
        .collect();
    let is_broken = ways.iter().any(|key| layer.broken.contains(*key));
    if set.len() > 1 {
        let finding = Finding::error("a listener has one of `address`, `unix` and `fd`");
        report.add(finding.about(layer, set[1]));
    } else if set.is_empty() && !is_broken {
        let finding = Finding::error("this listener has no `address`, `unix` or `fd`");
        report.add(finding.at(layer.place.clone()).with_key("address"));
    }
    if keys.mode.is_some() && keys.unix.is_none() {
        report.add(Finding::error("`mode` is for `unix`").about(layer, "mode"));
    }
    let address = keys.address.map(|address| ListenAt::Address(address.0));
    let unix = || {
        let mode = keys.mode.as_ref().map(|mode| mode.0.0);
        Some(ListenAt::Unix {
            path: keys.unix.clone()?,
            mode,
        })
    };
    address
        .or_else(unix)
        .or_else(|| keys.fd.clone().map(ListenAt::Fd))
}

/// Checks that no address is taken twice, by listeners or the streams' own ports.
fn ports(listens: &[Layer], streams: &[Layer], report: &mut Report) {
    let of_listen = |layer: &Layer| layer.read::<ListenKeys>().address;
    let of_stream = |layer: &Layer| layer.read::<OwnKeys>().listen;
    let listens = listens
        .iter()
        .map(|layer| (layer, "address", of_listen(layer)));
    let streams = streams
        .iter()
        .map(|layer| (layer, "listen", of_stream(layer)));
    let mut taken: BTreeMap<ListenAddr, (&Layer, &str)> = BTreeMap::new();
    for (layer, key, address) in listens.chain(streams) {
        let Some(address) = address.filter(|address| address.0.port() != 0) else {
            continue;
        };
        if let Some((other, other_key)) = taken.get(&address) {
            let finding = Finding::error(format!("{address} is taken twice (port_in_use)"))
                .with_code("port_in_use");
            let other = other.place_of(other_key);
            report.add(finding.about(layer, key).with_other(other, "and here"));
        }
        taken.entry(address).or_insert((layer, key));
    }
}

/// The policy that a list of origins means.
///
/// # Errors
///
/// When an item is no origin, or there are too many.
pub(crate) fn cors(origins: &[String]) -> Result<CorsPolicy, String> {
    match origins {
        [any] if any == "*" => Ok(CorsPolicy::ANY),
        [] => Ok(CorsPolicy::NOBODY),
        listed => {
            CorsPolicy::listed(listed.iter().map(String::as_str)).map_err(|error| error.to_string())
        }
    }
}

/// Where streams without a port of their own are served if no listener is written.
const DEFAULT_PORT: u16 = 8080;
