//! The service for every path that belongs to no stream.

use std::{
    convert::Infallible,
    error::Error as StdError,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tower_service::Service;

use crate::{response::body::ResponseBody, server::outgoing::Answering};

/// A fallback service, whatever its type.
pub(crate) type Fallback = Arc<dyn AnyService>;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

pub(crate) trait AnyService: Send + Sync {
    fn call(&self, request: Request<Incoming>) -> BoxFuture<Response<ListenerBody>>;
}

/// A tower service as an [`AnyService`]: each request is answered by a clone.
pub(crate) struct Tower<S>(pub(crate) S);

impl<S, B> AnyService for Tower<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn call(&self, request: Request<Incoming>) -> BoxFuture<Response<ListenerBody>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
            let Ok(response) = service.call(request).await;
            response.map(|body| ListenerBody::Fallback(Box::pin(body.map_err(Into::into))))
        })
    }
}

/// The body of a listener's response.
pub(crate) enum ListenerBody {
    Stream {
        body: ResponseBody,
        /// Until the body is written.
        _answering: Option<Answering>,
    },
    Fallback(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>),
}

impl ListenerBody {
    pub(crate) fn of_stream(body: ResponseBody, answering: Answering) -> Self {
        Self::Stream {
            body,
            _answering: Some(answering),
        }
    }
}

impl From<ResponseBody> for ListenerBody {
    fn from(body: ResponseBody) -> Self {
        Self::Stream {
            body,
            _answering: None,
        }
    }
}

impl Body for ListenerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Self::Stream { body, .. } => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Fallback(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Stream { body, .. } => body.is_end_stream(),
            Self::Fallback(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Stream { body, .. } => body.size_hint(),
            Self::Fallback(body) => body.size_hint(),
        }
    }
}
