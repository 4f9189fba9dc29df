//! A browser controlled by WebDriver, with a home folder of its own.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use kit::child::Child;
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::engine::Engine;

/// A running browser. Its driver and its home go when it is closed or dropped.
pub(crate) struct Browser {
    pub(crate) client: Client,
    // In this order: the driver ends before the display and the home that it uses.
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
        let mut command = Command::new(driver);
        command
            .arg(format!("--port={port}"))
            .env("HOME", &home.0)
            .env("XDG_RUNTIME_DIR", &home.0)
            .env("DISPLAY", number)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut driver = Child::start(&mut command, "the driver")?;
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

    /// The process that all its processes descend from.
    pub(crate) fn root(&self) -> u32 {
        self.driver.id()
    }

    /// The browser's own name and version.
    pub(crate) fn version(&self) -> String {
        let capabilities = self.client.capabilities();
        let text = |key: &str| {
            capabilities
                .and_then(|all| all.get(key)?.as_str())
                .unwrap_or("?")
        };
        format!("{} {}", text("browserName"), text("browserVersion"))
    }

    pub(crate) async fn close(self) {
        // If it does not end by itself, it is killed below.
        let _ = timeout(Duration::from_secs(10), self.client.clone().close()).await;
        drop(self.driver);
        if let Some(mut display) = self.display {
            // It takes its files with it if it ends by itself. If it does not, it is killed.
            let _ = display.terminate();
            let _ = display.ended(Duration::from_secs(3)).await;
        }
    }
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

/// Removes a folder. A browser that was just killed may still write for a moment.
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
        if let Some(status) = driver.status()? {
            bail!("the driver ended: {status}");
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the driver does not listen");
}

/// An X server without a screen, and the display's name.
async fn start_display() -> Result<(Child, String)> {
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-nolisten", "tcp"])
        .args(["-screen", "0", "1024x768x24"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut display = Child::start(&mut command, "Xvfb")?;
    let number = display.line().await?;
    Ok((display, format!(":{number}")))
}
