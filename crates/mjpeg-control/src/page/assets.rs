//! The files of the page that are part of the program.

use bytes::Bytes;

/// A built-in file.
pub(super) fn built_in(path: &str) -> Option<Bytes> {
    let (_, text) = FILES.iter().find(|(name, _)| *name == path)?;
    Some(Bytes::from_static(text.as_bytes()))
}

/// What a file is, by the end of its name. A page loads no others.
pub(super) fn kind(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    let (_, kind) = KINDS.iter().find(|(known, _)| *known == ending)?;
    Some(kind)
}

const KINDS: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("txt", "text/plain; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
];

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("assets/", $name)))),*]
    };
}

const FILES: &[(&str, &str)] = files! {
    "index.html" "login.html" "view.html"
    "page.css" "wall.css" "icon.svg"
    "api.js" "dom.js" "format.js" "prefs.js" "session.js"
    "wall.js" "delay.js" "painter.js" "images.js"
    "page.js" "tile.js" "layout.js" "streams.js" "full.js" "past.js" "spark.js" "login.js" "view.js"
    "dialogs.css"
    "forms.js" "fields.js" "share.js" "qr.js" "snippets.js" "snippets.json"
    "recordings.js" "recording.js" "lapse.js"
};
