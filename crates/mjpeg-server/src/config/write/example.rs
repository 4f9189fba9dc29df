//! The one file that shows every key.

use super::wrapped;
use crate::config::schema::{key::Key, root::INCLUDE, section::Section};

/// Writes a file with every key: commented out with its default, or with an example where it has
/// none. It runs as it is.
pub(crate) fn example() -> String {
    let mut out = HEAD.to_owned();
    comment(&mut out, INCLUDE);
    out += "#include = [\"streams.d/*.toml\"]\n";
    for section in [
        Section::Process,
        Section::Listen,
        Section::Defaults,
        Section::Stream,
        Section::Auth,
        Section::User,
        Section::Control,
        Section::Webhook,
        Section::Cluster,
    ] {
        let intro = match section {
            Section::Process => None,
            Section::Listen => Some(LISTEN),
            Section::Defaults => Some(DEFAULTS),
            Section::Stream => Some(STREAMS),
            Section::Auth => Some(AUTH),
            Section::User => Some(USERS),
            Section::Control => Some(CONTROL),
            Section::Webhook => Some(WEBHOOKS),
            Section::Cluster => Some(CLUSTER),
        };
        if let Some(intro) = intro {
            out += "\n\n";
            comment(&mut out, intro);
            // A user is nobody without the hash of a password, and a webhook nothing without a URL.
            if matches!(section, Section::User | Section::Webhook | Section::Cluster) {
                out += "#";
            }
            out += section.header();
            out += "\n";
        }
        let is_shown =
            |key: &&Key| section != Section::Stream || Section::Defaults.key(&key.name).is_none();
        for key in section.keys().filter(is_shown) {
            out += "\n";
            write(&mut out, section, key);
        }
    }
    out
}

fn write(out: &mut String, section: Section, key: &Key) {
    let mut doc = key.doc();
    if let Some(bounds) = key.bounds() {
        doc += &format!(" ({bounds})");
    }
    comment(out, &doc);
    let is_live = match section {
        Section::Listen => key.name == "address",
        Section::User | Section::Webhook | Section::Cluster => false,
        _ => key.is_required(),
    };
    let mark = if is_live { "" } else { "#" };
    let value = key
        .example()
        .or_else(|| key.default())
        .unwrap_or_else(|| table(key));
    *out += &format!("{mark}{} = {value}\n", key.name);
}

/// An example of a table.
fn table(key: &Key) -> String {
    let members = key.members().into_iter().flatten();
    let examples = members.filter_map(|(name, schema)| {
        let example = schema.get("x-example")?.as_str()?;
        Some(format!("{name} = {}", toml::Value::from(example)))
    });
    format!("{{ {} }}", examples.collect::<Vec<_>>().join(", "))
}

fn comment(out: &mut String, text: &str) {
    for line in wrapped(text, 96) {
        *out += &format!("# {line}\n");
    }
}

const HEAD: &str = "\
#:schema ./mjpeg-server.schema.json
# The configuration of mjpeg-server, with every key: `mjpeg-server config --example`.
# What is commented out is the default, or an example where there is none.
# Times are written \"500ms\", \"10s\", \"5m\", \"1h\" or \"7d\"; sizes \"16KiB\" or \"64MiB\".
# `mjpeg-server check FILE` says what is wrong with a file.
# `mjpeg-server config --schema > mjpeg-server.schema.json` lets editors know the keys.

";

const LISTEN: &str = "A port that serves every stream below its name; there may be any number. \
     Without any, there is one at port 8080, unless each stream has a port of its own. Exactly one \
     of `address`, `unix` and `fd` says where.";

const DEFAULTS: &str = "For all streams. Flags and the environment beat this, and what a stream \
     says itself beats both.";

const STREAMS: &str = "A stream; there may be any number. It may have any key of [defaults] too.";

const AUTH: &str = "What holds for those who have no credentials.";

const USERS: &str = "Somebody who can log in; there may be any number.";

const CONTROL: &str = "What the API may do where a listener serves \"control\".";

const WEBHOOKS: &str = "A URL that events are sent to; there may be any number up to 32.";

const CLUSTER: &str =
    "Makes this relay a node of a cluster, which shares its cameras: see docs/cluster.md.";
