//! Files of a configuration.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use mjpeg_manager::mjpeg_ingest::escaped;

/// A file of the configuration.
pub(crate) struct TextFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Whether it is TOML, whatever it says.
    pub(crate) is_toml: bool,
}

impl TextFile {
    /// Reads a file of limited size.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no regular file, is not UTF-8 or is too large.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        // A device would have no end. A pipe has one: <(sops -d mjpeg.toml).
        if fs::metadata(path)?.is_dir() {
            return Err(io::Error::other("is a folder"));
        }
        let mut text = String::new();
        File::open(path)?
            .take(MOST_BYTES + 1)
            .read_to_string(&mut text)?;
        if text.len() as u64 > MOST_BYTES {
            return Err(io::Error::other("larger than 4 MiB"));
        }
        Ok(Self {
            path: path.into(),
            text,
            is_toml: true,
        })
    }

    /// Whether the API wrote it, and may write it again.
    pub(crate) fn is_of_api(&self) -> bool {
        self.text.starts_with(API_MARK)
    }

    /// The path for people.
    pub(crate) fn shown(&self) -> String {
        shown(&self.path)
    }

    /// The line and column of a byte, both from 1; columns are characters.
    pub(crate) fn line_and_column(&self, at: usize) -> (usize, usize) {
        let at = char_boundary(&self.text, at);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// Where files are read: on the disk, or as they were read before. No `Debug`: texts hold secrets.
#[derive(Clone, Default)]
pub(crate) struct Files(pub(crate) Option<BTreeMap<PathBuf, String>>);

impl Files {
    /// Reads a file, as [`TextFile::read`].
    pub(crate) fn read(&self, path: &Path) -> io::Result<TextFile> {
        let Some(held) = &self.0 else {
            return TextFile::read(path);
        };
        let text = held.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(TextFile {
            path: path.into(),
            text: text.clone(),
            is_toml: true,
        })
    }

    /// Finds the files that a pattern means, as [`matching`].
    pub(crate) fn matching(&self, folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let Some(held) = &self.0 else {
            return matching(folder, pattern);
        };
        let whole = folder.join(pattern);
        let matches = |path: &&PathBuf| is_included(path, &whole);
        Ok(held.keys().filter(matches).cloned().collect())
    }

    /// Finds the file of a stream that the API wrote, of those that were read before.
    pub(crate) fn of_api(&self, stream: &str) -> Option<PathBuf> {
        let mut held = self.0.iter().flatten();
        let is_its = |(path, text): &(&PathBuf, &String)| {
            text.starts_with(API_MARK) && path.file_stem().is_some_and(|stem| stem == stream)
        };
        held.find(is_its).map(|(path, _)| path.clone())
    }

    /// Changes what a file holds, of those that were read before.
    pub(crate) fn insert(&mut self, path: PathBuf, text: String) {
        self.0.get_or_insert_default().insert(path, text);
    }

    /// Forgets a file that was read before.
    pub(crate) fn remove(&mut self, path: &Path) {
        self.0.get_or_insert_default().remove(path);
    }
}

/// Whether a pattern with its folder means this path.
pub(crate) fn is_included(path: &Path, pattern: &Path) -> bool {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let names = name(pattern).zip(name(path));
    path.parent() == pattern.parent()
        && names.is_some_and(|(pattern, name)| is_file_match(&pattern, &name))
}

/// The last boundary of a character up to this byte.
pub(crate) fn char_boundary(text: &str, at: usize) -> usize {
    let mut before = (0..=at.min(text.len())).rev();
    before.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A path for people.
pub(crate) fn shown(path: &Path) -> String {
    escaped(&path.display().to_string()).into_owned()
}

/// Finds the files that a pattern means, sorted by name: one file, or those of a folder whose names
/// match, where `*` stands for any characters. Names that begin with a dot need one in the pattern.
///
/// # Errors
///
/// If the folder cannot be read, although it exists, or has a `*` itself, or holds too many files.
pub(crate) fn matching(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let whole = folder.join(pattern);
    let name = whole.file_name().and_then(|name| name.to_str());
    let (Some(name), Some(folder)) = (name, whole.parent()) else {
        return Err(io::Error::other("names no file"));
    };
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    if folder.to_string_lossy().contains('*') {
        return Err(io::Error::other("only the file's name may have a '*'"));
    }
    if !name.contains('*') {
        return Ok(vec![whole.clone()]);
    }
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries.take(MOST_ENTRIES) {
        let entry = entry?;
        let file = entry.file_name();
        if file.to_str().is_some_and(|file| is_file_match(name, file)) {
            found.push(entry.path());
        }
    }
    if found.len() > MOST_FILES {
        return Err(io::Error::other(format!(
            "more than {MOST_FILES} files match"
        )));
    }
    found.sort();
    Ok(found)
}

/// The folder whose entries decide which files a pattern means. `None` if it means one file.
pub(crate) fn listed_folder(folder: &Path, pattern: &str) -> Option<PathBuf> {
    let is_pattern = pattern.rsplit('/').next()?.contains('*');
    let listed = folder.join(pattern).parent()?.to_owned();
    is_pattern.then(|| match listed.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => listed,
    })
}

fn is_file_match(pattern: &str, name: &str) -> bool {
    is_match(pattern, name) && (!name.starts_with('.') || pattern.starts_with('.'))
}

/// Whether a name matches a pattern. Each part between two `*` is taken where it first occurs, so
/// that the time is linear in the name for each part.
fn is_match(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    false
}

/// What files that the API writes begin with.
pub(crate) const API_MARK: &str = "# Written by the API of mjpeg-server";

const MOST_BYTES: u64 = 4 << 20;

/// The most files that one pattern may find.
pub(crate) const MOST_FILES: usize = 4096;

/// The most entries of a folder that are looked at.
const MOST_ENTRIES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("*.toml", "a.toml", true),
            ("*.toml", "a.toml~", false),
            ("*.toml", ".toml", true),
            ("cam-*", "cam-1.toml", true),
            ("cam-*.toml", "cam-.toml", true),
            ("cam-*.toml", "cam.toml", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ba", false),
            ("a*a", "a", false),
            ("a.toml", "a.toml", true),
            ("a.toml", "a.tomlx", false),
        ] {
            assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn columns_are_characters() {
        let file = TextFile {
            path: "x".into(),
            text: "a\nüb = 1".into(),
            is_toml: true,
        };
        assert_eq!(file.line_and_column(0), (1, 1));
        assert_eq!(file.line_and_column(4), (2, 2));
        assert_eq!(file.line_and_column(1000), (2, 7));
    }
}
