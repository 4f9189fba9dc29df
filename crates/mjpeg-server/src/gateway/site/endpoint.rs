//! What a gateway serves beside streams and the API, and where.

use mjpeg_manager::mjpeg_http::Action;

use super::login::SessionChange;
use crate::gateway::config::ServeSet;

/// What can be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint<'a> {
    Page,
    /// Of the stream of this name, without anything around it.
    View(&'a str),
    /// Takes pictures for the stream of this name.
    #[cfg(feature = "http-listen")]
    Push(&'a str),
    Login,
    /// Only changes something.
    Logout,
    /// What the page loads, by its path.
    Asset(&'a str),
    Metrics,
    /// The process runs.
    Alive,
    /// It serves. Does not depend on cameras: those that are offline are no reason to restart it,
    /// or to send viewers elsewhere.
    Ready,
}

impl<'a> Endpoint<'a> {
    /// Finds the one at a path below the base path, if it is served.
    pub(super) fn of(path: &'a str, serve: ServeSet) -> Option<Self> {
        let path = path.trim_start_matches('/');
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let rest = rest.trim_matches('/');
        match (first, rest) {
            ("assets", asset) if serve.page && !asset.is_empty() => Some(Self::Asset(asset)),
            (name, "view") if serve.page && serve.streams => Some(Self::View(name)),
            #[cfg(feature = "http-listen")]
            (name, "push") if serve.streams && !name.is_empty() => Some(Self::Push(name)),
            ("login", "") if serve.page => Some(Self::Login),
            ("logout", "") if serve.page => Some(Self::Logout),
            ("healthz", "") => Some(Self::Alive),
            ("readyz", "") => Some(Self::Ready),
            ("metrics", "") if serve.metrics => Some(Self::Metrics),
            ("", "") if serve.page => Some(Self::Page),
            _ => None,
        }
    }

    /// What somebody must be allowed to do. Health is for everybody, as is logging in: whoever has
    /// wrong credentials may have right ones, too.
    pub(super) fn action(self, is_local: bool) -> Option<Action> {
        match self {
            Self::Page => Some(Action::Page),
            // On this machine they are for everybody.
            Self::Metrics if !is_local => Some(Action::Metrics),
            Self::Metrics | Self::Alive | Self::Ready => None,
            // Whoever may not see the stream is told that there is none.
            Self::View(_) => None,
            Self::Login | Self::Logout | Self::Asset(_) => None,
            // It cannot be read.
            #[cfg(feature = "http-listen")]
            Self::Push(_) => None,
        }
    }

    /// Whether it can be read at all.
    pub(super) fn is_readable(self) -> bool {
        match self {
            Self::Logout => false,
            #[cfg(feature = "http-listen")]
            Self::Push(_) => false,
            _ => true,
        }
    }

    /// What sending something to it changes.
    pub(super) fn change(self) -> Option<SessionChange> {
        match self {
            Self::Login => Some(SessionChange::Begin),
            Self::Logout => Some(SessionChange::End),
            _ => None,
        }
    }

    /// The methods that it takes.
    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::Login => "GET, HEAD, POST",
            Self::Logout => "POST",
            #[cfg(feature = "http-listen")]
            Self::Push(_) => "POST, PUT",
            _ => "GET, HEAD",
        }
    }
}
