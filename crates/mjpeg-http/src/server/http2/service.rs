//! How the requests of an HTTP/2 connection are answered.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc, time::Duration};

use http::{Method, Request, Response};
use hyper::{body::Incoming, service::Service};
use tokio::time::Instant;

use crate::{
    response::short,
    server::{
        context::{Context, now},
        fallback::ListenerBody,
        http2::{
            body::PiecedBody,
            bounds::{Bounds, ViewerBounds},
            requests::{RequestState, Requests},
        },
    },
    service::{
        StreamService,
        shared::{Answer, Caller},
    },
    stats::ListenerCounters,
};

/// Routes a connection's requests.
pub(super) struct Http2Service {
    requests: Arc<Requests>,
    caller: Caller,
    counters: Arc<ListenerCounters>,
    write_stall: Duration,
}

impl Http2Service {
    pub(super) fn new(
        context: Arc<Context>,
        caller: Caller,
        requests: Arc<Requests>,
        write_stall: Duration,
    ) -> Self {
        let counters = Arc::clone(&context.listener.counters);
        requests.attach(context);
        Self {
            requests,
            caller,
            counters,
            write_stall,
        }
    }
}

impl Service<Request<Incoming>> for Http2Service {
    type Response = Response<PiecedBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let state = self.requests.begin();
        let response = match self.requests.context() {
            None => now(short::closed().map(Into::into)),
            // It would take over a stream of the connection, which nothing here ends.
            _ if request.method() == Method::CONNECT => now(short::not_allowed().map(Into::into)),
            Some(context) => {
                let (caller, state) = (self.caller.clone(), Arc::clone(&state));
                let requests = Arc::clone(&self.requests);
                context.respond(caller, request, |service, request, asked| {
                    Box::pin(async move {
                        Ok(answer(service, request, asked, (&state, &requests)).await)
                    })
                })
            }
        };
        let (counters, write_stall) = (Arc::clone(&self.counters), self.write_stall);
        Box::pin(async move {
            let Ok(response) = response.await;
            state.bound_if_unbound(|| Bounds::Other {
                write_stall,
                counters,
            });
            let progress = Arc::clone(&state.progress);
            Ok(response.map(|body| PiecedBody::new(body, progress)))
        })
    }
}

/// Answers a request for a stream.
async fn answer(
    service: StreamService,
    request: Request<Incoming>,
    (path, caller): (String, Caller),
    (state, requests): (&RequestState, &Requests),
) -> Response<ListenerBody> {
    let (request, _) = request.into_parts();
    let headers = request.headers.clone();
    let shared = service.shared();
    let answer = shared.answer(request, &path, caller).await;
    if let Answer::Stream(_, feed) = &answer {
        let (viewer, counters) = feed.permit().shared();
        requests.note_viewer();
        state.bound(Bounds::Viewer(ViewerBounds {
            viewer,
            counters,
            config: shared.config.subscribe(),
            cut: Some(shared.cutter.subscribe()),
        }));
        return shared.respond(answer, &headers).await.map(Into::into);
    }
    let response = shared.respond(answer, &headers).await;
    let sending = match response.body().answer() {
        Some(sending) => Arc::clone(sending),
        None => shared.unlimited_answer(),
    };
    sending.begin(Instant::now());
    state.bound(Bounds::Answer(sending));
    response.map(Into::into)
}
