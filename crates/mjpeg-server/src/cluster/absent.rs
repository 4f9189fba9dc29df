//! A build without clusters.

use std::io;

use mjpeg_control::{CameraOwner, ClusterChange, Error};
use mjpeg_manager::{HttpOutlet, Manager, StreamName, StreamSpec};
use serde_json::Value;
use tokio::sync::watch;

use super::figures::ClusterFigures;
use crate::config::{plan::sharing::Sharing, registry::RegistryStreams};

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum RelayNode {}

impl RelayNode {
    pub(crate) async fn start(plan: &plan::ClusterPlan) -> anyhow::Result<Self> {
        match *plan {}
    }

    pub(crate) fn serve(&self, _: Manager, _: HttpOutlet) {
        match *self {}
    }

    pub(crate) fn share<'s>(&self, _: impl IntoIterator<Item = (&'s StreamName, &'s Sharing)>) {
        match *self {}
    }

    pub(crate) fn forget(&self, _: &StreamName) {
        match *self {}
    }

    pub(crate) fn through(&self, _: StreamSpec) -> StreamSpec {
        match *self {}
    }

    pub(crate) fn owner(&self, _: &str) -> Option<CameraOwner> {
        match *self {}
    }

    pub(crate) fn shown(&self) -> Value {
        match *self {}
    }

    pub(crate) async fn change(&self, _: ClusterChange) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn registry(&self) -> watch::Receiver<RegistryStreams> {
        match *self {}
    }

    pub(crate) async fn store(&self, _: &StreamName, _: Option<String>) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn figures(&self) -> ClusterFigures {
        match *self {}
    }

    pub(crate) async fn reload(&self) {
        match *self {}
    }

    pub(crate) async fn shutdown(&self) {
        match *self {}
    }
}

pub(crate) mod plan {
    //! Settings of a node, which are always refused.

    use crate::config::{plan::Failed, settings::ClusterSettings};

    /// There is none.
    #[derive(Debug)]
    pub(crate) enum ClusterPlan {}

    impl ClusterPlan {
        pub(crate) fn new(_: &ClusterSettings) -> Result<Self, Failed> {
            let message = "this build of mjpeg-server knows no clusters: build it with `--features \
                           cluster`";
            Err(("name", message.into()))
        }
    }
}

pub(crate) mod join {
    //! Whether a node can join: there is no plan for one.

    use std::{fmt, io};

    use serde::Serialize;

    use crate::config::plan::RelayPlan;

    /// There is none.
    #[derive(Serialize)]
    pub(crate) enum JoinChecks {}

    impl JoinChecks {
        pub(crate) fn are_fine(&self) -> bool {
            match *self {}
        }
    }

    impl fmt::Display for JoinChecks {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match *self {}
        }
    }

    pub(crate) fn join_checks(_: &RelayPlan) -> io::Result<Option<JoinChecks>> {
        Ok(None)
    }
}
