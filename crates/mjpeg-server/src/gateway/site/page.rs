//! The page for people: which streams there are.

use std::fmt::Write;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use mjpeg_manager::{StreamInfo, StreamName};

use super::respond;
use crate::gateway::{config::ServeSet, state::Relayed};

/// A list of the streams, with links if they are served here.
pub(super) fn page(
    relayed: &Relayed,
    names: &[StreamName],
    serve: ServeSet,
) -> Response<Full<Bytes>> {
    let mut text = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Cameras</title>\n<h1>Cameras</h1>\n<ul>\n",
    );
    for name in names {
        if let Ok(info) = relayed.manager.get(name.as_str()) {
            entry(&mut text, &info, serve.streams);
        }
    }
    text += "</ul>\n</html>\n";
    respond::html(text)
}

fn entry(text: &mut String, info: &StreamInfo, has_links: bool) {
    let name = escaped(info.name.as_str());
    let state = escaped(&info.state.public());
    // Writing to a string does not fail.
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
