//! Reads a configuration: a file, and those that it includes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::section::Reader;
use crate::config::{
    files::{Files, TextFile, listed_folder, shown},
    layer::{Layer, SourcePosition},
    report::{Finding, Report},
    schema::section::Section,
};

/// The sections of a configuration, as they were written.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) process: Layer,
    pub(crate) defaults: Layer,
    pub(crate) listens: Vec<Layer>,
    pub(crate) streams: Vec<Layer>,
    pub(crate) auth: Layer,
    pub(crate) users: Vec<Layer>,
    pub(crate) control: Layer,
    pub(crate) webhooks: Vec<Layer>,
    pub(crate) cluster: Option<Layer>,
    /// The patterns of files that are included, with their folder.
    pub(crate) includes: Vec<PathBuf>,
    /// The file was read, and says nothing at all.
    pub(crate) is_blank: bool,
}

impl Document {
    /// Reads a file and those that it includes. What is wrong is reported; the rest is read.
    pub(crate) fn read(path: &Path, files: &Files, report: &mut Report) -> Self {
        let mut document = Self::default();
        let included = document.add(path, Kind::Main, files, report);
        let mut seen = BTreeSet::from_iter(fs::canonicalize(path));
        let folder = path.parent().unwrap_or(Path::new(""));
        for (pattern, place) in included {
            if let Some(listed) = listed_folder(folder, &pattern) {
                report.watched.insert(listed);
            }
            document.includes.push(folder.join(&pattern));
            let found = match files.matching(folder, &pattern) {
                Ok(found) => found,
                Err(error) => {
                    let finding = Finding::error(format!("cannot include this: {error}"));
                    report.add(finding.at(place).with_key("include"));
                    continue;
                }
            };
            for file in found {
                // Two patterns may mean one file.
                if fs::canonicalize(&file).is_ok_and(|path| !seen.insert(path)) {
                    continue;
                }
                document.add(&file, Kind::Included(place.clone()), files, report);
            }
        }
        if document.streams.len() > MOST_STREAMS {
            report.add(Finding::error(format!(
                "there may be at most {MOST_STREAMS} streams"
            )));
            document.streams.truncate(MOST_STREAMS);
        }
        document
    }

    /// Adds a file, and returns what it includes.
    fn add(
        &mut self,
        path: &Path,
        kind: Kind,
        files: &Files,
        report: &mut Report,
    ) -> Vec<(String, SourcePosition)> {
        report.watched.insert(path.into());
        let total: usize = report.files.iter().map(|file| file.text.len()).sum();
        let read = match total > MOST_BYTES {
            true => Err(std::io::Error::other(
                "the files are larger than 32 MiB together",
            )),
            false => files.read(path),
        };
        let file = match read {
            Ok(file) => file,
            Err(error) => {
                let mut finding = Finding::error(format!("cannot read this file: {error}"));
                finding.about = Some(shown(path));
                if let Kind::Included(place) = kind {
                    finding = finding.at(place).with_key("include");
                }
                report.add(finding);
                return Vec::new();
            }
        };
        let text = file.text.clone();
        let (table, errors) = DeTable::parse_recoverable(&text);
        let is_toml = errors.is_empty();
        report.files.push(TextFile { is_toml, ..file });
        let number = report.files.len() - 1;
        let mut reader = Reader {
            report,
            file: number,
        };
        for error in errors {
            let place = error.span().map(|span| reader.place(span));
            reader.report.add(Finding::error(error.message()).at(place));
        }
        self.top(table.get_ref(), &kind, &mut reader)
    }

