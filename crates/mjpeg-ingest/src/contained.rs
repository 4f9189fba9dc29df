//! Code of others that may panic when it is dropped.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use futures_util::Stream;
use tokio::io::{AsyncRead, ReadBuf};

/// A value of a type of the caller's. If a panic is being survived already, another one in its
/// `drop` is swallowed: it would abort the process.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// Pins it, as a box of the same would be.
    pub(crate) fn as_mut(&mut self) -> Pin<&mut Self> {
        Pin::new(self)
    }

    fn get(&mut self) -> &mut T {
        self.0.as_mut().expect("taken out by drop only")
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        if thread::panicking() {
            // The panic that is being survived is the one to report.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Contained<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(self.get()).poll_read(cx, buf)
    }
}

impl<S: Stream + Unpin> Contained<S> {
    /// As that of a stream.
    pub(crate) fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<S::Item>> {
        Pin::new(self.get()).poll_next(cx)
    }
}

impl<F: Future + Unpin> Future for Contained<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        Pin::new(self.get()).poll(cx)
    }
}

impl<T> Unpin for Contained<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn second_panic_does_not_abort_and_the_first_is_not_hidden() {
        let two = || vec![Contained::new(Bomb), Contained::new(Bomb)];
        assert!(catch_unwind(AssertUnwindSafe(|| drop(two()))).is_err());
        let during_another = catch_unwind(|| {
            let _two = two();
            panic!("first");
        });
        let message = during_another.unwrap_err();
        assert_eq!(message.downcast_ref::<&str>(), Some(&"first"));
    }
}
