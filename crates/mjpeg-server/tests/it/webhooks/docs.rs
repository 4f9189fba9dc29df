//! The receiver of docs/webhooks.md.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use mjpeg_testkit::request;

use super::{SECRET, STREAM, disturb};
use crate::control::Controlled;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn receiver_of_the_page_takes_what_the_relay_signs_and_nothing_else() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, program) = page.split_once("```python\n").expect("a program");
    let (program, _) = program.split_once("```").unwrap();
    // A port that nobody has, which it prints.
    let program = program.replace("(\"127.0.0.1\", 9000)", "(\"127.0.0.1\", 0)");
    let mut python = Command::new("python3");
    python
        .args(["-u", "-c", &program])
        .env("WEBHOOK_SECRET", SECRET)
        .stdout(Stdio::piped());
    let mut python = Running(python.spawn().expect("python3 runs"));
    let stdout = python.0.stdout.take().unwrap();
    let mut lines = BufReader::new(stdout).lines().map(Result::unwrap);
    let first = lines.next().expect("where it listens");
    let port: u16 = first.rsplit(' ').next().unwrap().parse().expect(&first);

    let url = format!("http://127.0.0.1:{port}/");
    let text = format!("{STREAM}[[webhooks]]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\n");
    let relay = Controlled::start(&text);
    let line = lines.next().unwrap();
    assert!(line.contains("yard") && line.contains("started"), "{line}");

    let post = |headers: &str, body: &str| {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n",
            body.len()
        );
        format!("{head}{headers}Connection: close\r\n\r\n{body}")
    };
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let forged = format!("X-Event-Id: 1\r\nX-Timestamp: {now}\r\nX-Signature: sha256=00\r\n");
    // Signed with the right secret, but an hour ago.
    let old = now - 3600;
    let signed = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", SECRET, "-r"])
        .stdin({
            let folder = crate::folder::Folder::new();
            let file = folder.write("signed", format!("{old}.{{}}"));
            fs::File::open(file).unwrap()
        })
        .output()
        .expect("openssl runs");
    let digest = String::from_utf8(signed.stdout).unwrap();
    let digest = digest.split(' ').next().unwrap();
    let replayed =
        format!("X-Event-Id: 1\r\nX-Timestamp: {old}\r\nX-Signature: sha256={digest}\r\n");
    let addr = ([127, 0, 0, 1], port).into();
    for headers in ["", &forged, &replayed] {
        let answer = request(addr, post(headers, "{}")).await.unwrap();
        assert_eq!(answer.head.status, 401, "{headers}");
    }
    disturb(&relay).await;
    let mut kinds = lines.map(|line| line.contains("paused"));
    assert!(kinds.any(|is_paused| is_paused));
}