    fn top(
        &mut self,
        table: &DeTable<'_>,
        kind: &Kind,
        reader: &mut Reader<'_>,
    ) -> Vec<(String, SourcePosition)> {
        let mut includes = Vec::new();
        let mut rest = Vec::new();
        for (name, value) in table {
            let is_allowed = matches!(kind, Kind::Main) || name.get_ref() == "streams";
            match &**name.get_ref() {
                known @ ("include" | "listen" | "defaults" | "auth" | "users" | "control"
                | "webhooks" | "cluster")
                    if !is_allowed =>
                {
                    let place = reader.place(name.span());
                    let finding = Finding::error("an included file may hold only [[streams]]");
                    reader.report.add(finding.at(place).with_key(known));
                }
                "include" => includes = include(value, reader),
                "listen" => self.listens = tables(value, Section::Listen, reader),
                "streams" => self.streams.extend(tables(value, Section::Stream, reader)),
                "users" => self.users = tables(value, Section::User, reader),
                "webhooks" => self.webhooks = tables(value, Section::Webhook, reader),
                "defaults" => self.defaults = one_table(value, Section::Defaults, reader),
                "auth" => self.auth = one_table(value, Section::Auth, reader),
                "control" => self.control = one_table(value, Section::Control, reader),
                "cluster" => self.cluster = Some(one_table(value, Section::Cluster, reader)),
                _ if is_allowed => rest.push((name, value)),
                _ => {
                    let place = reader.place(name.span());
                    let finding = Finding::error("an included file may hold only [[streams]]");
                    reader.report.add(finding.at(place));
                }
            }
        }
        if matches!(kind, Kind::Main) {
            self.is_blank = table.is_empty();
            self.process = reader.section(Section::Process, rest);
        }
        includes
    }
}

/// Reads streams that stand in no file; `whose` says where they come from.
pub(crate) fn streams_of(whose: &str, text: &str, report: &mut Report) -> Vec<Layer> {
    let mut document = Document::default();
    report.files.push(TextFile {
        path: PathBuf::from(whose),
        text: text.into(),
        is_toml: true,
    });
    let mut reader = Reader {
        file: report.files.len() - 1,
        report,
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.report.add(Finding::error(error.message()));
    }
    let kind = Kind::Included(reader.place(0..0));
    document.top(table.get_ref(), &kind, &mut reader);
    document.streams
}

/// Whether a file was named or included.
enum Kind {
    Main,
    /// By the text at this place.
    Included(SourcePosition),
}

fn include(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Vec<(String, SourcePosition)> {
    let DeValue::Array(items) = value.get_ref() else {
        wrong_kind(
            value,
            "include",
            "write a list: include = [\"streams.d/*.toml\"]",
            reader,
        );
        return Vec::new();
    };
    if items.len() > MOST_INCLUDES {
        let help = format!("at most {MOST_INCLUDES} patterns");
        wrong_kind(value, "include", &help, reader);
    }
    let mut patterns = Vec::new();
    for item in items.iter().take(MOST_INCLUDES) {
        match item.get_ref() {
            DeValue::String(text) => patterns.push((text.to_string(), reader.place(item.span()))),
            _ => wrong_kind(
                item,
                "include",
                "write the path of a file in quotation marks",
                reader,
            ),
        }
    }
    patterns
}

/// Reads the tables of `[[…]]`.
fn tables(value: &Spanned<DeValue<'_>>, section: Section, reader: &mut Reader<'_>) -> Vec<Layer> {
    let key = section.header().trim_matches(['[', ']']);
    let help = format!("write {}, with two brackets on each side", section.header());
    let DeValue::Array(items) = value.get_ref() else {
        wrong_kind(value, key, &help, reader);
        return Vec::new();
    };
    let mut layers = Vec::new();
    for item in items.iter() {
        let DeValue::Table(table) = item.get_ref() else {
            wrong_kind(item, key, &help, reader);
            continue;
        };
        let mut layer = reader.section(section, table);
        layer.place = Some(reader.place(item.span()));
        layers.push(layer);
    }
    layers
}

/// Reads the table of `[…]`.
fn one_table(value: &Spanned<DeValue<'_>>, section: Section, reader: &mut Reader<'_>) -> Layer {
    let key = section.header().trim_matches(['[', ']']);
    let DeValue::Table(table) = value.get_ref() else {
        let help = format!("write {}", section.header());
        wrong_kind(value, key, &help, reader);
        return Layer::default();
    };
    reader.section(section, table)
}

fn wrong_kind(value: &Spanned<DeValue<'_>>, key: &str, help: &str, reader: &mut Reader<'_>) {
    let place = reader.place(value.span());
    let finding = Finding::error(format!("this is no `{key}`")).at(place);
    reader.report.add(finding.with_key(key).with_help(help));
}

/// More than a machine can relay.
pub(crate) const MOST_STREAMS: usize = 4096;

const MOST_INCLUDES: usize = 64;

/// Of all files together, about.
const MOST_BYTES: usize = 32 << 20;
