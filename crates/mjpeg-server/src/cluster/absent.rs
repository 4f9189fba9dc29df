//! A build without clusters.

use mjpeg_manager::{HttpOutlet, Manager, StreamName, StreamSpec};

use crate::config::plan::sharing::Sharing;

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum ClusterNode {}

impl ClusterNode {
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
