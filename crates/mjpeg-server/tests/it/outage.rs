//! A camera that is killed and returns, relayed by the real program.

use std::time::Duration;

use mjpeg_testkit::{Camera, Script, Viewer, jpeg};
use tokio::time::timeout;

use crate::process::Server;

#[tokio::test]
async fn three_viewers_get_frames_again_on_the_same_response() {
    let script = |from: u32| {
        Script::live(
            (from..from + 20).map(jpeg::numbered).collect(),
            Duration::from_millis(20),
        )
    };
    let camera = Camera::start(script(0)).await;
    let addr = camera.addr();
    let server = Server::start(
        &[
            "run",
            "--stream",
            &format!("door={}@127.0.0.1:0", camera.url()),
        ],
        1,
    );
    let mut viewers = Vec::new();
    for _ in 0..3 {
        let mut viewer = Viewer::open(server.addr(0), "/").await.unwrap();
        viewer.next_frame().await.unwrap().unwrap();
        viewers.push(viewer);
    }
    for outage in 1..=2 {
        camera.shutdown().await;
        let _back = Camera::start_at(addr, script(100 * outage)).await.unwrap();
        for viewer in &mut viewers {
            let new = async {
                loop {
                    let frame = viewer
                        .next_frame()
                        .await
                        .unwrap()
                        .expect("the response goes on");
                    if jpeg::number_of(&frame).unwrap() >= 100 * outage {
                        break;
                    }
                }
            };
            timeout(Duration::from_secs(20), new)
                .await
                .expect("frames come again");
        }
        _back.shutdown().await;
    }
}
