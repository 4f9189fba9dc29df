//! Uses only mjpeg-manager, without its HTTP listener: starts a stream whose camera is off, and
//! lists it.

use mjpeg_manager::{Manager, ManagerConfig, StartMode, StreamSpec};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let manager = Manager::new(ManagerConfig::default());
    let spec = || StreamSpec::parse("door", "tcp://127.0.0.1:9").expect("a name and a source");
    manager
        .start(spec().with_mode(StartMode::Retry))
        .await
        .expect("retry mode needs no camera");
    assert_eq!(
        manager
            .start(spec())
            .await
            .expect_err("the name is taken")
            .code(),
        "already_exists"
    );
    assert_eq!(manager.list().len(), 1);
    // This build has no listener.
    let listening = StreamSpec::parse("gate", "tcp://127.0.0.1:9").expect("a name and a source");
    let listening = listening.with_listen("127.0.0.1:0".parse().expect("an address"));
    assert_eq!(
        manager
            .start(listening)
            .await
            .expect_err("no listener")
            .code(),
        "invalid_spec"
    );
    assert_eq!(manager.shutdown().await.stopped, 1);
}
