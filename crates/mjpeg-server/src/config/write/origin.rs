//! Every effective value, with where it came from.

use crate::{
    config::{
        layer::{Layer, ValueOrigin},
        report::Report,
        resolve::Resolved,
        schema::{key::as_toml, section::Section},
    },
    secrets::masked,
};

/// Writes all values as TOML, each with its origin. Of sources it shows what their labels show.
pub(crate) fn origins(resolved: &Resolved, report: &Report) -> String {
    let mut writer = Writer {
        out: String::new(),
        report,
    };
    writer.layer(Section::Process, &resolved.process, &[]);
    for (layer, listen) in resolved.listens.iter().zip(&resolved.settings.listens) {
        writer.out += "\n[[listen]]\n";
        let mut layer = layer.clone();
        if !layer.entries.contains_key("name") {
            layer.set("name", listen.name.as_str(), ValueOrigin::BuiltIn);
        }
        writer.layer(Section::Listen, &layer, &[]);
    }
    for (layer, stream) in resolved.streams.iter().zip(&resolved.settings.streams) {
        writer.out += "\n[[streams]]\n";
        let labels: Vec<_> = stream.sources.iter().map(ToString::to_string).collect();
        writer.layer(Section::Stream, layer, &labels);
    }
    for (header, section, layer) in [
        ("[auth]", Section::Auth, &resolved.auth),
        ("[control]", Section::Control, &resolved.control),
    ] {
        writer.out += &format!("\n{header}\n");
        writer.layer(section, layer, &[]);
    }
    for layer in &resolved.users {
        writer.out += "\n[[users]]\n";
        writer.layer(Section::User, layer, &[]);
    }
    for (layer, webhook) in resolved.webhooks.iter().zip(&resolved.settings.webhooks) {
        writer.out += "\n[[webhooks]]\n";
        let mut layer = layer.clone();
        if !layer.entries.contains_key("name") {
            layer.set("name", webhook.name.as_str(), ValueOrigin::BuiltIn);
        }
        writer.layer(Section::Webhook, &layer, &[]);
    }
    if let Some(layer) = &resolved.cluster {
        writer.out += "\n[cluster]\n";
        writer.layer(Section::Cluster, layer, &[]);
    }
    masked(writer.out)
}

struct Writer<'r> {
    out: String,
    report: &'r Report,
}

impl Writer<'_> {
    fn layer(&mut self, section: Section, layer: &Layer, labels: &[String]) {
        for key in section.keys() {
            let Some(entry) = layer.entries.get(&key.name) else {
                continue;
            };
            let value = match (&*key.name, labels) {
                ("source", [label, ..]) => as_toml(&label.as_str().into()),
                ("fallback", [_, labels @ ..]) => as_toml(&labels.into()),
                _ if key.is_secret() => "\"***\"".into(),
                _ => entry.value.to_string(),
            };
            let origin = self.origin(&entry.origin);
            self.out += &format!("{:<40} # {origin}\n", format!("{} = {value}", key.name));
        }
    }

    fn origin(&self, origin: &ValueOrigin) -> String {
        match origin {
            ValueOrigin::BuiltIn => "built-in default".into(),
            ValueOrigin::Flag(flag) => flag.clone(),
            ValueOrigin::Environment(variable) => variable.clone(),
            ValueOrigin::Url => "option in the URL of the source".into(),
            ValueOrigin::File(place) => match self.report.files.get(place.file) {
                Some(file) => {
                    let (line, column) = file.line_and_column(place.span.start);
                    format!("{}:{line}:{column}", file.shown())
                }
                None => "file".into(),
            },
        }
    }
}
