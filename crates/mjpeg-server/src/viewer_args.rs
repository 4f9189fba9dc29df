//! What the command line says of viewers.

use std::time::Duration;

use clap::Args;
use mjpeg_manager::mjpeg_http::HttpConfig;

/// Limits per viewer; each may ask for less in its URL (`?fps=`, `?kbps=`, `?max_duration=`).
#[derive(Args, Debug)]
pub(crate) struct ViewerArgs {
    /// The most frames per second that any viewer gets [default: as they come]
    #[arg(long, value_name = "FPS", value_parser = positive, help_heading = "Viewers")]
    max_fps: Option<f64>,

    /// The most kilobits per second that any viewer gets, in whole frames [default: no limit]
    #[arg(long, value_name = "KBPS", value_parser = positive, help_heading = "Viewers")]
    max_kbps: Option<f64>,

    /// How many seconds any stream response may last; browsers do not ask again by themselves [default: for ever]
    #[arg(long, value_name = "SECONDS", value_parser = positive, help_heading = "Viewers")]
    max_duration: Option<f64>,

    /// Serve WebKit's fetch() as multipart/mixed, for it cannot read multipart/x-mixed-replace
    #[arg(long, help_heading = "Viewers")]
    webkit_fetch_mixed: bool,

    /// How many bytes may wait unsent in the kernel for each viewer (TCP_NOTSENT_LOWAT, Linux); 0 leaves it to the kernel, which makes viewers on slow links see older pictures
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 10, help_heading = "Viewers")]
    notsent_lowat: u32,
}

impl ViewerArgs {
    pub(crate) fn config(&self) -> HttpConfig {
        let seconds = |s: f64| Duration::try_from_secs_f64(s).ok();
        HttpConfig::default()
            .max_fps(self.max_fps)
            .max_kbps(self.max_kbps)
            .max_duration(self.max_duration.and_then(seconds))
            .webkit_fetch_mixed(self.webkit_fetch_mixed)
            .notsent_lowat_bytes((self.notsent_lowat > 0).then_some(self.notsent_lowat))
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".into()),
    }
}
