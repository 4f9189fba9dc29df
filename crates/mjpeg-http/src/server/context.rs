//! What all connections of a listener share, and how they route requests.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use http::{Request, Response};
use hyper::body::Incoming;

use crate::{
    closing::Closer,
    response::{referrer, short},
    server::{
        accept::Wrap,
        fallback::{Fallback, ListenerBody},
        handle::ListenerShared,
        handshakes::Handshakes,
        streams::{Routed, Streams, route},
    },
    service::{StreamService, shared::Caller},
};

/// What all connections of a listener share.
pub(crate) struct Context {
    pub(crate) listener: Arc<ListenerShared>,
    pub(crate) streams: Box<dyn Streams>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) wrap: Option<Arc<dyn Wrap>>,
    pub(crate) handshakes: Handshakes,
    /// Announces that answers in progress should end.
    pub(crate) closer: Closer,
    /// Announces that connections are cut.
    pub(crate) cutter: Closer,
}

/// A response that is being made.
pub(crate) type Answered =
    Pin<Box<dyn Future<Output = Result<Response<ListenerBody>, Infallible>> + Send>>;

impl Context {
    /// Routes a request. `answer` answers one for a stream, at this path within it, of this client.
    pub(crate) fn respond(
        &self,
        mut caller: Caller,
        mut request: Request<Incoming>,
        answer: impl FnOnce(StreamService, Request<Incoming>, (String, Caller)) -> Answered,
    ) -> Answered {
        let Self {
            listener,
            streams,
            fallback,
            ..
        } = self;
        listener.counters.requests.add_one();
        let config = listener.config();
        caller.meet(request.headers_mut(), &config);
        let uri = request.uri();
        let path = config.below_base(uri.path());
        match route(&**streams, path, uri.query(), fallback.is_some()) {
            Routed::Stream(service, path) => {
                let path = path.to_owned();
                answer(service, request, (path, caller))
            }
            Routed::Moved(service, location) => {
                let (request, _) = request.into_parts();
                Box::pin(async move {
                    let shared = service.shared();
                    let response = shared.redirect(&request, &location, &caller).await;
                    Ok(response.map(Into::into))
                })
            }
            Routed::Fallback => {
                let hides_url = referrer::is_secret(uri);
                let answering = match fallback {
                    Some(fallback) => {
                        if let Some(peer) = caller.peer {
                            request.extensions_mut().insert(peer);
                        }
                        if let Some(tls) = caller.tls {
                            request.extensions_mut().insert(tls);
                        }
                        let response = fallback.call(request);
                        Box::pin(async move { Ok(response.await) })
                    }
                    None => now(short::no_such_stream().map(Into::into)),
                };
                if hides_url {
                    return hiding_url(answering);
                }
                answering
            }
        }
    }
}

/// Keeps browsers from naming the URL of this response's request to other sites.
fn hiding_url(answering: Answered) -> Answered {
    Box::pin(async {
        let Ok(mut response) = answering.await;
        referrer::hide(&mut response);
        Ok(response)
    })
}

/// A response that is there at once.
pub(crate) fn now(response: Response<ListenerBody>) -> Answered {
    Box::pin(std::future::ready(Ok(response)))
}
