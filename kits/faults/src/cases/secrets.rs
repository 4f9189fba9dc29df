//! Passwords and tokens: on the command line, in redirects, in logins.

use anyhow::{Context as _, Result, ensure};
use mjpeg_testkit::jpeg;
use tokio::{process::Command, time::timeout};

use super::{
    http::UNAUTHORIZED,
    steps::{Switch, secs},
};
use crate::{
    camera::{Camera, Conn},
    case::{Case, Findings, Needs, Run},
    rig::{program::ProgramRig, relay::RelayRig},
};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "secrets-in-urls",
        "wrong URLs that contain a password: with a bad port, a missing slash, a bad option; a \
         program that does not start",
        "no error repeats the password",
        Run::Program(|rig| Box::pin(in_urls(rig))),
    )
    .short(),
    Case::new(
        "secrets-in-redirect",
        "a redirect to a URL with a token, which the relay cannot follow",
        "the error does not repeat the token",
        Run::Relay(|rig| Box::pin(in_redirect(rig))),
    )
    .needs(Needs::Http)
    .short(),
    Case::new(
        "login-downgrade",
        "asks for Basic only (401), after a Digest login",
        "the relay does not send the password in the clear",
        Run::Relay(|rig| Box::pin(downgrade(rig))),
    )
    .needs(Needs::Http)
    .short(),
];

async fn in_urls(rig: &mut ProgramRig) -> Result<Findings> {
    for url in [
        "tcp://me:hunter2@127.0.0.1:1x",
        "tcp://me:hunter2@127.0.0.1",
        "http:/me:hunter2@127.0.0.1/video",
        "http//me:hunter2@127.0.0.1/video",
        "http://127.0.0.1/#fps=hunter2",
        "http://127.0.0.1/#token=hunter2",
        "test:?password=hunter2",
        "file:///tmp/none?token=hunter2",
        "exec:/nonexistent/program --token hunter2 --password=hunter2",
    ] {
        let stream = format!("a={url}@127.0.0.1:0");
        let args = ["run", "--require-cameras", "--stream", &stream];
        let mut command = Command::new(&rig.server);
        let output = timeout(secs(10), command.args(args).kill_on_drop(true).output()).await;
        let output = output.with_context(|| format!("{url} is accepted"))??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success(), "{url} is accepted");
        ensure!(
            !said.contains("hunter2"),
            "the error for {url} is: {}",
            said.lines().next().unwrap_or_default()
        );
    }
    Ok(Findings::seen("9 of 9 errors do not contain it"))
}

async fn in_redirect(rig: &mut RelayRig) -> Result<Findings> {
    let camera = Camera::start(|_, mut conn: Conn| async move {
        conn.request().await?;
        conn.send(
            b"HTTP/1.1 302 Found\r\nLocation: ftp://camera/login?session=hunter2\r\n\
              Content-Length: 0\r\n\r\n",
        )
        .await
    })
    .await?;
    rig.stream(&camera.http_url("/")).await?;
    let error = rig.error_says(&["redirect"], secs(5)).await?;
    ensure!(!error.contains("hunter2"), "the error says: {error}");
    Ok(Findings::seen(error))
}

async fn downgrade(rig: &mut RelayRig) -> Result<Findings> {
    let [is_sent, is_asked] = [Switch::default(), Switch::default()];
    let (sent, asked) = (is_sent.clone(), is_asked.clone());
    let camera = Camera::start(move |_, mut conn: Conn| {
        let (sent, asked) = (sent.clone(), asked.clone());
        async move {
            let mut logged_in = false;
            loop {
                let request = conn.request().await?.to_lowercase();
                if request.contains("authorization: basic") {
                    sent.on();
                }
                if request.contains("authorization: digest") && !logged_in {
                    logged_in = true;
                    let picture = jpeg::numbered(conn.sequence.next_number());
                    conn.answer("image/jpeg", &picture).await?;
                } else if logged_in {
                    asked.on();
                    conn.send(UNAUTHORIZED).await?;
                } else {
                    conn.send(DIGEST).await?;
                }
            }
        }
    })
    .await?;
    let url = format!("http://me:hunter2@{}/#fps=10", camera.addr);
    rig.stream(&url).await?;
    is_asked.wait(secs(10)).await?;
    let what = "the relay refuses, or sends the password";
    let status = rig
        .until(what, secs(5), |now| {
            now.last_error.is_some() || is_sent.is_on()
        })
        .await?;
    ensure!(!is_sent.is_on(), "the password was sent in the clear");
    Ok(Findings::seen(status.last_error.unwrap_or_default()))
}

const DIGEST: &[u8] =
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"camera\", nonce=\"1\", \
      qop=\"auth\"\r\nContent-Length: 0\r\n\r\n";
