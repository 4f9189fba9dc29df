//! Pictures that others send: with curl, ffmpeg and Python, as docs/push.md says, and who may.

mod check;
mod gateway;

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::Duration,
};

use mjpeg_testkit::{Viewer, jpeg};
use tokio::time::timeout;

use crate::{
    folder::Folder,
    process::Server,
    sources::{Killed, MISSING, free_addr, sees},
};

/// The commands of the page in this language, for this relay.
fn commands(language: &str, relay: SocketAddr) -> Vec<String> {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/push.md");
    let page = fs::read_to_string(page).expect("the page");
    let begin = format!("```{language}\n");
    let blocks = page.split(&begin).skip(1);
    let blocks = blocks.map(|block| block.split("```").next().expect("an end"));
    let blocks = blocks.map(|block| {
        let block = block.replace("http://relay:8090/", &format!("http://{relay}/"));
        block.replace("https://relay:8443/", &format!("http://{relay}/"))
    });
    blocks
        .map(|block| block.replace("SECRET", "s3cret/+"))
        .collect()
}

fn relayed(addr: SocketAddr) -> Server {
    crate::sources::relayed(&format!("http-listen://{addr}/cam1#token=s3cret/%2B"))
}

/// Runs a command of the page in a folder.
async fn run(mut command: Command, folder: &Folder) -> Output {
    command.current_dir(folder.path()).stdin(Stdio::null());
    let running = tokio::task::spawn_blocking(move || command.output().expect(MISSING));
    let output = timeout(Duration::from_secs(60), running).await;
    output.expect("in time").expect("no panic")
}

fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

/// Waits for the picture with this number, before which only the one before is repeated.
async fn reach(viewer: &mut Viewer, number: u32) {
    loop {
        let frame = timeout(Duration::from_secs(20), viewer.next_frame()).await;
        let frame = frame.expect("in time").expect("a part").expect("not ended");
        match jpeg::number_of(&frame).expect("a numbered frame") {
            found if found == number => return,
            found => assert_eq!(found + 1, number),
        }
    }
}

#[tokio::test]
async fn curl_sends_a_picture_as_the_page_says() {
    let addr = free_addr();
    let relay = relayed(addr);
    let mut viewer = Viewer::open(relay.addr(0), "/").await.unwrap();
    let folder = Folder::new();
    let commands = commands("sh", addr);
    let line = commands.iter().find(|line| line.contains("curl")).unwrap();
    // The second is so large that curl waits for `100 Continue`.
    for (n, picture) in [(7, jpeg::numbered(7)), (8, jpeg::of_length(8, 1_200_000))] {
        fs::write(folder.path().join("picture.jpg"), picture).unwrap();
        let output = run(shell(line), &folder).await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, b"1 picture taken\n");
        reach(&mut viewer, n).await;
    }
    let wrong = line.replace("s3cret", "wrong");
    let output = run(shell(&wrong), &folder).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("401"),
        "{output:?}"
    );
}

#[tokio::test]
async fn python_sends_pictures_over_one_connection_as_the_page_says() {
    let addr = free_addr();
    let relay = relayed(addr);
    let mut viewer = Viewer::open(relay.addr(0), "/").await.unwrap();
    let folder = Folder::new();
    for n in 0..5 {
        fs::write(folder.path().join(format!("{n}.jpg")), jpeg::numbered(n)).unwrap();
    }
    let [program] = &*commands("python", addr) else {
        panic!("one program");
    };
    let mut python = Command::new("python3");
    python.args(["-c", program]);
    python.args((0..5).map(|n| format!("{n}.jpg")));
    let running = run(python, &folder);
    let seeing = async {
        for n in 0..5 {
            reach(&mut viewer, n).await;
        }
    };
    let (output, ()) = tokio::join!(running, seeing);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}

#[tokio::test]
async fn ffmpeg_sends_a_stream_as_the_page_says() {
    let addr = free_addr();
    let relay = relayed(addr);
    let mut viewer = Viewer::open(relay.addr(0), "/").await.unwrap();
    let commands = commands("sh", addr);
    let line = commands
        .iter()
        .find(|line| line.contains("ffmpeg"))
        .unwrap();
    let camera = "-f v4l2 -i /dev/video0";
    assert!(line.contains(camera), "{line}");
    for width in [320, 160] {
        let made = format!(
            "-hide_banner -loglevel error -nostdin -re -f lavfi -i testsrc2=size={width}x120:rate=25"
        );
        let line = format!("exec {}", line.replace(camera, &made));
        let _ffmpeg = Killed(shell(&line).spawn().expect(MISSING));
        if width == 160 {
            let other = async {
                loop {
                    let frame = viewer.next_frame().await.unwrap().expect("not ended");
                    if mjpeg_codec::Frame::parse(frame).unwrap().width() == width {
                        return;
                    }
                }
            };
            let heard = timeout(Duration::from_secs(20), other).await;
            heard.expect("the next sender is heard");
        }
        sees(&mut viewer, 10, width).await;
    }
}
