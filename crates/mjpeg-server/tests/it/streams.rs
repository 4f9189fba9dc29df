//! Real streams with known truth: a fake camera plays a file, and a viewer receives exactly the
//! undamaged frames.
//!
//! Runs on the project's own fixtures, and on a larger corpus of the same format if there is one
//! beside the checkout.

use std::{collections::HashSet, fs, net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use mjpeg_manager::{
    HttpOutlet, Manager, ManagerConfig, StartMode, StreamSpec,
    mjpeg_codec::{Frame, repair::Repairs},
};
use mjpeg_testkit::Viewer;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A stream and its truth.
struct Truth {
    name: String,
    stream: Bytes,
    /// End offset and bytes of each frame that must be relayed.
    must: Vec<(usize, Bytes)>,
    /// Damaged frames, which may be relayed or not.
    hurt: HashSet<Bytes>,
    debatable: bool,
}

impl Truth {
    fn read(json: &Path) -> Self {
        let truth: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        let stream = Bytes::from(fs::read(json.with_extension("mjpeg")).unwrap());
        let number = |value: &Value| usize::try_from(value.as_u64().expect("a number")).unwrap();
        let frame = |frame: &Value| {
            let (offset, length) = (number(&frame["offset"]), number(&frame["length"]));
            (offset + length, stream.slice(offset..offset + length))
        };
        let frames = truth["frames"].as_array().unwrap();
        let must = truth["must_recover"]
            .as_array()
            .unwrap()
            .iter()
            .map(|index| frame(&frames[number(index)]));
        let hurt = frames
            .iter()
            .filter(|f| f["damaged"].as_bool() == Some(true))
            .map(|f| frame(f).1);
        Self {
            name: truth["name"].as_str().unwrap().into(),
            must: must.collect(),
            hurt: hurt.collect(),
            debatable: truth["debatable"].as_bool() == Some(true),
            stream: stream.clone(),
        }
    }

    /// The same stream with every frame as repaired.
    fn repaired(&self, repairs: Repairs) -> Self {
        let repaired = |bytes: &Bytes| match Frame::parse(bytes.clone()) {
            Ok(frame) => frame.repaired(repairs).0.into_bytes(),
            Err(_) => bytes.clone(),
        };
        Self {
            name: self.name.clone(),
            stream: self.stream.clone(),
            must: self
                .must
                .iter()
                .map(|(end, bytes)| (*end, repaired(bytes)))
                .collect(),
            hurt: self.hurt.iter().map(repaired).collect(),
            debatable: self.debatable,
        }
    }

    fn read_all(folder: &Path) -> Vec<Self> {
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .map(|path| Self::read(path))
            .collect()
    }
}

/// Sends the stream up to the end of each frame that must be relayed, then waits until the viewer
/// has received it. So no frame is skipped, and each must leave with its last byte.
async fn play(truth: &Truth, camera: &mut TcpStream, viewer: &mut Viewer) {
    let mut sent = 0;
    for (n, (end, expected)) in truth.must.iter().enumerate() {
        camera.write_all(&truth.stream[sent..*end]).await.unwrap();
        sent = *end;
        loop {
            let next = timeout(Duration::from_secs(8), viewer.next_frame()).await;
            let frame = next.unwrap_or_else(|_| {
                panic!(
                    "{}: frame {n} of {} did not come",
                    truth.name,
                    truth.must.len()
                )
            });
            let frame = frame.unwrap().expect("the response goes on");
            if frame == expected {
                break;
            }
            assert!(
                truth.hurt.contains(&frame),
                "{}: {} bytes that are no frame, before frame {n}",
                truth.name,
                frame.len()
            );
        }
    }
    camera.write_all(&truth.stream[sent..]).await.unwrap();
}

/// Relays the stream as it is, then with the repairs that are on by default.
async fn relay(truth: &Truth) {
    relay_with(Repairs::NONE, truth).await;
    relay_with(Repairs::RECOMMENDED, &truth.repaired(Repairs::RECOMMENDED)).await;
}

async fn relay_with(repairs: Repairs, truth: &Truth) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let camera_addr: SocketAddr = listener.local_addr().unwrap();
    let manager =
        Manager::with_outlets(ManagerConfig::default(), [HttpOutlet::default().factory()]);
    let spec = StreamSpec::parse("file", &format!("tcp://{camera_addr}")).unwrap();
    // Arithmetic and lossless frames must pass here, although browsers cannot show them.
    let spec = if repairs == Repairs::RECOMMENDED {
        spec
    } else {
        spec.with_repair(repairs)
    };
    let spec = spec
        .with_listen("127.0.0.1:0".parse().unwrap())
        .with_mode(StartMode::Require)
        .with_pass_unsupported(true);
    let addr = manager.start(spec).await.unwrap().listen.unwrap();
    let (mut camera, _) = listener.accept().await.unwrap();
    // Without repeats: a debug build takes so long for a large frame that the previous one would be
    // repeated.
    let target = "/?dual_final_frames=0";
    let mut viewer = Viewer::open(addr, target).await.unwrap();
    play(truth, &mut camera, &mut viewer).await;
    manager.shutdown().await;
}

#[tokio::test]
async fn fixtures_arrive_frame_by_frame() {
    let fixtures = Truth::read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"));
    assert_eq!(fixtures.len(), 3);
    for truth in &fixtures {
        assert!(truth.must.len() >= 15, "{}", truth.name);
        relay(truth).await;
    }
}

#[tokio::test]
async fn corpus_arrives_frame_by_frame() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !folder.is_dir() {
        println!("skipped: no corpus beside this checkout");
        return;
    }
    let streams = Truth::read_all(&folder);
    let (debatable, clear): (Vec<_>, Vec<_>) = streams.iter().partition(|truth| truth.debatable);
    assert!(!clear.is_empty());
    for truth in &clear {
        relay(truth).await;
    }
    // The result of these depends on settings and repair; the codec's own scoring covers them.
    println!(
        "{} streams relayed; not played, as their truth is debatable: {}",
        clear.len(),
        debatable.len()
    );
}
