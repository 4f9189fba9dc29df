//! What a gateway serves beside streams: the page, the API, metrics and health.

mod endpoint;
mod login;
mod masked;
mod missing;
mod respond;

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header::ACCEPT, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use mjpeg_auth::{Right, Who};
use mjpeg_control::ListedStream;
use mjpeg_manager::mjpeg_http::{Access, Action, Gate, Inquiry};
use tower_service::Service;

use self::endpoint::Endpoint;
use super::state::{ConfiguredGateway, GatewayState};

/// Answers every request of a gateway that is for no stream.
#[derive(Clone)]
pub(super) struct Site(pub(super) Arc<GatewayState>);

impl Site {
    async fn answer(&self, request: &Parts) -> Response<Full<Bytes>> {
        let configured = self.0.configured();
        let path = configured.config.below_base(request.uri.path());
        let endpoint = Endpoint::of(path, configured.config.serve()).filter(|endpoint| {
            // `/?action=stream` of a stream that was not found.
            *endpoint != Endpoint::Page || !has_action(request.uri.query())
        });
        let Some(endpoint) = endpoint else {
            return self.not_found(&configured, request).await;
        };
        let is_read = request.method == Method::GET || request.method == Method::HEAD;
        if !is_read || !endpoint.is_readable() {
            return respond::not_allowed(endpoint.methods());
        }
        let is_probe = matches!(endpoint, Endpoint::Alive | Endpoint::Ready);
        if !is_probe && !configured.hosts.include(&request.uri, &request.headers) {
            return respond::misdirected();
        }
        let relayed = &self.0.relayed;
        if let Some(action) = endpoint.action(self.0.is_local)
            && let Access::Deny(refusal) = relayed
                .auth
                .decide(&inquiry(action, &configured, request))
                .await
        {
            let config = relayed.auth.config();
            let has_users = !config.users().is_empty() || config.jwt().is_some();
            return match endpoint {
                Endpoint::Metrics if !has_users => respond::only_local(),
                _ => refusal.map(Full::new),
            };
        }
        self.show(endpoint, &configured, request).await
    }

    /// Answers somebody who may read it.
    async fn show(
        &self,
        endpoint: Endpoint<'_>,
        configured: &ConfiguredGateway,
        request: &Parts,
    ) -> Response<Full<Bytes>> {
        let relayed = &self.0.relayed;
        match endpoint {
            // Its links are relative to it.
            Endpoint::Page if !request.uri.path().ends_with('/') => {
                respond::to_folder(request.uri.path())
            }
            Endpoint::Page => {
                let streams = self.visible(configured, request).await;
                let has_links = configured.config.serve().streams;
                configured.page.index(&streams, has_links).await
            }
            Endpoint::View(name) => {
                if !self.sees(name, configured, request).await {
                    return self.not_found(configured, request).await;
                }
                configured.page.view().await
            }
            Endpoint::Login if wants_json(request) => {
                let who = self.who(configured, request).await;
                login::session(&relayed.auth, &who)
            }
            Endpoint::Login if request.uri.path().ends_with('/') => respond::to("../login"),
            Endpoint::Login => configured.page.login().await,
            Endpoint::Asset(path) => match configured.page.asset(path).await {
                Some(asset) => asset,
                None => self.not_found(configured, request).await,
            },
            // Refused above.
            Endpoint::Logout => respond::not_allowed(endpoint.methods()),
            #[cfg(feature = "http-listen")]
            Endpoint::Push(_) => respond::not_allowed(endpoint.methods()),
            Endpoint::Metrics => {
                let accept = request.headers.get(ACCEPT);
                let accept = accept.and_then(|accept| accept.to_str().ok());
                relayed.metrics(accept).map(Full::new)
            }
            Endpoint::Alive | Endpoint::Ready => respond::text(StatusCode::OK, "ok\n"),
        }
    }

    /// Who sent this request.
    async fn who(&self, configured: &ConfiguredGateway, request: &Parts) -> Who {
        let inquiry = inquiry(Action::State, configured, request);
        let who = self.0.relayed.auth.identify(&inquiry).await;
        who.unwrap_or(Who::STRANGER)
    }

    /// The streams that the sender may see, in order; without those that only the auth hook opens:
    /// this is for a page without scripts, and the hook would be asked about each stream.
    async fn visible(&self, configured: &ConfiguredGateway, request: &Parts) -> Vec<ListedStream> {
        let relayed = &self.0.relayed;
        let who = self.who(configured, request).await;
        let may_view = |name: &str| relayed.auth.may(&who, Right::View, Some(name));
        let names = relayed.names().into_iter();
        let names = names.filter(|name| may_view(name.as_str()));
        let listed = names.filter_map(|name| {
            let info = relayed.manager.get(name.as_str()).ok()?;
            Some(ListedStream::new(name.as_str(), info.state.public()))
        });
        listed.collect()
    }

