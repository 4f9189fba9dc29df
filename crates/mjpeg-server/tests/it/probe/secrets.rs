//! No secret of a URL is shown, and nothing that a camera says steers the terminal.

use mjpeg_testkit::{FakeHttpCamera, Step, jpeg};

use super::{
    Probed,
    cameras::{head, part, stream, stream_head},
};
use crate::{folder::Folder, process::command};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_shown_nowhere_and_the_configuration_names_variables() {
    // The camera says the password again.
    let camera = FakeHttpCamera::start(|request| match request.header("authorization") {
        None => vec![head(
            "HTTP/1.1 401 No",
            "WWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n",
        )],
        Some(_) => stream(stream_head("Server: open-sesame \u{1b}[2J\r\n"), |number| {
            part(&jpeg::numbered(number))
        }),
    });
    let url = camera.url("/video?key=hush-hush#header=X-Key:%20hidden-too");
    let url = url.replace("://", "://me:open-sesame@");
    for json in [true, false] {
        let args: &[&str] = if json { &["--json", &url] } else { &[&url] };
        let probed = Probed::of(args).await;
        let said = probed.stdout.clone() + &probed.stderr;
        assert_eq!(probed.code, Some(0), "{said}");
        for secret in ["sesame", "hush-hush", "hidden-too", "\u{1b}"] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert!(said.contains("Basic"), "{said}");
        if !json {
            continue;
        }
        assert_eq!(probed.json()["login"], "basic");
        let toml = probed.json()["configuration"].as_str().unwrap().to_owned();
        let folder = Folder::new();
        let file = folder.write("mjpeg.toml", toml);
        let mut check = command(&["check", &file]);
        for name in [
            "CAMERA_USER",
            "CAMERA_PASSWORD",
            "CAMERA_SECRET_1",
            "CAMERA_SECRET_2",
        ] {
            check.env(name, "value");
        }
        let checked = check.output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
}

#[tokio::test]
async fn refused_password_is_tried_once() {
    let camera = FakeHttpCamera::start(|_| {
        vec![head(
            "HTTP/1.1 401 No",
            "WWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 0\r\n",
        )]
    });
    let url = camera.url("/video").replace("://", "://me:open-sesame@");
    let probed = Probed::of(&["--json", &url]).await;
    assert_eq!(
        probed.codes().first().map(String::as_str),
        Some("login_refused")
    );
    assert_eq!(probed.code, Some(1));
    let logins = camera.requests();
    let logins = logins
        .iter()
        .filter(|request| request.header("authorization").is_some());
    assert_eq!(logins.count(), 1);
}

#[tokio::test]
async fn hostile_heads_are_short_and_escaped() {
    let server = format!("Server: \u{1b}]0;x\u{7}{}\r\n", "A".repeat(30_000));
    let camera = FakeHttpCamera::start(move |_| {
        let mut steps = vec![stream_head(&server)];
        steps.push(Step::Send(part(&jpeg::numbered(1))));
        steps.push(Step::Send("--frame\r\n".into()));
        steps.push(Step::Stall);
        steps
    });
    let probed = Probed::of(&[&camera.url("/")]).await;
    assert!(probed.stdout.len() < 3000, "{}", probed.stdout.len());
    assert!(
        !probed.stdout.contains(['\u{1b}', '\u{7}']),
        "{}",
        probed.stdout
    );
    assert!(probed.stdout.contains("made by"), "{}", probed.stdout);
}
