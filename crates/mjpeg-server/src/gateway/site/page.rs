//! The pages for people: which streams there are, and where to log in.

use std::fmt::Write;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use mjpeg_auth::{Means, Who};
use mjpeg_manager::{StreamInfo, StreamName};

use super::respond;
use crate::gateway::state::Relayed;

/// What the page shows to somebody.
pub(super) struct PageView<'a> {
    pub(super) who: &'a Who,
    /// The streams that they may see.
    pub(super) names: &'a [StreamName],
    /// Whether these are served here.
    pub(super) has_links: bool,
}

/// The page: a list of the streams, which its script makes more of.
pub(super) fn page(relayed: &Relayed, view: &PageView<'_>) -> Response<Full<Bytes>> {
    let mut text = String::from(HEAD);
    text += "<title>Cameras</title>\n<header>\n<h1>Cameras</h1>\n";
    person(
        &mut text,
        view.who,
        !relayed.auth.config().users().is_empty(),
    );
    text += "</header>\n<main>\n<p id=\"message\" role=\"status\"></p>\n";
    text += CONTROLS;
    text += match view.has_links {
        true => "<ul id=\"streams\" data-links>\n",
        false => "<ul id=\"streams\">\n",
    };
    for name in view.names {
        if let Ok(info) = relayed.manager.get(name.as_str()) {
            entry(&mut text, &info, view.has_links);
        }
    }
    text += "</ul>\n";
    text += "</main>\n</html>\n";
    respond::html(text)
}

/// Where somebody logs in.
pub(super) fn login() -> Response<Full<Bytes>> {
    respond::html([HEAD, LOGIN, "</html>\n"].concat())
}

/// Who is at the page, and how that changes.
fn person(text: &mut String, who: &Who, has_users: bool) {
    // Writing to a string does not fail.
    let _ = match who.name() {
        Some(name) => writeln!(text, "<p id=\"person\">{}</p>", escaped(name)),
        None if has_users => writeln!(text, "<a href=\"login\">Log in</a>"),
        None => Ok(()),
    };
    if who.means() == Means::Session {
        *text += "<button id=\"logout\" type=\"button\" hidden>Log out</button>\n";
    }
}

fn entry(text: &mut String, info: &StreamInfo, has_links: bool) {
    let name = escaped(info.name.as_str());
    let state = escaped(&info.state.public());
    let _ = match has_links {
        true => writeln!(
            text,
            "<li><a href=\"{name}/\">{name}</a> (<a href=\"{name}/snapshot\">picture</a>): {state}"
        ),
        false => writeln!(text, "<li>{name}: {state}"),
    };
}

/// There is no such path, and these streams: for people with a terminal.
pub(super) fn not_found(names: &[StreamName]) -> Response<Full<Bytes>> {
    let mut text = String::from("Nothing here.");
    if !names.is_empty() {
        text += " The streams are at";
        for name in names {
            let _ = write!(text, " /{name}/");
        }
    }
    text.push('\n');
    respond::text(StatusCode::NOT_FOUND, text)
}

/// A text as HTML, in an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Its addresses are relative, so that a proxy may put all of it below a path of its own.
const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
                    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                    <link rel=\"stylesheet\" href=\"assets/page.css\">\n\
                    <script type=\"module\" src=\"assets/page.js\"></script>\n";
/// What the script shows of a stream, and to whom may add some.
const CONTROLS: &str = include_str!("assets/controls.html");
const LOGIN: &str = include_str!("assets/login.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let text = "<img src='x' onerror=\"a&b\">";
        let html = "&lt;img src=&#39;x&#39; onerror=&quot;a&amp;b&quot;&gt;";
        assert_eq!(escaped(text), html);
    }
}