    /// Whether there is a stream of this name or further name that the sender may see.
    async fn sees(&self, name: &str, configured: &ConfiguredGateway, request: &Parts) -> bool {
        let relayed = &self.0.relayed;
        let Some(name) = relayed.resolved(name) else {
            return false;
        };
        let mut inquiry = inquiry(Action::State, configured, request);
        inquiry.stream = Some(name.as_str().into());
        matches!(relayed.auth.decide(&inquiry).await, Access::Allow(_))
    }

    /// Takes the pictures of a request for the stream of this name or further name. Of one that is
    /// not there the answer is that for one which the sender may not see.
    #[cfg(feature = "http-listen")]
    async fn push<B>(&self, name: String, request: Request<B>) -> Response<respond::SiteBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = self.0.relayed.resolved(&name);
        let name = stream.map_or(name, |stream| stream.to_string());
        let response = self.0.control.push(&name, request).await;
        response.map(BodyExt::boxed_unsync)
    }

    /// Says which streams there are to whoever may read them here. Where some streams are not for
    /// everybody, it is the answer for one of those.
    async fn not_found(
        &self,
        configured: &ConfiguredGateway,
        request: &Parts,
    ) -> Response<Full<Bytes>> {
        let auth = &self.0.relayed.auth;
        if !auth.is_open() {
            let inquiry = inquiry(Action::Stream, configured, request);
            return auth.refuse_unknown(&inquiry).await.map(Full::new);
        }
        let is_ours = configured.hosts.include(&request.uri, &request.headers);
        let names = match configured.config.serve().streams && is_ours {
            true => self.0.relayed.names(),
            false => Vec::new(),
        };
        missing::not_found(&names)
    }
}

fn inquiry(action: Action, configured: &ConfiguredGateway, request: &Parts) -> Inquiry {
    let mut inquiry = Inquiry::of_request(action, request);
    inquiry.listener = configured.config.name().into();
    inquiry
}

/// Whether a script asks, not a browser that opens a page.
fn wants_json(request: &Parts) -> bool {
    let accept = request.headers.get(ACCEPT);
    accept.is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"))
}

fn has_action(query: Option<&str>) -> bool {
    let mut parameters = query.unwrap_or_default().split('&');
    parameters.any(|parameter| parameter.split('=').next() == Some("action"))
}

/// Whether a path is the API's. go2rtc's two are not: where they name a stream that is not there,
/// the answer is that for one which is not for everybody.
fn is_of_api(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.next() == Some("api")
        && !matches!(segments.next(), Some("stream.mjpeg" | "frame.jpeg"))
}

/// Takes doubled slashes, and one at the end, out of the path, as proxies make them.
fn tidied<B>(mut request: Request<B>) -> Request<B> {
    let uri = request.uri();
    let segments = uri.path().split('/').filter(|segment| !segment.is_empty());
    let path = segments.fold(String::new(), |path, segment| path + "/" + segment);
    let query = uri.query().map(|query| format!("?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = (path + &query.unwrap_or_default()).parse().ok();
    if let Ok(tidied) = Uri::from_parts(parts) {
        *request.uri_mut() = tidied;
    }
    request
}

fn boxed(response: Response<Full<Bytes>>) -> Response<respond::SiteBody> {
    response.map(|body| body.map_err(|never| match never {}).boxed_unsync())
}

impl<B> Service<Request<B>> for Site
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<respond::SiteBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let configured = self.0.configured();
        if is_of_api(configured.config.below_base(request.uri().path())) {
            let answering = self.0.control.clone().call(tidied(request));
            return Box::pin(async { Ok(masked::masked(answering.await?).await) });
        }
        let site = self.clone();
        let path = configured.config.below_base(request.uri().path());
        let endpoint = Endpoint::of(path, configured.config.serve());
        if *request.method() == Method::POST
            && let Some(change) = endpoint.and_then(|endpoint| endpoint.change())
        {
            return Box::pin(async move {
                Ok(match change.answer(&site.0, request).await {
                    Ok(response) => boxed(response),
                    Err(error) => error.respond().map(BodyExt::boxed_unsync),
                })
            });
        }
        #[cfg(feature = "http-listen")]
        if let Some(Endpoint::Push(name)) = endpoint
            && matches!(*request.method(), Method::POST | Method::PUT)
        {
            let name = name.to_owned();
            return Box::pin(async move { Ok(site.push(name, request).await) });
        }
        let (request, _body) = request.into_parts();
        Box::pin(async move { Ok(boxed(site.answer(&request).await)) })
    }
}
