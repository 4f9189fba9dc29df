//! Judging a camera by its running connection.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use http::StatusCode;
use mjpeg_manager::{ProbeEvidence, ProbeReport, ProbeTally, mjpeg_fanout::Consumer};
use tokio::time::{Instant, timeout_at};

use super::{authorise::PathTarget, bodies::Nothing, writes::nothing};
use crate::{
    error::Error,
    parameters::Parameters,
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    view::probe::ProbeView,
};

/// Says what a stream's camera is, what is odd about it, and what to set. It looks at the pictures
/// of the running connection for 3 s, and never opens another.
#[utoipa::path(
    post,
    path = "/api/v1/streams/{name}/probe",
    operation_id = "probe_stream",
    tag = "streams",
    params(("name" = String, Path, description = "The stream")),
    request_body = Nothing,
    responses(
        (status = 200, body = ProbeView),
        AnyProblem
    )
)]
pub(super) async fn probe(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(name)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    nothing(body, &state).await?;
    let manager = &state.manager;
    let consumer = manager.observe(&name).map_err(|_| Error::not_found())?;
    let tally = tally(consumer).await;
    // As it is now: it may have been replaced meanwhile.
    let info = manager.get(&name).map_err(|_| Error::not_found())?;
    let spec = manager.spec(&name).ok();
    let active = info.sources.iter().position(|source| source.is_active);
    let source = spec.as_ref().zip(active);
    let source = source.and_then(|(spec, active)| spec.sources().get(active));
    let evidence = ProbeEvidence::of_stream(&info, source, tally);
    let view = ProbeView::new(&ProbeReport::new(evidence));
    Ok(json(StatusCode::OK, &view))
}

/// Looks at the pictures that come within the time.
async fn tally(mut consumer: Consumer) -> ProbeTally {
    let mut tally = ProbeTally::default();
    let end = Instant::now() + LOOK;
    while let Ok(Some(published)) = timeout_at(end, consumer.next()).await {
        if !published.is_placeholder {
            let arrived = published.stamp.monotonic();
            tally.picture(&published.frame, arrived, false);
        }
    }
    tally
}

/// For how long the pictures are looked at.
const LOOK: Duration = Duration::from_secs(3);
