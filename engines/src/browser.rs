//! A browser that WebDriver steers, with all it needs, in a home of its own.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::engine::Engine;

/// Ends, with its driver and its home, when closed or dropped.
pub(crate) struct Browser {
    pub(crate) client: Client,
    // In this order: the driver ends before what it stands on.
    driver: Child,
    display: Option<Child>,
    _home: Home,
}

impl Browser {
    pub(crate) async fn start(engine: Engine) -> Result<Self> {
        let home = Home::new(engine)?;
        let (display, number) = match engine.needs_display() {
            true => start_display()
                .await
                .map(|(child, number)| (Some(child), number))?,
            false => (None, String::new()),
        };
        let port = free_port()?;
        let driver = engine.driver().context("the driver is not installed")?;
        let mut driver = Command::new(driver)
            .arg(format!("--port={port}"))
            .env("HOME", &home.0)
            .env("XDG_RUNTIME_DIR", &home.0)
            .env("DISPLAY", number)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        listens(port, &mut driver).await?;
        let Value::Object(capabilities) = engine.capabilities(&home.0.join("profile")) else {
            bail!("capabilities are an object");
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities);
        let url = format!("http://127.0.0.1:{port}");
        let client = timeout(Duration::from_secs(60), connecting.connect(&url)).await;
        let client = client
            .context("no browser within a minute")?
            .context("the browser starts")?;
        Ok(Self {
            client,
            driver,
            display,
            _home: home,
        })
    }

    /// The process that all of its processes descend from.
    pub(crate) fn root(&self) -> Option<u32> {
        self.driver.id()
    }

    /// What the browser calls itself, version included.
    pub(crate) fn version(&self) -> String {
        let told = self.client.capabilities();
        let told = |key: &str| told.and_then(|told| told.get(key)?.as_str()).unwrap_or("?");
        format!("{} {}", told("browserName"), told("browserVersion"))
    }

    pub(crate) async fn close(mut self) {
        // What does not end by itself is killed below.
        let _ = timeout(Duration::from_secs(10), self.client.clone().close()).await;
        let _ = self.driver.kill().await;
        if let Some(display) = &mut self.display {
            end(display).await;
        }
    }
}

/// Asks a process to end, so that it takes its files with it; kills it if it does not.
async fn end(child: &mut Child) {
    if let Some(id) = child.id() {
        let asked = Command::new("kill").arg(id.to_string()).status().await;
        if asked.is_ok_and(|status| status.success()) {
            let _ = timeout(Duration::from_secs(3), child.wait()).await;
        }
    }
    let _ = child.kill().await;
}

/// A folder for everything the browser writes.
struct Home(PathBuf);

impl Home {
    fn new(engine: Engine) -> Result<Self> {
        let name = format!("mjpeg-engines-{}-{}", engine.name(), fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("profile"))
            .with_context(|| format!("making {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// A browser that has just been killed may still write for a moment.
fn remove(folder: &Path) {
    for _ in 0..20 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {}
            _ => return,
        }
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

async fn listens(port: u16, driver: &mut Child) -> Result<()> {
    for _ in 0..300 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .is_ok()
        {
            return Ok(());
        }
        if let Some(status) = driver.try_wait()? {
            bail!("the driver ended: {status}");
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the driver does not listen");
}

/// An X server without a screen, and the display's name.
async fn start_display() -> Result<(Child, String)> {
    let mut child = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1024x768x24",
            "-nolisten",
            "tcp",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("starting Xvfb")?;
    let stdout = child.stdout.take().context("standard output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let number = timeout(Duration::from_secs(20), lines.next_line()).await;
    let number = number
        .context("Xvfb opens no display")??
        .context("Xvfb ended")?;
    Ok((child, format!(":{number}")))
}
