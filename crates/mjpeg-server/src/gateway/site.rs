//! What a gateway serves beside streams: the page, the API that it reads, and health.

mod api;
mod page;
mod respond;

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header::ACCEPT};
use http_body_util::Full;
use tower_service::Service;

use super::{
    config::ServeSet,
    state::{ConfiguredGateway, GatewayState},
};

/// Answers every request of a gateway that is for no stream.
#[derive(Clone)]
pub(super) struct Site(pub(super) Arc<GatewayState>);

/// What can be read.
enum Endpoint<'a> {
    Page,
    Streams,
    Health(&'a str),
    Metrics,
    /// The process runs.
    Alive,
    /// It serves. Does not depend on cameras: those that are offline are no reason to restart it,
    /// or to send viewers elsewhere.
    Ready,
}

impl Site {
    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response<Full<Bytes>> {
        let configured = self.0.configured();
        let path = configured.config.below_base(uri.path());
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .take(MOST_SEGMENTS)
            .collect();
        let endpoint = endpoint(&segments, configured.config.serve()).filter(|endpoint| {
            // `/?action=stream` of a stream that was not found.
            !matches!(endpoint, Endpoint::Page) || !has_action(uri.query())
        });
        let Some(endpoint) = endpoint else {
            return self.not_found(&segments, &configured, uri, headers);
        };
        if method != Method::GET && method != Method::HEAD {
            return respond::not_allowed();
        }
        let is_probe = matches!(endpoint, Endpoint::Alive | Endpoint::Ready);
        if !is_probe && !configured.hosts.include(uri, headers) {
            return respond::misdirected();
        }
        let relayed = &self.0.relayed;
        match endpoint {
            // Its links are relative to it.
            Endpoint::Page if !uri.path().ends_with('/') => respond::to_folder(uri.path()),
            Endpoint::Page => page::page(relayed, configured.config.serve()),
            Endpoint::Streams => api::streams(relayed),
            Endpoint::Health(name) => api::health(relayed, name),
            // Nobody has the right to read them from elsewhere yet.
            Endpoint::Metrics if !self.0.is_local => respond::only_local(),
            Endpoint::Metrics => {
                let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
                relayed.metrics(accept).map(Full::new)
            }
            Endpoint::Alive | Endpoint::Ready => respond::text(StatusCode::OK, "ok\n"),
        }
    }

    /// Says which streams there are to whoever may read them here.
    fn not_found(
        &self,
        segments: &[&str],
        configured: &ConfiguredGateway,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        let is_ours = configured.hosts.include(uri, headers);
        let names = match configured.config.serve().streams && is_ours {
            true => self.0.relayed.visible(),
            false => Vec::new(),
        };
        match segments {
            ["api", ..] => api::not_found(&names),
            _ => page::not_found(&names),
        }
    }
}

fn endpoint<'a>(segments: &[&'a str], serve: ServeSet) -> Option<Endpoint<'a>> {
    Some(match segments {
        ["healthz"] => Endpoint::Alive,
        ["readyz"] => Endpoint::Ready,
        ["metrics"] if serve.metrics => Endpoint::Metrics,
        _ if !serve.page => return None,
        [] => Endpoint::Page,
        ["api", "v1", "streams"] => Endpoint::Streams,
        ["api", "v1", "streams", name, "health"] => Endpoint::Health(name),
        _ => return None,
    })
}

fn has_action(query: Option<&str>) -> bool {
    let mut parameters = query.unwrap_or_default().split('&');
    parameters.any(|parameter| parameter.split('=').next() == Some("action"))
}

impl<B> Service<Request<B>> for Site {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(
            request.method(),
            request.uri(),
            request.headers(),
        )))
    }
}

/// No path here has as many.
const MOST_SEGMENTS: usize = 8;
