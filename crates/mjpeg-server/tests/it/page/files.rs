//! The page's files: those that are part of the program, and an operator's own.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use mjpeg_testkit::Response;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

use super::{GATEWAY, Relay, alice, text};
use crate::folder::Folder;

const ASSETS: &str = "../mjpeg-control/src/page/assets";

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.head.header(name).unwrap_or_default()
}

const STREAM: &str =
    "[[streams]]\nname = \"door\"\nsource = \"test:?size=64x64&fps=5\"\naliases = [\"front\"]\n";

#[test]
fn all_files_together_are_small() {
    let command = format!("cat {ASSETS}/* | gzip -9");
    let compressed = Command::new("sh").args(["-c", &command]).output();
    let total = compressed.expect("gzip runs").stdout.len();
    assert!((10_000..44 * 1024).contains(&total), "{total} bytes");
}

#[tokio::test]
async fn every_file_is_served_and_each_that_a_module_imports() {
    let relay = Relay::start(&[GATEWAY, STREAM].concat(), 1);
    for file in fs::read_dir(ASSETS).expect("the folder").flatten() {
        let name = file.file_name().into_string().expect("UTF-8");
        let written = fs::read_to_string(file.path()).expect("a text");
        if name.ends_with(".html") {
            continue;
        }
        let served = relay.ask("GET", &format!("/assets/{name}"), "", "").await;
        assert_eq!(
            (served.head.status, text(&served)),
            (200, &*written),
            "{name}"
        );
        assert_eq!(
            header(&served, "x-content-type-options"),
            "nosniff",
            "{name}"
        );
        assert_eq!(
            header(&served, "cross-origin-resource-policy"),
            "same-origin"
        );
        for import in written.split("'./").skip(1) {
            let (module, _) = import.split_once('\'').expect("its end");
            let is_there = Path::new(ASSETS).join(module).exists();
            assert!(
                is_there || !name.ends_with(".js"),
                "{name} imports {module}"
            );
        }
    }
}

#[tokio::test]
async fn view_of_a_stream_is_there_for_all_its_names_and_may_be_embedded() {
    let relay = Relay::start(&[GATEWAY, STREAM].concat(), 1);
    for path in ["/door/view", "/door/view/", "/front/view", "//door//view"] {
        let view = relay.ask("GET", path, "", "").await;
        assert_eq!(view.head.status, 200, "{path}");
        let policy = header(&view, "content-security-policy");
        assert!(policy.ends_with("; frame-ancestors *"), "{policy}");
    }
    for path in ["/attic/view", "/view", "/door/view/more", "/door/views"] {
        let missing = relay.ask("GET", path, "", "").await;
        assert_eq!(missing.head.status, 404, "{path}");
    }
    let asked = relay.ask("POST", "/door/view", "", "").await;
    assert_eq!(asked.head.status, 405);
    let foreign = relay
        .ask("GET", "/door/view", "Host: evil.example\r\n", "")
        .await;
    assert_eq!(foreign.head.status, 421);

    let ancestors = "frame_ancestors = [\"'self'\", \"https://home.example:8123\"]\n";
    let relay = Relay::start(&[GATEWAY, ancestors, STREAM].concat(), 1);
    let view = relay.ask("GET", "/door/view", "", "").await;
    let policy = header(&view, "content-security-policy");
    let ends = "; frame-ancestors 'self' https://home.example:8123";
    assert!(policy.ends_with(ends), "{policy}");
    let page = relay.ask("GET", "/", "", "").await;
    let policy = header(&page, "content-security-policy");
    assert!(policy.ends_with("; frame-ancestors 'none'"), "{policy}");
}

