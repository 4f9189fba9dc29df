//! The settings of `run`.

use anyhow::Result;
use mjpeg_manager::{HttpOutlet, ManagerConfig, StartMode, mjpeg_codec::repair::Repairs};

use super::{cameras, settings::Settings, viewers};
use crate::cli::run::{Repair, Run};

impl Settings {
    /// Makes the settings of `run`.
    ///
    /// # Errors
    ///
    /// When a fallback names no stream, the placeholder's file cannot be used, or a limit is out of
    /// bounds.
    pub(crate) fn of_run(run: Run) -> Result<Self> {
        let mode = if run.require_cameras {
            StartMode::Require
        } else {
            StartMode::Retry
        };
        let repairs = repairs(&run.repair);
        // The command line may name any number of streams.
        let manager = ManagerConfig::default().with_max_streams(run.streams.len());
        let http = HttpOutlet::new(viewers::stream_config(&run.viewers)?)
            .with_listener(viewers::listener_config(&run.viewers)?)
            .with_max_viewers(run.viewers.max_viewers_total);
        let specs = run
            .streams
            .into_iter()
            .map(|stream| stream.into_spec().with_mode(mode).with_repair(repairs))
            .collect();
        Ok(Self {
            specs: cameras::apply(&run.cameras, specs)?,
            manager,
            http,
        })
    }
}

fn repairs(chosen: &[Repair]) -> Repairs {
    let is_chosen = |repair| chosen.contains(&repair);
    if is_chosen(Repair::None) {
        return Repairs::NONE;
    }
    Repairs::NONE
        .with_huffman_tables(is_chosen(Repair::HuffmanTables))
        .with_embedded_markers(is_chosen(Repair::EmbeddedMarkers))
        .with_eoi(is_chosen(Repair::Eoi))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn repairs_are_what_was_listed() {
        let repairs = |args: &[&str]| {
            let start = ["mjpeg-server", "run", "--stream", "a=tcp://a:1@8081"];
            let cli = Cli::try_parse_from(start.iter().chain(args)).unwrap();
            let Command::Run(run) = cli.command else {
                panic!("not run")
            };
            repairs(&run.repair)
        };
        assert_eq!(repairs(&[]), Repairs::RECOMMENDED);
        assert_eq!(repairs(&["--repair", "none"]), Repairs::NONE);
        let two = Repairs::NONE.with_huffman_tables(true).with_eoi(true);
        assert_eq!(repairs(&["--repair", "huffman-tables,eoi"]), two);
        let one = Repairs::NONE.with_embedded_markers(true);
        assert_eq!(repairs(&["--repair", "embedded-markers"]), one);
    }
}
