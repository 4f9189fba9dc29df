//! `ctl` at `https://…`.

use mjpeg_testkit::{Camera, Script};

use super::{ControlledRelay, Done, TOKEN, users};
use crate::cert::{Directory, make};

#[test]
fn certificate_of_the_relays_own_is_trusted_by_its_fingerprint_alone() {
    let directory = Directory::new("ctl");
    let printed = make(&directory, &[]);
    let fingerprint = printed
        .split("SHA-256:")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .trim();
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let gateway = format!(
        "serve = [\"streams\", \"control\"]\ntls = {{ certificate = {certificate:?}, key = {key:?} }}\n{}",
        users()
    );
    let relay = ControlledRelay::start_with(&gateway);
    let token = relay.folder.write("t", TOKEN);
    let list = ["--token-file", &token, "list", "--names"];
    let with = |fingerprint: &str| {
        Done::at(
            &relay.url(),
            &[&["--fingerprint", fingerprint], &list[..]].concat(),
        )
    };
    let done = with(fingerprint);
    assert_eq!(done.stdout, "garage\nyard\n", "{done:?}");
    assert_eq!(done.stderr, "");
    with(&"00".repeat(32)).fails(3, &["another fingerprint"]);
    Done::at(&relay.url(), &list).fails(3, &["--fingerprint"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn port_that_does_not_speak_tls_is_called_that() {
    let plain = Camera::start(Script::frames(["HTTP/1.1 400 Bad Request\r\n\r\n".into()])).await;
    let url = format!("https://{}", plain.addr());
    Done::at(&url, &["list"]).fails(3, &["http://"]);
}
