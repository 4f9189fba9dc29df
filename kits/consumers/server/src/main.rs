//! Uses only mjpeg-server: embeds the relay, and reads the URL of its stream.

use mjpeg_server::{Relay, StreamArg, mjpeg_manager::StartMode};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arg: StreamArg = "door=tcp://127.0.0.1:9@127.0.0.1:0"
        .parse()
        .expect("a stream");
    let spec = arg.into_spec().with_mode(StartMode::Retry);
    let relay = Relay::start([spec], Default::default())
        .await
        .expect("retry mode needs no camera");
    let urls: Vec<String> = relay.urls().collect();
    assert!(urls[0].starts_with("http://127.0.0.1:"), "{urls:?}");
    assert_eq!(relay.shutdown().await.stopped, 1);
}
