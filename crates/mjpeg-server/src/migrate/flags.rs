//! Options of a command line, as other programs read them.

/// An option that a program knows: its names, the first of which we call it by, and whether a value
/// follows.
pub(super) type KnownFlag = (&'static [&'static str], bool);

/// An option of a command line. No `Debug`: it may hold a password.
pub(super) struct Flag {
    /// The name that we call it by; that of an unknown one as it was written, without dashes.
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) is_known: bool,
}

/// Reads options: `--name value`, `--name=value`, `-n value`, `-nvalue`, and `-name value` where
/// the program takes long names with one dash. Other words are left out.
pub(super) fn flags(words: &[String], known: &[KnownFlag]) -> Vec<Flag> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let Some(bare) = word.strip_prefix('-').filter(|bare| !bare.is_empty()) else {
            continue;
        };
        let bare = bare.strip_prefix('-').unwrap_or(bare);
        if bare.is_empty() {
            continue;
        }
        let (name, attached) = match bare.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (bare, None),
        };
        let find = |name: &str| known.iter().find(|(names, _)| names.contains(&name));
        let (names, takes, attached) = match (find(name), short(word, known)) {
            (Some((names, takes)), _) => (Some(names[0]), *takes, attached),
            (None, Some((called, value))) => (Some(called), true, Some(value)),
            // One that is not known may have a value.
            (None, None) => (None, true, attached),
        };
        let mut value = attached;
        let next = words
            .get(at)
            .filter(|next| names.is_some() || !next.starts_with('-'));
        if value.is_none()
            && takes
            && let Some(next) = next
        {
            at += 1;
            value = Some(next.clone());
        }
        found.push(Flag {
            name: names.unwrap_or(name).into(),
            value,
            is_known: names.is_some(),
        });
    }
    found
}

/// A short option with its value attached: `-p8080`.
fn short(word: &str, known: &[KnownFlag]) -> Option<(&'static str, String)> {
    let bare = word
        .strip_prefix('-')
        .filter(|bare| !bare.starts_with('-'))?;
    let first = bare.chars().next()?;
    let value = &bare[first.len_utf8()..];
    let is_it =
        |(names, takes): &&KnownFlag| *takes && names.iter().any(|name| name.chars().eq([first]));
    let (names, _) = known.iter().find(is_it)?;
    (!value.is_empty()).then(|| (names[0], value.into()))
}
