//! A server for pictures of your own, in two calls.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use mjpeg_codec::Frame;
use mjpeg_fanout::Producer;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    address::ListenAddress,
    config::{listener::ListenerConfig, stream::StreamConfig},
    error::BindError,
    server::listener::Listener,
    service::StreamService,
};

/// Serves pictures of your own on a port: [`serve`](Self::serve) once, [`update`](Self::update) for
/// each picture. Dropping it closes the port and cuts the viewers.
///
/// ```
/// use mjpeg_http::LiveServer;
///
/// # const JPEG: &[u8] = &[
/// #     0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
/// #     0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x2A, 0xFF, 0xD9,
/// # ];
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = LiveServer::serve("127.0.0.1:0".parse()?)?;
/// println!("watch {}", server.address());
/// server.update(JPEG)?;
/// server.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LiveServer {
    producer: Producer,
    service: StreamService,
    address: ListenAddress,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl LiveServer {
    /// Binds a TCP port and serves on it, with the default limits. Port 0 takes a free port.
    ///
    /// # Errors
    ///
    /// As [`Listener::bind`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn serve(addr: SocketAddr) -> Result<Self, BindError> {
        let (producer, consumer) = mjpeg_fanout::channel();
        let listener = Listener::bind(addr, ListenerConfig::default())?;
        let address = listener.address();
        let service = StreamService::new(consumer, StreamConfig::default());
        let (stop, stopped) = oneshot::channel();
        let streams = service.clone();
        let serving = tokio::spawn(async move {
            let until = async {
                // An error means that the server is being dropped, which aborts this task anyway.
                let _ = stopped.await;
            };
            listener.serve(streams, until).await;
        });
        Ok(Self {
            producer,
            service,
            address,
            stop: Some(stop),
            serving,
        })
    }

    /// Shows a picture to all viewers, from now until the next. Never waits.
    ///
    /// # Errors
    ///
    /// When the bytes are not exactly one JPEG that browsers show. Viewers keep the picture before.
    pub fn update(&self, jpeg: impl Into<Bytes>) -> Result<(), InvalidPicture> {
        let frame = Frame::parse(jpeg)?;
        if !frame.displayable() {
            return Err(InvalidPicture::NotDisplayable);
        }
        self.producer.publish_now(frame);
        Ok(())
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// The stream's service, to read who is watching.
    pub fn service(&self) -> &StreamService {
        &self.service
    }

    /// Closes the port and ends all responses; those that have not ended after 5 s are cut.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cuts what has not ended yet.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let _ = tokio::join!(&mut self.serving, self.service.drain(GRACE));
    }
}

/// Bytes that a [`LiveServer`] cannot show; the caller is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPicture {
    /// The bytes are not exactly one JPEG.
    #[error("not one whole JPEG")]
    NotJpeg(#[from] mjpeg_codec::Error),
    /// Browsers do not show this kind of JPEG; in some, one such picture ends the stream for good.
    #[error("a JPEG that browsers do not show")]
    NotDisplayable,
}

impl Drop for LiveServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// How long responses may take to end.
const GRACE: Duration = Duration::from_secs(5);
