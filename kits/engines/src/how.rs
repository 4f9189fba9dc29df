//! The ways to show a stream.

use crate::engine::Engine;

/// A way to show a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// `<img>`, from the page's own origin, through a proxy.
    SameOrigin,
    /// `<img crossorigin>`, from the relay's origin.
    Crossorigin,
    /// A script that parses the multipart body, from the relay's origin.
    Fetch,
    /// The same with `--webkit-fetch-mixed`: the relay sends another type to WebKit's `fetch`.
    FetchMixed,
    /// The stream's own URL, opened as a page.
    AddressBar,
}

impl How {
    /// The ways to measure in this engine.
    pub(crate) fn of(engine: Engine) -> Vec<Self> {
        let mut all = vec![
            Self::SameOrigin,
            Self::Crossorigin,
            Self::Fetch,
            Self::AddressBar,
        ];
        if engine == Engine::WebKitGtk {
            all.push(Self::FetchMixed);
        }
        all
    }

    /// The relay's arguments.
    pub(crate) fn relay_args(self) -> &'static [&'static str] {
        match self {
            Self::FetchMixed => &["--webkit-fetch-mixed"],
            _ => &[],
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SameOrigin => "`<img>`, same origin",
            Self::Crossorigin => "`<img crossorigin>`",
            Self::Fetch => "`fetch` parser",
            Self::FetchMixed => "`fetch` parser, `--webkit-fetch-mixed`",
            Self::AddressBar => "address bar",
        }
    }

    /// Whether this engine can show a stream in this way at all.
    ///
    /// WebKitGTK's network layer splits `multipart/x-mixed-replace` itself, so the body that
    /// `fetch` returns fails. No layout helps, only another type does.
    pub(crate) fn works_in(self, engine: Engine) -> bool {
        (engine, self) != (Engine::WebKitGtk, Self::Fetch)
    }
}
