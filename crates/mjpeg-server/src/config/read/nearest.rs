//! The key that somebody probably meant.

use crate::config::schema::section::Section;

/// What to do about a key that a section does not have.
pub(super) fn advice(name: &str, section: Section) -> Option<String> {
    let is_own = section == Section::Defaults && Section::Stream.key(name).is_some();
    let own = is_own.then_some(Section::Stream);
    if let Some(other) = own.or_else(|| Section::of_key(name)) {
        return Some(format!("it belongs to {}", belongs(other)));
    }
    let mut names: Vec<&str> = section.keys().map(|key| key.name.as_str()).collect();
    if section == Section::Process {
        names.extend(TABLES);
    }
    let here = nearest(name, names);
    let others = Section::ALL.into_iter().filter(|other| *other != section);
    let elsewhere = nearest(
        name,
        others.flat_map(Section::keys).map(|key| key.name.as_str()),
    );
    match (here, elsewhere) {
        (Some(here), Some(elsewhere)) if likeness(name, elsewhere) <= likeness(name, here) => {
            Some(format!("did you mean `{here}`?"))
        }
        (Some(here), None) => Some(format!("did you mean `{here}`?")),
        (_, Some(elsewhere)) => {
            let header = Section::of_key(elsewhere).map(belongs)?;
            Some(format!(
                "did you mean `{elsewhere}`? It belongs to {header}"
            ))
        }
        (None, None) => None,
    }
}

/// Where the keys of a section belong.
fn belongs(section: Section) -> &'static str {
    match section {
        Section::Defaults => "[defaults] or [[streams]]",
        other => other.header(),
    }
}

/// The name that looks most like this one, if any does.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let names = names
        .into_iter()
        .filter(|known| likeness(name, known) > LEAST);
    names.max_by(|a, b| likeness(name, a).total_cmp(&likeness(name, b)))
}

fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

/// What the top of a file has beside its keys.
pub(super) const TABLES: [&str; 9] = [
    "include", "listen", "defaults", "streams", "auth", "users", "control", "webhooks", "cluster",
];

/// Below it, words have nothing in common but letters.
const LEAST: f64 = 0.85;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_that_was_meant_is_found() {
        for (name, section, advised) in [
            (
                "max_viewer",
                Section::Defaults,
                Some("did you mean `max_viewers`?"),
            ),
            ("sorce", Section::Stream, Some("did you mean `source`?")),
            ("stream", Section::Process, Some("did you mean `streams`?")),
            ("adress", Section::Listen, Some("did you mean `address`?")),
            (
                "source",
                Section::Defaults,
                Some("it belongs to [[streams]]"),
            ),
            ("name", Section::Defaults, Some("it belongs to [[streams]]")),
            (
                "linger",
                Section::Process,
                Some("it belongs to [defaults] or [[streams]]"),
            ),
            (
                "base_path",
                Section::Stream,
                Some("it belongs to [[listen]]"),
            ),
            (
                "max_viewer",
                Section::Process,
                Some("did you mean `max_viewers`? It belongs to [defaults] or [[streams]]"),
            ),
            (
                "password",
                Section::Stream,
                Some("did you mean `password_hash`? It belongs to [[users]]"),
            ),
            ("xyz", Section::Stream, None),
        ] {
            assert_eq!(advice(name, section).as_deref(), advised, "{name}");
        }
    }
}
