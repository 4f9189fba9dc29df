//! A browser that WebDriver controls, with its own home folder.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use kit::{child::Child, folder::Temporary};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::engine::Engine;

/// A running browser. Closing or dropping it also ends its driver and removes its home folder.
pub(crate) struct Browser {
    pub(crate) client: Client,
    // In this order, the driver ends before the display and the home that it uses.
    driver: Child,
    display: Option<Child>,
    /// The name of the display, if the browser needs one.
    pub(crate) screen: Option<String>,
    _home: Temporary,
}

impl Browser {
    pub(crate) async fn start(engine: Engine) -> Result<Self> {
        Self::start_scaled(engine, 1).await
    }

    /// With so many pixels per CSS pixel.
    pub(crate) async fn start_scaled(engine: Engine, scale: u32) -> Result<Self> {
        let name = format!("mjpeg-engines-{}-{}", engine.name(), fastrand::u64(..));
        let home = Temporary::new(&name)?;
        let profile = home.path().join("profile");
        fs::create_dir(&profile)?;
        let (display, number) = match engine.needs_display() {
            true => {
                let (display, number) = start_display().await?;
                (Some(display), number)
            }
            false => (None, String::new()),
        };
        let port = free_port()?;
        let driver = engine.driver().context("the driver is not installed")?;
        let mut command = Command::new(driver);
        command
            .arg(format!("--port={port}"))
            .env("HOME", home.path())
            .env("XDG_RUNTIME_DIR", home.path())
            .env("DISPLAY", &number)
            .env("GDK_SCALE", scale.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut driver = Child::start(&mut command, "the driver")?;
        listens(port, &mut driver).await?;
        let Value::Object(capabilities) = engine.capabilities(&profile, scale) else {
            bail!("the capabilities are not an object");
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities);
        let url = format!("http://127.0.0.1:{port}");
        let client = timeout(Duration::from_secs(60), connecting.connect(&url)).await;
        let client = client.context("the browser did not start within a minute")?;
        Ok(Self {
            client: client.context("starting the browser")?,
            driver,
            screen: display.is_some().then_some(number),
            display,
            _home: home,
        })
    }

    /// The ancestor of all its processes.
    pub(crate) fn root(&self) -> u32 {
        self.driver.id()
    }

    /// The name and version that the browser reports.
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
        // If this fails, the browser is killed below.
        let _ = timeout(Duration::from_secs(10), self.client.clone().close()).await;
        drop(self.driver);
        if let Some(mut display) = self.display {
            // Given time to end, it removes its files. If it does not end, it is killed.
            let _ = display.terminate();
            let _ = display.ended(Duration::from_secs(3)).await;
        }
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Waits until the driver listens, at most 30 s.
async fn listens(port: u16, driver: &mut Child) -> Result<()> {
    for _ in 0..300 {
        let connected = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        if connected.is_ok() {
            return Ok(());
        }
        if let Some(status) = driver.status()? {
            bail!("the driver ended: {status}");
        }
        sleep(Duration::from_millis(100)).await;
    }
    bail!("the driver does not listen");
}

/// Starts an X server without a screen. Returns the display's name too.
pub(crate) async fn start_display() -> Result<(Child, String)> {
    let mut command = Command::new("Xvfb");
    command
        .args(["-displayfd", "1", "-nolisten", "tcp"])
        .args(["-screen", "0", "3200x2400x24"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut display = Child::start(&mut command, "Xvfb")?;
    let number = display.line().await?;
    Ok((display, format!(":{number}")))
}
