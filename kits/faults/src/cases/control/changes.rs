//! Many changes of streams.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use mjpeg_testkit::request;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{FLOOD, configure, gateway, text_of};
use crate::{case::Findings, cases::steps::secs, launch::Launch, rig::program::ProgramRig};

/// A gateway, a control socket, and a folder for streams.
pub(super) fn controlled(dir: &Path, launch: &mut Launch) -> Result<()> {
    fs::create_dir_all(dir.join(FOLDER))?;
    let text = format!(
        "include = [\"{FOLDER}/*.toml\"]\n[[listen]]\nname = \"main\"\naddress = \"127.0.0.1:0\"\n\
         serve = [\"streams\", \"control\"]\n"
    );
    launch.env.insert("RUNTIME_DIRECTORY", text_of(dir)?);
    configure(dir, launch, &text)
}

pub(super) async fn changes(rig: &mut ProgramRig) -> Result<Findings> {
    let addr = gateway(rig).await?;
    let socket = rig.launch.env["RUNTIME_DIRECTORY"].clone() + "/control.sock";
    let mut changing = JoinSet::new();
    for client in 0..16 {
        let socket = (client % 2 == 0).then(|| socket.clone());
        changing.spawn(async move {
            let until = Instant::now() + FLOOD;
            let (mut made, mut refused) = (0, 0);
            while Instant::now() < until {
                // Every other one is stored.
                let path = format!("?persist={}", made % 2 == 0);
                let body = format!(
                    r#"{{"name": "f{client}", "source": "test:?size=16x16&fps=1",
                         "start": "retry"}}"#
                );
                let gone = format!("/f{client}{path}");
                for (method, path, body, done) in
                    [("POST", &path, &*body, 201), ("DELETE", &gone, "", 204)]
                {
                    loop {
                        match change(addr, socket.as_deref(), method, path, body).await? {
                            status if status == done => break made += 1,
                            // Too many changes are under way.
                            503 => refused += 1,
                            status => bail!("{method} was answered {status}"),
                        }
                    }
                }
            }
            Ok((made, refused))
        });
    }
    let (mut made, mut refused) = (0, 0);
    while let Some(client) = changing.join_next().await {
        let (of_client, not) = client??;
        made += of_client;
        refused += not;
    }
    let list = request(addr, api("GET", "", "")).await?;
    let list: Value = serde_json::from_slice(&list.body)?;
    let streams = list["streams"].as_array().map(Vec::len);
    ensure!(streams == Some(2), "the streams are {list}");
    let folder = Path::new(&rig.launch.env["RUNTIME_DIRECTORY"]).join(FOLDER);
    let files = fs::read_dir(folder)?.count();
    ensure!(files == 0, "{files} files are left");
    Ok(Findings::seen(format!(
        "{made} changes made, {refused} answered 503"
    )))
}

/// Asks the API for a change, at its socket if there is one, and returns the status.
async fn change(
    addr: SocketAddr,
    socket: Option<&str>,
    method: &str,
    path: &str,
    body: &str,
) -> Result<u16> {
    let asked = api(method, path, body);
    let Some(socket) = socket else {
        return Ok(request(addr, asked).await?.head.status);
    };
    let answering = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(asked.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(secs(20), answering).await.context("no answer")??;
    let status = answer
        .get(9..12)
        .and_then(|status| str::from_utf8(status).ok());
    status.and_then(|it| it.parse().ok()).context("no status")
}

fn api(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} /api/v1/streams{path} HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Where streams of the API are stored.
const FOLDER: &str = "control-streams.d";
