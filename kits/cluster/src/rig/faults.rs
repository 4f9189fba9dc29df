//! What is done to a rig.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use kit::network::run_words;
use rustix::process::Signal;
use tokio::task::spawn_blocking;

use super::{Rig, host, network::Host};
use crate::camera::Camera;

impl Rig {
    /// Kills a node. Its viewer's response may end.
    pub(crate) fn kill(&mut self, node: usize) {
        self.nodes[node].kill();
        self.leave(node, false);
    }

    /// Ends a node in order, and waits for its end.
    pub(crate) async fn terminate(&mut self, node: usize) -> Result<()> {
        self.nodes[node].signal(Signal::TERM)?;
        let ended = self.nodes[node].ended(END_LIMIT).await;
        self.leave(node, false);
        ended
    }

    /// Cuts the links between a node and the engine.
    pub(crate) fn cut_engine(&mut self, node: usize) -> Result<()> {
        for engine in 0..self.etcd.count() {
            self.network.cut(host(node), Host::Engine(engine as u8))?;
        }
        Ok(())
    }

    /// Cuts the links between a node and the other nodes.
    pub(crate) fn cut_relays(&mut self, node: usize) -> Result<()> {
        for other in self.others(node) {
            self.network.cut(host(node), host(other))?;
        }
        Ok(())
    }

    /// Puts a new camera in the place of one that was unplugged.
    pub(crate) fn plug_camera(&mut self) -> Result<()> {
        let port = self.cameras[0].addr.port();
        let listener = self.network.listen(Host::Camera, port)?;
        let journal = Arc::clone(&self.cameras[0].journal);
        self.cameras[0] = Camera::on(listener, self.pictures.latest(), journal)?;
        Ok(())
    }

    /// Lets another node read the camera, by a command to this one.
    pub(crate) async fn move_camera(&self, asked: usize, to: usize) -> Result<()> {
        let plan = &self.nodes[asked].plan;
        let mut words = plan.command.clone();
        let url = format!("http://{}", plan.control);
        let target = self.nodes[to].plan.name.clone();
        words.extend(["cluster", "--url", &url, "move", "cam1", &target].map(str::to_owned));
        let moving = spawn_blocking(move || {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            run_words(&words)
        });
        moving.await.context("the command")?.map(drop)
    }
}

/// The program's grace is 5 s.
const END_LIMIT: Duration = Duration::from_secs(12);
