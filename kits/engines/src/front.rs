//! The web server of the page. It is also a proxy for the stream, so that the relay is reachable
//! under the page's own origin.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Serves `/page` and the empty page `/blank`, and passes all else to the relay, byte for byte in
/// both directions.
pub(crate) struct Front {
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Front {
    pub(crate) async fn start(ip: IpAddr, relay: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((ip, 0))
            .await
            .context("a port for the page")?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // An error means that one side has disconnected.
                tokio::spawn(async move { serve(stream, relay).await.ok() });
            }
        });
        Ok(Self { addr, task })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut browser: TcpStream, relay: SocketAddr) -> Result<()> {
    browser.set_nodelay(true)?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > MAX_HEAD_BYTES || browser.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let page = match &head[..] {
        head if head.starts_with(b"GET /page") => Some(PAGE),
        head if head.starts_with(b"GET /blank") => Some(BLANK),
        _ => None,
    };
    if let Some(page) = page {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n{page}",
            page.len()
        );
        browser.write_all(answer.as_bytes()).await?;
        browser.shutdown().await?;
        return Ok(());
    }
    let mut relay = TcpStream::connect(relay).await?;
    relay.set_nodelay(true)?;
    relay.write_all(&head).await?;
    copy_bidirectional(&mut browser, &mut relay).await?;
    Ok(())
}

const MAX_HEAD_BYTES: usize = 64 * 1024;
const BLANK: &str =
    "<!doctype html><meta charset=utf-8><title>blank</title><link rel=icon href=data:,><body>";
const PAGE: &str = concat!(
    "<!doctype html><meta charset=utf-8><title>stream</title><link rel=icon href=data:,>\n<script>\n",
    include_str!("read.js"),
    include_str!("page.js"),
    "</script>\n"
);
