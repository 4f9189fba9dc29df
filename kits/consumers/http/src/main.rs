//! Uses only mjpeg-http: serves a stream, and reads the head of its response over a socket.

use mjpeg_http::{Listener, ListenerConfig, StreamConfig, StreamService, mjpeg_fanout};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (_producer, consumer) = mjpeg_fanout::channel();
    let addr = "127.0.0.1:0".parse().expect("an address");
    let listener = Listener::bind(addr, ListenerConfig::default()).expect("a free port");
    let addr = listener.local_addr().expect("a TCP port");
    let (stop, stopped) = oneshot::channel::<()>();
    let service = StreamService::new(consumer, StreamConfig::default());
    let serving = tokio::spawn(listener.serve(service, async {
        let _ = stopped.await;
    }));
    let mut viewer = TcpStream::connect(addr).await.expect("it listens");
    viewer
        .write_all(b"HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .expect("sent");
    let mut head = String::new();
    viewer.read_to_string(&mut head).await.expect("an answer");
    assert!(
        head.contains("multipart/x-mixed-replace;boundary=boundarydonotcross"),
        "{head}"
    );
    stop.send(()).expect("still serving");
    assert_eq!(serving.await.expect("no panic").cut, 0);
}
