//! Nothing is left after many starts and stops.

use std::fs;

use mjpeg_testkit::{Camera, Viewer, refused_addr};
use tokio::{net::TcpListener, runtime::Handle};

use crate::support::{live, manager, soon, spec, until};

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Runs in its own process (nextest), so that it counts nothing of other tests.
#[tokio::test]
async fn two_hundred_rounds_leave_no_task_socket_or_port() {
    let camera = Camera::start(live()).await;
    let off = refused_addr().await;
    let manager = manager();
    let mut addrs = Vec::new();
    let mut round = async || {
        let addr = manager
            .start(spec("door", camera.addr()))
            .await
            .unwrap()
            .listen
            .unwrap();
        let mut viewer = Viewer::open(addr, "/").await.unwrap();
        soon(viewer.next_frame()).await.unwrap().expect("a frame");
        manager.stop("door").await.unwrap();
        manager.start(spec("door", off)).await.unwrap_err();
        addrs.push(addr);
    };
    // The first round opens what stays open: the runtime's own descriptors.
    round().await;
    until("the camera has let go", async || camera.open() == 0).await;
    let (files, tasks_before) = (open_files(), tasks());
    for _ in 0..200 {
        round().await;
    }
    until("the camera has let go", async || camera.open() == 0).await;
    until("its tasks have ended", async || tasks() <= tasks_before).await;
    assert_eq!(tasks(), tasks_before);
    assert!(
        open_files() <= files,
        "{} open files instead of {files}",
        open_files()
    );
    for addr in addrs {
        TcpListener::bind(addr).await.expect("the port is free");
    }
}
