//! The wall socket.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mjpeg_manager::mjpeg_http::{Detach, Grant};
use tracing::debug;

use crate::{
    caller::ApiCaller,
    code::ErrorCode,
    error::Error,
    respond::{AnyProblem, Refused},
    state::ApiState,
    wall::{
        end::WallEnd,
        handshake,
        io::{opened, refuse},
        socket::WallSocket,
        walls::WallPlace,
    },
};

/// Shows many streams over one WebSocket with the subprotocol `mjpeg-wall.1`, which `docs/wall.md`
/// describes.
#[utoipa::path(
    get,
    path = "/api/v1/wall",
    operation_id = "open_wall",
    tag = "streams",
    params(
        ("Upgrade" = String, Header, description = "`websocket` (RFC 6455)"),
        ("Sec-WebSocket-Protocol" = String, Header, description = "`mjpeg-wall.1`, among others")
    ),
    responses(
        (status = 101, description = "The socket is open"),
        AnyProblem
    )
)]
pub(super) async fn open(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
    Extension(grant): Extension<Grant>,
    mut request: Request,
) -> Response {
    if !caller.shows_streams() {
        return Refused(Error::not_found()).into_response();
    }
    let headers = request.headers();
    let response = match handshake::open(request.method(), request.version(), headers) {
        Ok(response) => response,
        Err(refusal) => return *refusal,
    };
    let extensions = request.extensions_mut();
    let detach = extensions.remove::<Detach>();
    let Some(upgrade) = extensions.remove::<OnUpgrade>() else {
        let detail = "this connection cannot become a WebSocket";
        return Refused(Error::new(ErrorCode::BadRequest, detail)).into_response();
    };
    let connection = Upgrading { upgrade, detach };
    match state.walls.take(caller.peer()) {
        Some(place) => {
            let serving = serve(Arc::clone(&state), caller, grant, connection, place);
            state.walls.spawn(serving);
        }
        None => {
            let Some(place) = state.walls.refuse() else {
                let detail = "as many walls as allowed are open";
                return Refused(Error::new(ErrorCode::Busy, detail)).into_response();
            };
            state.walls.spawn(async move {
                if let Some(io) = connection.upgraded().await {
                    refuse(opened(io), WallEnd::Full).await;
                }
                drop(place);
            });
        }
    }
    response
}

/// A connection that is about to become a socket.
struct Upgrading {
    upgrade: OnUpgrade,
    /// Lets it stay when its listener ends.
    detach: Option<Detach>,
}

impl Upgrading {
    /// Waits until it is one.
    async fn upgraded(self) -> Option<TokioIo<hyper::upgrade::Upgraded>> {
        let upgraded = self.upgrade.await.ok()?;
        if let Some(detach) = self.detach {
            detach.detach();
        }
        Some(TokioIo::new(upgraded))
    }
}

async fn serve(
    state: Arc<ApiState>,
    caller: Arc<ApiCaller>,
    grant: Grant,
    connection: Upgrading,
    place: WallPlace,
) {
    let peer = caller.peer().unwrap_or_default();
    let Some(io) = connection.upgraded().await else {
        return;
    };
    debug!(%peer, "wall opened");
    let end = WallSocket::new(opened(io), state, caller, &grant)
        .run()
        .await;
    debug!(%peer, ?end, "wall closed");
    drop(place);
}
