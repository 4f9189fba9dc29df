//! The reference, docs/configuration.md.

use mjpeg_manager::mjpeg_http::RESERVED_NAMES;

use super::wrapped;
use crate::config::schema::{key::Key, root::INCLUDE, section::Section};

/// Writes the reference as Markdown.
pub(crate) fn reference() -> String {
    let mut out = HEAD.to_owned();
    let reserved: Vec<_> = RESERVED_NAMES
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let names = "Names and aliases of streams must be unique across all files. If there is a \
                 listener, no stream can have these names:";
    out += "\n";
    paragraph(&mut out, &format!("{names} {}.", reserved.join(", ")));
    out.pop();
    for section in [
        Section::Process,
        Section::Listen,
        Section::Stream,
        Section::Auth,
        Section::User,
        Section::Control,
        Section::Webhook,
        Section::Cluster,
    ] {
        let (title, intro) = match section {
            Section::Process => ("The top of the file", ""),
            Section::Listen => ("`[[listen]]`", LISTEN),
            Section::Stream | Section::Defaults => ("`[[streams]]` and `[defaults]`", STREAMS),
            Section::Auth => ("`[auth]`", AUTH),
            Section::User => ("`[[users]]`", USERS),
            Section::Control => ("`[control]`", CONTROL),
            Section::Webhook => ("`[[webhooks]]`", WEBHOOKS),
            Section::Cluster => ("`[cluster]`", CLUSTER),
        };
        out += &format!("\n## {title}\n\n");
        paragraph(&mut out, intro);
        if section == Section::Process {
            out += "### `include`\n\n";
            paragraph(&mut out, INCLUDE);
            let facts = "list of texts · default `[]` · at most 64 items · reload: viewers keep \
                 their response · API: no";
            paragraph(&mut out, facts);
        }
        for key in section.keys() {
            out += &format!("### `{}`\n\n", key.name);
            paragraph(&mut out, &key.doc());
            paragraph(&mut out, &facts(section, key));
            for (name, schema) in key.members().into_iter().flatten() {
                let doc = schema.get("description").and_then(|doc| doc.as_str());
                let doc = doc.unwrap_or_default().replace('\n', " ");
                for (at, line) in wrapped(&format!("`{name}`: {doc}"), 98).iter().enumerate() {
                    out += if at == 0 { "* " } else { "  " };
                    out += &format!("{line}\n");
                }
            }
            if key.members().is_some() {
                out += "\n";
            }
        }
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// Type, default, bounds, what a reload does, and whether the API may set it.
fn facts(section: Section, key: &Key) -> String {
    let mut facts = vec![key.kind()];
    let default = key.default().map(|default| format!("`{default}`"));
    let default = key.default_text().map(Into::into).or(default);
    facts.push(match default {
        Some(default) => format!("default {default}"),
        None if key.is_required() => "must be set".into(),
        None => "default: none".into(),
    });
    facts.extend(key.bounds());
    if section == Section::Stream && Section::Defaults.key(&key.name).is_none() {
        facts.push("not in `[defaults]`".into());
    }
    facts.push(format!("reload: {}", key.reload()));
    facts.push(format!("API: {}", if key.api() { "yes" } else { "no" }));
    facts.join(" · ")
}

fn paragraph(out: &mut String, text: &str) {
    for line in wrapped(text, 100) {
        *out += &line;
        *out += "\n";
    }
    if !text.is_empty() {
        *out += "\n";
    }
}

const HEAD: &str = "\
<!-- Written by `mjpeg-server config --reference`; change the docs of the keys instead. -->

# Configuration file

`mjpeg-server run --config FILE` reads a TOML file; without `--config` and `--stream` it reads
`./mjpeg.toml`, or else `/etc/mjpeg-server/mjpeg.toml`. `mjpeg-server config --example` prints a
file with every key, `mjpeg-server check FILE` finds what is wrong with one, and
`mjpeg-server config --show-origin` prints every value that is in effect and where it came from.

A value is taken from the first of these that has it:

1. the stream's own key, or the listener's
2. an option in the URL of the stream's source, such as `#stall_limit=2m`
3. a flag, `--max-viewers`, or else its environment variable, `MJPEG_MAX_VIEWERS`
4. the file's `[defaults]`
5. the built-in default

For the keys at the top of the file, a flag or variable beats the file.

Times are written `\"500ms\"`, `\"10s\"`, `\"5m\"`, `\"1h\"` or `\"7d\"`, sizes `\"16KiB\"` or `\"64MiB\"`. The
URL of a source may hold `${env:NAME}` (an environment variable), `${file:PATH}` (the content of a
file) and `${credential:NAME}` (a credential that systemd passes with `LoadCredential=`). All paths
but those of `include` are relative to the folder that the program runs in.

Below each key you find the kind of its value, its default and bounds, what a reload does when it
has changed, and whether the API may set it. docs/reload.md says how to reload, and what that does.
";

const LISTEN: &str = "A port that serves every stream below its name; there may be any number. \
     If the file has none, there is one at port 8080, unless each stream has a port of its own. \
     Exactly one of `address`, `unix` and `fd` says where it listens. A listener with another \
     address is another listener, and the viewers of the old one keep their response. The \
     `trusted_proxies` of the first listener hold for streams' own ports, too.";

const STREAMS: &str = "A stream; there may be any number. `[defaults]` may have the same keys, for \
     all streams, except those marked \"not in `[defaults]`\".";

const AUTH: &str = "Who needs credentials. Without this section, everybody may view, and \
     nobody may do more. docs/security.md says what each right opens.";

const USERS: &str = "Somebody who can log in, with a password, a token, or both.";

const CONTROL: &str = "What the control API may do. It is served by listeners whose `serve` has \
     `\"control\"`, and on a Unix socket of the user who runs the program.";

const WEBHOOKS: &str = "A URL to which the relay sends signed events; there may be up to 32. \
     docs/webhooks.md says what is sent, and how a receiver checks it. The API cannot set \
     webhooks.";

const CLUSTER: &str = "Makes this relay a node of a cluster: several relays that share their cameras. \
     One of them is connected to a camera, the others read it from that one, and one of them takes \
     over when it fails. Viewers may use any of them. docs/cluster.md says how to set up three \
     nodes. A relay without this section needs no etcd.";
