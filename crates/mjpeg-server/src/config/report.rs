//! What is wrong with a configuration, all at once.

mod mask;
mod render;

use std::{collections::BTreeSet, path::PathBuf};

use mjpeg_manager::mjpeg_ingest::escaped;
use serde::Serialize;

use super::{
    files::TextFile,
    layer::{Layer, SourcePosition, ValueOrigin},
};

/// Everything that was found.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) files: Vec<TextFile>,
    /// The files and folders that the configuration depends on, whether they could be read or not.
    pub(crate) watched: BTreeSet<PathBuf>,
    pub(crate) findings: Vec<Finding>,
    /// How many more findings there were than are kept.
    left_out: usize,
}

/// One thing that is wrong, or odd. Its texts hold no secrets.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) place: Option<SourcePosition>,
    /// What it is about where there is no place: a flag, or a file that cannot be read.
    pub(crate) about: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) message: String,
    /// A word for machines, where the kind of error has one.
    pub(crate) code: Option<&'static str>,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The other place of a collision, and what stands there.
    pub(crate) other: Option<(SourcePosition, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
}

impl Finding {
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            place: None,
            about: None,
            key: None,
            message: escaped(&message.into()).into_owned(),
            code: None,
            help: None,
            other: None,
        }
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            ..Self::error(message)
        }
    }

    pub(crate) fn at(mut self, place: impl Into<Option<SourcePosition>>) -> Self {
        self.place = place.into();
        self
    }

    /// Says that the finding is about a key of a layer, wherever its value came from.
    pub(crate) fn about(mut self, layer: &Layer, key: &str) -> Self {
        self.place = layer.place_of(key);
        self.key = Some(key.into());
        self.about = match layer.origin(key) {
            Some(ValueOrigin::Flag(flag)) => Some(flag.clone()),
            Some(ValueOrigin::Environment(variable)) => Some(variable.clone()),
            _ => self.about,
        };
        self
    }

    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    pub(crate) fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(escaped(&help.into()).into_owned());
        self
    }

    pub(crate) fn with_other(mut self, other: Option<SourcePosition>, what: &str) -> Self {
        self.other = other.map(|place| (place, what.into()));
        self
    }
}

impl Report {
    /// Adds a finding, unless there are too many of its level.
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.count(finding.level) < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds a finding unless the same was found at the same place, as happens with keys of
    /// `[defaults]`, which each stream has.
    pub(crate) fn add_once(&mut self, finding: Finding) {
        let is_same =
            |known: &Finding| known.place == finding.place && known.message == finding.message;
        if !self.findings.iter().any(is_same) {
            self.add(finding);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.count(Level::Error) > 0
    }

    pub(crate) fn count(&self, level: Level) -> usize {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.level == level).count()
    }

    /// How many errors and warnings there are, in words.
    pub(crate) fn summary(&self) -> String {
        let errors = counted(self.count(Level::Error), "error");
        let warnings = counted(self.count(Level::Warning), "warning");
        match self.left_out {
            0 => format!("{errors}, {warnings}"),
            more => format!("{errors}, {warnings}, {more} more not shown"),
        }
    }

    /// Sorts the findings by their place: those of one file stand in its order.
    pub(crate) fn sort(&mut self) {
        let place = |finding: &Finding| finding.place.as_ref().map(|p| (p.file, p.span.start));
        self.findings.sort_by_key(place);
    }

    /// The words of the errors that have one.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &'static str> {
        self.findings.iter().filter_map(|finding| finding.code)
    }

    /// The findings of a level for programs.
    pub(crate) fn listed(&self, level: Level) -> Vec<Listed> {
        let findings = self.findings.iter();
        let listed = findings.filter(|finding| finding.level == level);
        listed.map(|finding| self.list(finding)).collect()
    }

    /// The findings of a level for a log, a line each.
    pub(crate) fn lines(&self, level: Level) -> Vec<String> {
        let listed = self.listed(level).into_iter();
        let lines = listed.map(
            |finding| match (finding.file, finding.line, finding.column) {
                (Some(file), Some(line), Some(column)) => {
                    format!("{file}:{line}:{column}: {}", finding.message)
                }
                (Some(about), ..) => format!("{about}: {}", finding.message),
                _ => finding.message,
            },
        );
        lines.collect()
    }

    fn list(&self, finding: &Finding) -> Listed {
        let place = finding.place.as_ref();
        let place = place.and_then(|place| Some((self.files.get(place.file)?, place)));
        let position = place.map(|(file, place)| file.line_and_column(place.span.start));
        let mut message = finding.message.clone();
        if let Some(help) = &finding.help {
            message += "; ";
            message += help;
        }
        Listed {
            file: place
                .map(|(file, _)| file.shown())
                .or(finding.about.clone()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            key: finding.key.clone(),
            message,
        }
    }
}

/// A number of things.
pub(crate) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// A finding as `check --json` and the API show it.
#[derive(Serialize)]
pub(crate) struct Listed {
    /// The file, or the flag or variable that is wrong.
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    key: Option<String>,
    message: String,
}

impl Listed {
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The file, line and column.
    pub(crate) fn place(&self) -> Option<(&str, usize, usize)> {
        Some((self.file.as_deref()?, self.line?, self.column?))
    }
}

/// Of each level. Nobody reads more, and a file of nonsense must not fill memory.
const MOST_FINDINGS: usize = 1000;
