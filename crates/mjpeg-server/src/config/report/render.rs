//! Findings for people: the line itself, underlined.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level as Severity, Renderer, Snippet};

use super::{Finding, Level, Report, mask::Masked};
use crate::{config::layer::SourcePosition, secrets::masked};

impl Report {
    /// Writes all findings. Secrets in the lines that are shown are replaced.
    pub(crate) fn rendered(&self) -> String {
        let shown: Vec<_> = self
            .files
            .iter()
            .map(|file| (file.shown(), Masked::new(&file.text, file.is_toml)))
            .collect();
        let renderer = Renderer::plain();
        let findings = self.findings.iter();
        let texts = findings.map(|finding| renderer.render(&[group(finding, &shown)]));
        masked(texts.collect::<Vec<_>>().join("\n\n"))
    }
}

fn group<'a>(finding: &'a Finding, files: &'a [(String, Masked)]) -> Group<'a> {
    let severity = match finding.level {
        Level::Error => Severity::ERROR,
        Level::Warning => Severity::WARNING,
    };
    let title = match &finding.about {
        Some(about) => format!("{about}: {}", finding.message),
        None => finding.message.clone(),
    };
    let group = Group::with_title(severity.primary_title(title));
    let snippet = |place: &SourcePosition, kind: AnnotationKind, label: Option<&'a str>| {
        let (path, text) = files.get(place.file)?;
        let (line_start, source, span) = excerpt(text, &place.span);
        let annotation = kind.span(span).label(label);
        let snippet = Snippet::source(source).line_start(line_start);
        Some(snippet.path(&**path).annotation(annotation))
    };
    let place = finding.place.as_ref();
    let primary = place.and_then(|place| snippet(place, AnnotationKind::Primary, None));
    let other = finding.other.as_ref();
    let other = other.and_then(|(place, what)| snippet(place, AnnotationKind::Context, Some(what)));
    let help = finding
        .help
        .as_deref()
        .map(|help| Severity::HELP.message(help));
    let group = group.elements(primary).elements(other);
    group.elements(help)
}

/// The line in which a span begins: its number, its text, and the part of it that the span covers.
///
/// Of a value over several lines only the first is shown.
fn excerpt<'a>(text: &'a Masked, span: &Range<usize>) -> (usize, &'a str, Range<usize>) {
    let Range { start, end } = text.span(span);
    let text = text.as_str();
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[line_start..line_end].trim_end_matches('\r');
    let number = text[..line_start].matches('\n').count() + 1;
    let within = |at: usize| at.saturating_sub(line_start).min(line.len());
    (number, line, within(start)..within(end.max(start)))
}
