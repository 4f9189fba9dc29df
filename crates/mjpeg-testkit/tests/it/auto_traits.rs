use mjpeg_testkit::{
    Camera, Faults, FlakyLink, FullBacklog, Script, Viewer, jpeg, refused_addr, request,
};

fn can_be_shared<T: Send + Sync + Unpin>() {}
fn can_be_spawned<T: Send + 'static>(_: T) {}

#[test]
fn handles_can_be_shared_between_tasks() {
    can_be_shared::<Camera>();
    can_be_shared::<Faults>();
    can_be_shared::<FlakyLink>();
    can_be_shared::<FullBacklog>();
    can_be_shared::<Script>();
    can_be_shared::<Viewer>();
}

#[tokio::test]
async fn whatever_waits_can_be_spawned() {
    let addr = refused_addr().await;
    can_be_spawned(FullBacklog::start());
    can_be_spawned(request(addr, "GET /"));
    can_be_spawned(async move {
        let camera = Camera::start(Script::frames([jpeg::numbered(0)])).await;
        camera.wait_connections(1).await;
        camera.shutdown().await;
    });
    can_be_spawned(async move {
        let mut viewer = Viewer::open(addr, "/").await?;
        viewer.read_raw(1).await?;
        viewer.next_part().await
    });
}
