//! Names and aliases: one namespace over all files and the command line.

use std::collections::BTreeMap;

use mjpeg_manager::mjpeg_http::is_reserved_name;

use crate::config::{
    keys::stream::OwnKeys,
    layer::Layer,
    report::{Finding, Report},
};

/// Checks that no name is taken twice, and none that the listeners need for themselves. Returns all
/// names, each with its stream.
pub(super) fn check(
    streams: &[Layer],
    has_gateway: bool,
    report: &mut Report,
) -> BTreeMap<String, usize> {
    let mut taken: BTreeMap<String, (usize, &'static str)> = BTreeMap::new();
    for (at, layer) in streams.iter().enumerate() {
        let keys: OwnKeys = layer.read();
        let name = keys.name.iter().map(|name| ("name", name));
        let aliases = keys.aliases.iter().map(|alias| ("aliases", alias));
        for (key, name) in name.chain(aliases) {
            let name = name.0.as_str();
            if has_gateway && is_reserved_name(name) {
                let finding =
                    Finding::error(format!("the listeners need the name {name} themselves"));
                report.add(finding.about(layer, key));
            }
            match taken.get(name) {
                Some((other, other_key)) => {
                    let finding =
                        Finding::error(format!("the name {name} is taken (already_exists)"))
                            .with_code("already_exists");
                    let other = streams[*other].place_of(other_key);
                    let finding = finding
                        .about(layer, key)
                        .with_other(other.clone(), "and here");
                    report.add(match other {
                        Some(_) => finding,
                        None => finding.with_help("give each stream a name of its own"),
                    });
                }
                None => drop(taken.insert(name.into(), (at, key))),
            }
        }
    }
    taken
        .into_iter()
        .map(|(name, (at, _))| (name, at))
        .collect()
}
