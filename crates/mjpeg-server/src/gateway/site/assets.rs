//! What the pages load: a script and a style sheet, which are part of the program.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use super::respond;

/// A file of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asset {
    Script,
    Style,
}

impl Asset {
    /// Finds one by its name below `/assets`.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "page.js" => Some(Self::Script),
            "page.css" => Some(Self::Style),
            _ => None,
        }
    }

    pub(super) fn answer(self) -> Response<Full<Bytes>> {
        let (kind, text) = match self {
            Self::Script => ("text/javascript; charset=utf-8", SCRIPT),
            Self::Style => ("text/css; charset=utf-8", STYLE),
        };
        respond::asset(kind, text)
    }
}

const SCRIPT: &str = include_str!("assets/page.js");
const STYLE: &str = include_str!("assets/page.css");