#[tokio::test]
async fn folder_of_the_operator_replaces_the_files_that_it_has() {
    let folder = Folder::new();
    let page = folder.path().join("page");
    fs::create_dir_all(page.join("img")).expect("a folder");
    fs::create_dir_all(page.join(".git")).expect("a folder");
    let write = |name: &str, text: &str| fs::write(page.join(name), text).expect("a file");
    write("index.html", "<p>mine</p><!-- streams -->");
    write("img/logo.svg", "<svg></svg>");
    write("page.css", "p { color: red }");
    write("notes.odt", "not for a page");
    write(".git/x.js", "hidden");
    write(".x.js", "hidden");
    folder.write("secret.js", "secret");
    symlink(folder.path().join("secret.js"), page.join("out.js")).expect("a link");
    symlink("/etc/passwd", page.join("passwd.txt")).expect("a link");
    symlink(folder.path(), page.join("up")).expect("a link");
    symlink("page.css", page.join("in.css")).expect("a link");
    fs::create_dir(page.join("folder.js")).expect("a folder");
    let made = Command::new("mkfifo").arg(page.join("pipe.js")).status();
    assert!(made.expect("mkfifo runs").success());
    fs::write(page.join("large.js"), vec![b'x'; (4 << 20) + 1]).expect("a file");
    fs::write(page.join("fits.js"), vec![b'x'; 4 << 20]).expect("a file");

    let setting = format!("page_dir = {:?}\n", page.to_str().expect("UTF-8"));
    let relay = Relay::start(&[GATEWAY, &setting, STREAM, &alice()].concat(), 1);
    let index = relay.ask("GET", "/", "", "").await;
    assert_eq!(index.head.status, 200);
    let shown = text(&index);
    assert!(
        shown.starts_with("<p>mine</p><ul>") && shown.contains("href=\"door/\""),
        "{shown}"
    );
    assert!(header(&index, "content-security-policy").starts_with("default-src 'none'"));
    for (path, kind, body) in [
        ("/assets/img/logo.svg", "image/svg+xml", "<svg></svg>"),
        (
            "/assets/page.css",
            "text/css; charset=utf-8",
            "p { color: red }",
        ),
        (
            "/assets/in.css",
            "text/css; charset=utf-8",
            "p { color: red }",
        ),
    ] {
        let asset = relay.ask("GET", path, "", "").await;
        assert_eq!((asset.head.status, text(&asset)), (200, body), "{path}");
        assert_eq!(header(&asset, "content-type"), kind, "{path}");
        assert_eq!(
            header(&asset, "x-content-type-options"),
            "nosniff",
            "{path}"
        );
    }
    // What the folder does not have is built in.
    for path in ["/login", "/assets/wall.js", "/door/view"] {
        assert_eq!(
            relay.ask("GET", path, "", "").await.head.status,
            200,
            "{path}"
        );
    }
    for path in [
        "/assets/notes.odt",
        "/assets/index.html",
        "/assets/.x.js",
        "/assets/.git/x.js",
        "/assets/out.js",
        "/assets/passwd.txt",
        "/assets/up/secret.js",
        "/assets/../secret.js",
        "/assets/img/../../secret.js",
        "/assets/%2e%2e/secret.js",
        "/assets/..%2fsecret.js",
        "/assets/..\\secret.js",
        "/assets//etc/passwd.txt",
        "/assets/folder.js",
        "/assets/pipe.js",
        "/assets/missing.js",
    ] {
        let missing = relay.ask("GET", path, "", "").await;
        assert!(
            [400, 404].contains(&missing.head.status),
            "{path}: {}",
            missing.head.status
        );
    }
    let large = relay.ask("GET", "/assets/large.js", "", "").await;
    assert_eq!(large.head.status, 500);
    let fits = relay.ask("GET", "/assets/fits.js", "", "").await;
    assert_eq!((fits.head.status, fits.body.len()), (200, 4 << 20));
    // It is read for each request.
    write("index.html", "other");
    assert_eq!(text(&relay.ask("GET", "/", "", "").await), "other");
    fs::remove_dir_all(&page).expect("it was there");
    let built_in = relay.ask("GET", "/", "", "").await;
    assert!(text(&built_in).contains("assets/page.js"));
}

#[tokio::test]
async fn file_of_the_operator_reaches_forty_slow_browsers_at_once() {
    const LEN: usize = 4 << 20;
    let folder = Folder::new();
    folder.write("large.js", "x".repeat(LEN));
    let setting = format!("page_dir = {:?}\n", folder.path().to_str().expect("UTF-8"));
    let relay = Relay::start(&[GATEWAY, &setting, STREAM].concat(), 1);
    let addr = relay.addr();
    let asked =
        format!("GET /assets/large.js HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    let mut browsers = Vec::new();
    for _ in 0..40 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .set_recv_buffer_size(32 << 10)
            .expect("it may be set");
        let mut browser = socket.connect(addr).await.expect("a connection");
        browser
            .write_all(asked.as_bytes())
            .await
            .expect("it is sent");
        browsers.push(browser);
    }
    // None has read its file before all answers have begun.
    for browser in &mut browsers {
        let mut status = [0; 12];
        browser.read_exact(&mut status).await.expect("an answer");
        assert_eq!(&status, b"HTTP/1.1 200");
    }
    for browser in &mut browsers {
        let mut rest = Vec::new();
        browser.read_to_end(&mut rest).await.expect("its end");
        assert!(rest.len() > LEN && rest.ends_with(b"xxx"), "{}", rest.len());
    }
}
