//! A response on its way.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use http::Response;

use crate::response::body::ResponseBody;

/// The response of a [`StreamService`](crate::StreamService), which for a picture may take a while.
pub struct ResponseFuture {
    /// Never locked: the mutex makes the future `Sync`.
    response: Mutex<Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send>>>,
}

impl ResponseFuture {
    pub(crate) fn new(
        response: impl Future<Output = Response<ResponseBody>> + Send + 'static,
    ) -> Self {
        Self {
            response: Mutex::new(Box::pin(response)),
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = self
            .response
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        response.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
