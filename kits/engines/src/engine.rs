//! The engines: what each needs, and how to start its WebDriver.

use std::path::Path;

use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    WebKitGtk,
}

impl Engine {
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKitGtk];

    /// Its name on the command line and in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKitGtk => "webkitgtk",
        }
    }

    pub(crate) fn browser(self) -> Option<String> {
        match self {
            Self::Chromium => on_path("chromium"),
            Self::Firefox => on_path("firefox-esr").or_else(|| on_path("firefox")),
            Self::WebKitGtk => mini_browser(),
        }
    }

    pub(crate) fn driver(self) -> Option<String> {
        on_path(match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
            Self::WebKitGtk => "WebKitWebDriver",
        })
    }

    /// Whether it needs a display because it has no headless mode.
    pub(crate) fn needs_display(self) -> bool {
        self == Self::WebKitGtk
    }

    /// The programs that are missing. Empty if the engine can be measured.
    pub(crate) fn missing(self) -> Vec<&'static str> {
        let (browser, driver) = match self {
            Self::Chromium => ("chromium", "chromedriver"),
            Self::Firefox => ("firefox-esr", "geckodriver"),
            Self::WebKitGtk => ("MiniBrowser of WebKitGTK", "WebKitWebDriver"),
        };
        let missing = [
            (browser, self.browser().is_none()),
            (driver, self.driver().is_none()),
            ("Xvfb", self.needs_display() && on_path("Xvfb").is_none()),
        ];
        let missing = missing.into_iter().filter(|(_, missing)| *missing);
        missing.map(|(name, _)| name).collect()
    }

    /// Whether the process with this command line runs pages rather than the browser itself.
    pub(crate) fn runs_pages(self, command_line: &str) -> bool {
        match self {
            Self::Chromium => command_line.contains("--type=renderer"),
            Self::Firefox => command_line.contains("-contentproc") && command_line.ends_with("tab"),
            Self::WebKitGtk => command_line.contains("WebKitWebProcess"),
        }
    }

    /// The capabilities to request from the driver. `profile` is an empty folder,
    /// `scale` the number of pixels per CSS pixel.
    pub(crate) fn capabilities(self, profile: &Path, scale: u32) -> Value {
        let browser = self.browser();
        let mut capabilities = match self {
            Self::Chromium => {
                let mut args = CHROMIUM_ARGS.map(str::to_owned).to_vec();
                args.push(format!("--user-data-dir={}", profile.display()));
                args.push(format!("--force-device-scale-factor={scale}"));
                json!({ "goog:chromeOptions": { "binary": browser, "args": args } })
            }
            Self::Firefox => json!({ "moz:firefoxOptions": {
                "binary": browser, "args": ["-headless"],
                "prefs": { "app.update.enabled": false, "network.captive-portal-service.enabled": false,
                    "layout.css.devPixelsPerPx": scale.to_string() },
            } }),
            Self::WebKitGtk => {
                json!({ "webkitgtk:browserOptions": { "binary": browser, "args": ["--automation"] } })
            }
        };
        // A stream never finishes loading.
        capabilities["pageLoadStrategy"] = json!("none");
        capabilities
    }
}

const CHROMIUM_ARGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=800,600",
];

fn on_path(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found = candidates.find(|candidate| candidate.is_file())?;
    Some(found.to_string_lossy().into_owned())
}

/// MiniBrowser is next to the library, in a folder named after the architecture and the API.
fn mini_browser() -> Option<String> {
    let mut found: Vec<_> = (std::fs::read_dir("/usr/lib").ok()?.flatten())
        .filter_map(|architecture| std::fs::read_dir(architecture.path()).ok())
        .flat_map(Iterator::flatten)
        .filter(|folder| folder.file_name().to_string_lossy().starts_with("webkit"))
        .map(|folder| folder.path().join("MiniBrowser"))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop().map(|path| path.to_string_lossy().into_owned())
}
