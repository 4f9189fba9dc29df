//! A real browser shows the stream.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};

use crate::process::Server;

const MISSING: &str = "chromedriver runs (cargo xtask ci --install installs it)";

/// A WebDriver server on a free port. Dropping it kills it and its browsers.
pub(crate) struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    pub(crate) fn start() -> Self {
        // Not chromedriver's own choice (--port=0): that port may be taken on the other address
        // family.
        let port = (TcpListener::bind("127.0.0.1:0").and_then(|v4| v4.local_addr()))
            .expect("a free port")
            .port();
        let mut command = Command::new("chromedriver");
        let mut child = command
            .arg(format!("--port={port}"))
            .stdout(Stdio::piped())
            .spawn()
            .expect(MISSING);
        let mut lines = BufReader::new(child.stdout.take().expect("piped"))
            .lines()
            .map_while(Result::ok);
        assert!(
            lines.any(|line| line.contains("was started successfully")),
            "chromedriver starts"
        );
        let url = format!("http://127.0.0.1:{port}");
        Self { child, url }
    }

    /// The driver of Firefox, which is not on every machine. Says so if it is not on this one.
    #[cfg(all(unix, feature = "cluster"))]
    pub(crate) async fn start_firefox() -> Option<Self> {
        let port = (TcpListener::bind("127.0.0.1:0").and_then(|v4| v4.local_addr()))
            .expect("a free port")
            .port();
        let version = Command::new("geckodriver").arg("--version").output();
        if version.is_err() {
            eprintln!("SKIPPED Firefox: no geckodriver (cargo xtask compat engines --install)");
            return None;
        }
        // Browsers outlive it. They end when this process does, however that ends.
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "trap 'kill -s KILL -- -$$' EXIT; geckodriver --port $0 & read end",
        ]);
        command.arg(port.to_string()).stdin(Stdio::piped());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("sh runs");
        let url = format!("http://127.0.0.1:{port}");
        let driver = Self { child, url };
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            sleep(Duration::from_millis(50)).await;
        }
        Some(driver)
    }

    /// A Firefox, if this is its driver.
    #[cfg(all(unix, feature = "cluster"))]
    pub(crate) async fn firefox(&self) -> Client {
        // A page with a stream never finishes loading.
        let Value::Object(options) = json!({
            "pageLoadStrategy": "none",
            "moz:firefoxOptions": {
                "args": ["-headless", "--width=800", "--height=600"],
                "prefs": {
                    "app.update.enabled": false,
                    "network.captive-portal-service.enabled": false,
                },
            }
        }) else {
            unreachable!()
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(options)
            .connect(&self.url)
            .await
            .expect("a Firefox starts")
    }

    /// A browser that accepts certificates which nobody vouches for, as its user may.
    pub(crate) async fn browser(&self) -> Client {
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=800,600",
        ];
        let Value::Object(options) = json!({
            "acceptInsecureCerts": true,
            "goog:chromeOptions": { "args": args }
        }) else {
            unreachable!()
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(options)
            .connect(&self.url)
            .await
            .expect("a browser starts")
    }

    /// Sends a command of the DevTools protocol, for what WebDriver has no command.
    pub(crate) async fn devtools(&self, browser: &Client, command: &str, params: Value) -> Value {
        let session = browser.session_id().await.unwrap().expect("a session");
        let body = json!({ "cmd": command, "params": params }).to_string();
        let authority = self.url.strip_prefix("http://").expect("http://…");
        let asked = format!(
            "POST /session/{session}/goog/cdp/execute HTTP/1.1\r\nHost: {authority}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n\
             {body}",
            body.len()
        );
        let addr = authority.parse().expect("an address");
        let answer = mjpeg_testkit::request(addr, asked)
            .await
            .expect("an answer");
        let mut answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(answer["value"]["error"], Value::Null, "{answer}");
        answer["value"].take()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Of Firefox, the group; chromedriver leads none, and takes its browsers along.
        let group = format!("-{}", self.child.id());
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &group]).stderr(Stdio::null());
        let _ = kill.status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves one page on every request, until the test ends.
pub(crate) async fn serve_page(html: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n",
                html.len()
            );
            let _ = stream
                .write_all([head.as_bytes(), html.as_bytes()].concat().as_slice())
                .await;
        }
    });
    url
}

/// The picture's width, and a checksum of its pixels (0 if it is blank).
const LOOK: &str = "
    const img = document.querySelector('img'), canvas = document.createElement('canvas');
    canvas.width = canvas.height = 64;
    const context = canvas.getContext('2d');
    context.drawImage(img, 0, 0, 64, 64);
    const pixels = context.getImageData(0, 0, 64, 64).data;
    let sum = 0;
    for (let i = 0; i < pixels.length; i++)
        sum = (sum * 31 + pixels[i] * (i % 4 == 3 ? 0 : 1)) % 1000003;
    return [img.naturalWidth, sum];";

pub(crate) async fn sees_a_moving_picture(browser: &Client) {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..200 {
        let looked = browser
            .execute(LOOK, vec![])
            .await
            .expect("the page's script runs");
        if looked[0] == 640 {
            seen.insert(looked[1].as_u64().unwrap());
        }
        if seen.len() >= 5 {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("{} different pictures in ten seconds", seen.len());
}

#[tokio::test]
async fn chromium_shows_a_picture_that_moves() {
    let server = Server::start(&["demo", "--cameras", "1", "--port", "0"], 2);
    let page = serve_page(format!(
        "<!doctype html><img crossorigin src='{}'>",
        server.urls[1]
    ))
    .await;
    let driver = Driver::start();
    let browser = driver.browser().await;
    browser.goto(&page).await.unwrap();
    sees_a_moving_picture(&browser).await;
    browser.close().await.unwrap();
}
