//! What the files on the disk say by now, whether or not they were read since.

use std::{fs, path::Path};

use mjpeg_control::{Error, ErrorCode, Violation};
use mjpeg_manager::StreamName;

use crate::config::{
    files::{Files, TextFile},
    layer::Layer,
    read::document::Document,
    report::Report,
};

/// Checks that no other file has this name before a stream is stored under it: the next start would
/// find it in two files, and fail. What else is wrong with the files is left to the next reload.
///
/// # Errors
///
/// `already_exists`, with the place.
pub(super) fn check_name(main: &Path, own: &Path, name: &StreamName) -> Result<(), Error> {
    // A pipe would be waited for, and has been read.
    if !fs::metadata(main).is_ok_and(|main| main.is_file()) {
        return Ok(());
    }
    let mut report = Report::default();
    let document = Document::read(main, &Files::default(), &mut report);
    let own = fs::canonicalize(own).ok();
    for layer in &document.streams {
        let Some((key, place)) = NAMES.into_iter().find_map(|key| {
            let is_its = has_name(layer, key, name.as_str());
            Some((key, layer.place_of(key).filter(|_| is_its)?))
        }) else {
            continue;
        };
        let Some(file) = report.files.get(place.file) else {
            continue;
        };
        if own.is_some() && fs::canonicalize(&file.path).ok() == own {
            continue;
        }
        return Err(taken(name, key, file, place.span.start));
    }
    Ok(())
}

fn has_name(layer: &Layer, key: &str, name: &str) -> bool {
    let value = layer.entries.get(key).map(|entry| &entry.value);
    match value {
        Some(toml::Value::String(text)) => text == name,
        Some(toml::Value::Array(texts)) => texts.iter().any(|text| text.as_str() == Some(name)),
        _ => false,
    }
}

fn taken(name: &StreamName, key: &str, file: &TextFile, at: usize) -> Error {
    let (line, column) = file.line_and_column(at);
    let path = file.shown();
    let detail = format!("the name {name} is taken in {path}, line {line}");
    let violation = Violation::new(&detail).with_key(key);
    Error::new(ErrorCode::AlreadyExists, &detail)
        .with_hint("the file was changed: reload to see the stream, or choose another name")
        .with_violation(violation.with_place(path, line as u64, column as u64))
}

/// The keys whose values are names: one namespace.
const NAMES: [&str; 2] = ["name", "aliases"];
