//! The node of a cluster that this relay is.

use std::net::IpAddr;

use super::streams::warn_of_requires;
use crate::{
    config::{
        keys::cluster::ClusterKeys,
        layer::Layer,
        read::document::Document,
        report::{Finding, Report},
        settings::ClusterSettings,
        value::secret_text::SecretText,
    },
    secrets::{expanded_text, secret_files},
};

/// Merges the layers of `[cluster]`, if there is one.
pub(super) fn layer(document: &Document, streams: &[Layer], report: &mut Report) -> Option<Layer> {
    let own = document.cluster.as_ref();
    warn_of_requires(streams, own.is_some(), report);
    own.map(|own| Layer::built_in::<ClusterKeys>().under(own))
}

/// Makes the settings of a node, if the relay is one. What is wrong is reported.
pub(super) fn cluster(layer: Option<&Layer>, report: &mut Report) -> Option<ClusterSettings> {
    let layer = layer?;
    let mut keys: ClusterKeys = layer.read();
    for (key, is_missing) in [
        ("name", keys.name.is_none()),
        ("node", keys.node.is_none()),
        ("engine", keys.engine.is_empty()),
        ("listen", keys.listen.is_none()),
    ] {
        if is_missing && !layer.broken.contains(key) {
            let finding = Finding::error(format!("this cluster has no `{key}`"));
            report.add(finding.at(layer.place.clone()).with_key(key));
        }
    }
    let listen = keys.listen?;
    if keys.advertise.is_none() {
        if listen.0.ip().is_unspecified() {
            let finding = Finding::error("under which address do other nodes reach this one?");
            let help = "set `advertise` to HOST:PORT";
            report.add(finding.about(layer, "listen").with_help(help));
            return None;
        }
        keys.advertise = Some(listen.to_string());
    }
    let advertise = keys.advertise.as_deref().unwrap_or_default();
    let is_open = !listen.is_local() || !is_loopback(advertise);
    if is_open && keys.tls.is_none() {
        let message = "without `tls`, nodes talk on loopback addresses only: whoever reaches this \
                       address could read every stream";
        let help = "set `tls`, or for a trial `listen` and `advertise` to 127.0.0.1:PORT";
        report.add(
            Finding::error(message)
                .about(layer, "listen")
                .with_help(help),
        );
    }
    let hosts = keys.engine.iter().filter_map(|url| host_of(url));
    let is_open = is_open || hosts.clone().any(|host| !is_loopback_host(host));
    warn_of_plain_engines(&keys, layer, report);
    let secret = expanded_secret(layer, "secret", keys.secret.as_ref(), report);
    if is_open && keys.secret.is_none() && !layer.broken.contains("secret") {
        let message = "without `secret`, whoever reads etcd could guess passwords of cameras";
        let help = "make one: openssl rand -hex 32. It is the same on all nodes";
        let finding = Finding::error(message).at(layer.place.clone());
        report.add(finding.with_key("secret").with_help(help));
    }
    if keys.engine_user.is_some() != keys.engine_password.is_some() {
        let message = "`engine_user` and `engine_password` go together";
        let key = match keys.engine_user {
            Some(_) => "engine_user",
            None => "engine_password",
        };
        report.add(Finding::error(message).about(layer, key));
    }
    let written = keys.engine_password.as_ref();
    let engine_password = expanded_secret(layer, "engine_password", written, report);
    Some(ClusterSettings {
        secret,
        engine_password,
        keys,
    })
}

fn warn_of_plain_engines(keys: &ClusterKeys, layer: &Layer, report: &mut Report) {
    let is_overheard = |url: &&String| {
        let is_remote = host_of(url).is_some_and(|host| !is_loopback_host(host));
        url.starts_with("http://") && is_remote
    };
    if keys.engine.iter().any(|url| is_overheard(&url)) {
        let message = "etcd is asked without encryption: whoever is on the way decides who reads \
                       which camera";
        let help = "use https://, or a network that nobody else is in";
        report.add(
            Finding::warning(message)
                .about(layer, "engine")
                .with_help(help),
        );
    }
}

fn expanded_secret(
    layer: &Layer,
    key: &str,
    written: Option<&SecretText>,
    report: &mut Report,
) -> Option<SecretText> {
    let SecretText(text) = written?;
    report.watched.extend(secret_files(text));
    let finding = match expanded_text(text) {
        Ok(secret) if secret.is_empty() => Finding::error("the secret is empty"),
        Ok(secret) => return Some(SecretText(secret)),
        Err(error) => Finding::error(format!("{error:#}")),
    };
    report.add(finding.about(layer, key));
    None
}

/// The host of `http://HOST:PORT`.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    Some(
        authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    )
}

/// Whether `HOST:PORT` is this machine only.
fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    is_loopback_host(host)
}

fn is_loopback_host(host: &str) -> bool {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let address: Option<IpAddr> = inside.unwrap_or(host).parse().ok();
    host == "localhost" || address.is_some_and(|ip| ip.to_canonical().is_loopback())
}
