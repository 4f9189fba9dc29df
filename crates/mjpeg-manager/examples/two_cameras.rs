//! Starts streams by name, lists them, and shuts down.
//!
//! ```text
//! cargo run -p mjpeg-manager --features listener --example two_cameras -- \
//!     tcp://192.168.1.100:6001 tcp://192.168.1.101:6001
//! ```
//!
//! Without arguments it takes cameras that are off, to show that a start in retry mode succeeds all
//! the same.

use std::{env, time::Duration};

use mjpeg_manager::{Error, Manager, ManagerConfig, StartMode, StreamSpec};
use tokio::time::sleep;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut sources: Vec<String> = env::args().skip(1).collect();
    if sources.is_empty() {
        sources = vec!["tcp://127.0.0.1:9".into(), "tcp://127.0.0.1:10".into()];
    }
    #[cfg(feature = "listener")]
    let manager = {
        let http = mjpeg_manager::HttpOutlet::default();
        Manager::with_outlets(ManagerConfig::default(), [http.factory()])
    };
    #[cfg(not(feature = "listener"))]
    let manager = Manager::new(ManagerConfig::default());
    for (n, source) in (1..).zip(&sources) {
        let mut spec =
            StreamSpec::parse(&format!("camera{n}"), source)?.with_mode(StartMode::Retry);
        if cfg!(feature = "listener") {
            spec = spec.with_listen(([127, 0, 0, 1], 0).into());
        }
        let stream = manager.start(spec).await?;
        println!("{} started, viewers at {:?}", stream.name, stream.listen);
    }
    for _ in 0..3 {
        sleep(Duration::from_millis(500)).await;
        for stream in manager.list() {
            println!(
                "{}: {}, {} frames, {:.1} fps",
                stream.name, stream.state, stream.frames, stream.fps
            );
        }
    }
    let report = manager.shutdown().await;
    println!("{} streams stopped", report.stopped);
    Ok(())
}
