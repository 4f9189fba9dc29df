//! Reads one section.

use serde::Deserialize;
use serde_json::Value as Json;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, ValueDeserializer},
};

use super::nearest::{advice, nearest};
use crate::config::{
    layer::{Entry, Layer, SourcePosition, ValueOrigin},
    report::{Finding, Report},
    schema::{key::Key, section::Section},
};

/// Reads the tables of one file.
pub(super) struct Reader<'r> {
    pub(super) report: &'r mut Report,
    /// Which file it is.
    pub(super) file: usize,
}

type Name<'a> = Spanned<DeString<'a>>;
type TomlValue<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    /// Reads the keys of a section, each by itself, so that all errors are found.
    pub(super) fn section<'a>(
        &mut self,
        section: Section,
        pairs: impl IntoIterator<Item = (&'a Name<'a>, &'a TomlValue<'a>)>,
    ) -> Layer {
        let mut layer = Layer::default();
        for (name, value) in pairs {
            let Some(key) = section.key(name.get_ref()) else {
                self.unknown(name, section);
                continue;
            };
            match self.value(key, name, value) {
                Some(read) => {
                    let origin = ValueOrigin::File(self.place(value.span()));
                    layer.entries.insert(
                        key.name.clone(),
                        Entry {
                            value: read,
                            origin,
                        },
                    );
                }
                None => drop(layer.broken.insert(key.name.clone())),
            }
        }
        layer
    }

    fn value(&mut self, key: &Key, name: &Name<'_>, value: &TomlValue<'_>) -> Option<toml::Value> {
        if let (Some(members), DeValue::Table(table)) = (key.members(), value.get_ref())
            && !self.members(members, table)
        {
            return None;
        }
        let mut alone = DeTable::new();
        alone.insert(name.clone(), value.clone());
        let read = key
            .accepts(Spanned::new(value.span(), alone))
            .and_then(|()| toml::Value::deserialize(ValueDeserializer::from(value.clone())));
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                let place = self.place(error.span().unwrap_or(value.span()));
                let message = without_values(error.message(), value);
                let finding = Finding::error(message).at(place).with_key(&key.name);
                self.report.add(finding);
                return None;
            }
        };
        if !key.is_within_bounds(&read) {
            let bounds = key.bounds().unwrap_or_default();
            let finding = Finding::error(format!("`{}` is out of bounds: {bounds}", key.name));
            let place = self.place(value.span());
            self.report.add(finding.at(place).with_key(&key.name));
            return None;
        }
        Some(read)
    }

    /// Looks for unknown keys in a table that is a value, and returns whether there are none.
    fn members(&mut self, members: &serde_json::Map<String, Json>, table: &DeTable<'_>) -> bool {
        let unknown = table
            .keys()
            .filter(|name| !members.contains_key(&**name.get_ref()));
        let unknown: Vec<_> = unknown.collect();
        for name in &unknown {
            let meant = nearest(name.get_ref(), members.keys().map(String::as_str));
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            self.unknown_key(name, help);
        }
        unknown.is_empty()
    }

    fn unknown(&mut self, name: &Name<'_>, section: Section) {
        let help = advice(name.get_ref(), section);
        self.unknown_key(name, help);
    }

    fn unknown_key(&mut self, name: &Name<'_>, help: Option<String>) {
        let shown = shown_key(name.get_ref());
        let mut finding = Finding::error(format!("unknown key `{shown}`")).with_key(&shown);
        finding.help = help;
        self.report.add(finding.at(self.place(name.span())));
    }

    pub(super) fn place(&self, span: std::ops::Range<usize>) -> SourcePosition {
        SourcePosition {
            file: self.file,
            span,
        }
    }
}

/// A key as it was written, unless it may be something else.
fn shown_key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match name.len() <= 64 && name.chars().all(is_plain) {
        true => name.into(),
        false => "…".into(),
    }
}

/// Takes the texts of a value out of a message about it, which may quote them.
fn without_values(message: &str, value: &TomlValue<'_>) -> String {
    let mut message = message.to_owned();
    let mut values = vec![value.get_ref()];
    while let Some(value) = values.pop() {
        match value {
            DeValue::String(text) if text.contains(['@', ':', '/']) => {
                for quoted in [text.to_string(), text.escape_debug().to_string()] {
                    message = message.replace(&quoted, "…");
                }
            }
            DeValue::Array(items) => values.extend(items.iter().map(Spanned::get_ref)),
            DeValue::Table(table) => values.extend(table.values().map(Spanned::get_ref)),
            _ => {}
        }
    }
    for (theirs, ours) in WORDS {
        message = message.replace(theirs, ours);
    }
    message.trim_end().into()
}

/// Types as people call them.
const WORDS: [(&str, &str); 6] = [
    ("expected f64", "expected a number"),
    ("expected u16", "expected a whole number"),
    ("expected u32", "expected a whole number"),
    ("expected a boolean", "expected true or false"),
    ("expected a sequence", "expected a list: [\"…\"]"),
    ("unknown variant", "unknown word"),
];
