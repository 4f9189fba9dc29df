//! Secrets, wherever one can stand, and everything that the program says.

mod asked;
mod logins;
mod place;
mod said;
mod scene;

use std::{fs, net::SocketAddr};

use mjpeg_auth::hash_password;
use mjpeg_testkit::{FakeHttpCamera, IssuerKey, Step, refused_addr};
use sha2::{Digest, Sha256};

use self::{
    place::{Secret, outbound, streams},
    scene::Scene,
};
use super::{GATEWAY, INCLUDE, LOOPBACK, camera};
use crate::{
    cert::{Directory, make},
    process::run,
};

/// A camera that answers each kind of path in its own unhelpful way.
fn hostile(dead: SocketAddr) -> FakeHttpCamera {
    FakeHttpCamera::start(move |request| {
        let path = request.path();
        let answer = match path {
            _ if path.starts_with("/login") => {
                "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"hunter2-login\"\r\n\
                 Set-Cookie: id=hunter2-cookie\r\nContent-Length: 0\r\n\r\n"
                    .to_owned()
            }
            _ if path.starts_with("/moved") => format!(
                "HTTP/1.1 302 Found\r\nLocation: http://me:hunter2-location@{dead}/x?\
                 token=hunter2-moved\r\nSet-Cookie: id=hunter2-cookie\r\n\
                 Content-Length: 0\r\n\r\n"
            ),
            // What was asked for, where it is quoted.
            _ => format!(
                "HTTP/1.1 404 {path} is not here\r\nContent-Type: text/{path}\r\n\
                 Server: {path}\r\nContent-Length: {}\r\n\r\n{path}",
                path.len()
            ),
        };
        vec![Step::Send(answer.into()), Step::Close]
    })
}

/// The answer of an identity provider.
fn published(key: &IssuerKey) -> String {
    let set = IssuerKey::set([key]);
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{set}",
        set.len()
    )
}

#[tokio::test]
async fn no_secret_is_anywhere_but_where_it_was_put() {
    let certificates = Directory::new("secrets");
    make(&certificates, &[]);
    for format in ["text", "json"] {
        let (camera, dead) = (camera().await, refused_addr().await);
        let hostile = hostile(dead);
        let token: String = Sha256::digest("hunter2-token")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let users = format!(
            "[[users]]\nname = \"alice\"\npassword_hash = \"{}\"\nmay = [\"control\"]\n\
             [[users]]\nname = \"bob\"\ntoken_hash = \"sha256:{token}\"\nmay = [\"view\", \"control\", \"metrics\"]\n",
            hash_password("hunter2-password")
        );
        let path = certificates.path().display();
        let tls = format!(
            "[[listen]]\naddress = \"127.0.0.1:0\"\nserve = [\"control\", \"page\"]\n\
             tls = {{ certificate = \"{path}/cert.pem\", key = \"{path}/key.pem\" }}\n"
        );
        let gateway = GATEWAY.replace("\"control\"", "\"control\", \"metrics\"");
        let streams = streams(camera.url(), hostile.addr(), dead);
        let outbound = outbound(hostile.addr());
        let key = IssuerKey::new("EdDSA", "one");
        let keys = FakeHttpCamera::saying(published(&key));
        let jwt = format!(
            "[auth.jwt]\nissuer = \"i\"\naudience = \"a\"\n\
             jwks = \"{}\"\n",
            keys.url("/jwks")
        );
        let good = [
            INCLUDE, &gateway, &tls, LOOPBACK, &users, &outbound, &jwt, &streams,
        ]
        .concat();
        let mut scene = Scene::start(format, &good);
        let good = fs::read_to_string(&scene.relay.file).unwrap();
        // Each has failed once before it is looked at.
        for word in ["locked", "program", "quoted"] {
            let name = if format == "json" {
                format!("\"stream\":\"{word}\"")
            } else {
                format!("stream={word}")
            };
            scene.logged(&name).await;
        }
        scene.logged("exit status: 3").await;
        scene.logged("the webhook does not take events").await;
        scene.log_in().await;
        scene.logged("the auth hook does not answer").await;
        scene.log_in_by_page().await;
        scene.logged("keys were read").await;
        let claims =
            r#"{"iss":"i","aud":"a","sub":"ann","exp":9999999999,"may":["view","control"]}"#;
        scene.log_in_by_token(&key.sign(claims)).await;
        scene.edit(dead).await;
        scene.read().await;
        scene.share().await;
        scene.over_http2(&certificates).await;
        scene.reload(&good).await;
        scene.read().await;
        scene.relay.server.end_by("TERM");
        let files = scene.files();
        let log = &files[&scene.log];
        assert!(log.len() > 20_000, "{log}");
        for secret in Secret::all() {
            scene.said.secret(&secret);
        }
        for (file, text) in files {
            scene.said.keep(file, text);
        }
        scene.said.check();
    }
    // What is on a command line is in no error about it.
    for stream in [
        "a=http://me:hunter2-flag@cam:x/@1",
        "a=ftp://me:hunter2-flag@cam@1",
        "http://me:hunter2-flag@x",
    ] {
        let (code, out, err) = run(&["run", "--stream", stream]);
        assert!(code.is_some_and(|code| code != 0) && !(out + &err).contains("hunter2"));
    }
}
