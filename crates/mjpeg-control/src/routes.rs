//! Which requests there are, and who may send them.

mod authorise;
mod bodies;
mod cluster;
mod events;
mod links;
mod probe;
#[cfg(feature = "replay")]
mod recordings;
mod relay;
#[cfg(feature = "replay")]
mod stream_timelapses;
mod streams;
mod viewers;
mod wall;
mod writes;

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn_with_state,
    response::IntoResponse,
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;
use utoipa::{
    OpenApi,
    openapi::{
        RefOr,
        path::{Parameter, PathItem},
        schema::{Schema, SchemaType, Type},
    },
};

use self::authorise::{FORGET, NeededRight, REVOKE, Rule, authorise};
use crate::{
    code::ErrorCode, error::Error, respond::Refused, state::ApiState, view::stream::FullStream,
};

/// A request that is answered.
pub(crate) struct ApiRoute {
    pub(crate) method: Method,
    /// Below [`BASE`].
    pub(crate) path: &'static str,
    right: NeededRight,
    /// What it does, in the audit log; empty for what changes nothing.
    verb: &'static str,
    handler: fn(MethodFilter) -> MethodRouter<Arc<ApiState>>,
}

/// Makes an entry of the table.
macro_rules! route {
    ($method:ident $path:expr, $right:ident, $verb:expr, $handler:path) => {
        ApiRoute {
            method: Method::$method,
            path: $path,
            right: NeededRight::$right,
            verb: $verb,
            handler: |method| on(method, $handler),
        }
    };
}

/// All requests. This table is what is served; that the document says the same is tested.
pub(crate) const ROUTES: &[ApiRoute] = &[
    route!(GET "/streams", Look, "", streams::list),
    route!(POST "/streams", Control, "create", writes::create),
    route!(GET "/streams/{name}", ControlStream, "", streams::read),
    route!(PUT "/streams/{name}", Control, "replace", writes::replace),
    route!(PATCH "/streams/{name}", Control, "change", writes::merge),
    route!(DELETE "/streams/{name}", Control, "remove", writes::remove),
    route!(POST "/streams/{name}/retry", ControlStream, "retry", writes::retry),
    route!(POST "/streams/{name}/pause", ControlStream, "pause", writes::pause),
    route!(POST "/streams/{name}/resume", ControlStream, "resume", writes::resume),
    route!(POST "/streams/{name}/probe", ControlStream, "probe", probe::probe),
    route!(GET "/streams/{name}/viewers", ControlStream, "", viewers::list),
    route!(GET "/streams/{name}/health", See, "", streams::health),
    route!(GET "/streams/{name}/events", ControlStream, "", events::past),
    route!(DELETE "/viewers/{id}", ControlViewer, "disconnect", viewers::disconnect),
    route!(GET "/events", Subscribe, "", events::subscribe),
    route!(GET "/wall", OpenSocket, "", wall::open),
    route!(GET "/config", Control, "", relay::config),
    route!(POST "/reload", Control, "reload", relay::reload),
    route!(GET "/info", Control, "", relay::info),
    route!(GET "/schema", Control, "", relay::schema),
    route!(GET "/devices", Control, "", relay::devices),
    route!(GET "/cluster", Control, "", cluster::show),
    route!(POST "/streams/{name}/move", ControlStream, "move", cluster::move_to),
    route!(POST "/cluster/drain", Control, "drain", cluster::drain),
    route!(POST "/cluster/undrain", Control, "undrain", cluster::undrain),
    route!(DELETE "/cluster/nodes/{node}", Control, FORGET, cluster::forget),
    route!(GET "/openapi.json", Control, "", relay::document),
    route!(GET "/links", Control, "", links::list),
    route!(POST "/links", Control, "link", links::create),
    route!(DELETE "/links/{id}", Control, REVOKE, links::revoke),
    #[cfg(feature = "replay")]
    route!(GET "/clips", Look, "", recordings::clips),
    #[cfg(feature = "replay")]
    route!(POST "/clips", ControlNamed, "keep", recordings::keep_clip),
    #[cfg(feature = "replay")]
    route!(GET "/clips/{id}", SeeRecording, "", recordings::clip),
    #[cfg(feature = "replay")]
    route!(GET "/clips/{id}/{file}", SeeRecording, "", recordings::clip_file),
    #[cfg(feature = "replay")]
    route!(DELETE "/clips/{id}", ControlRecording, "delete", recordings::delete_clip),
    #[cfg(feature = "replay")]
    route!(GET "/timelapses", Look, "", recordings::timelapses),
    #[cfg(feature = "replay")]
    route!(POST "/timelapses", ControlNamed, "record", recordings::begin_timelapse),
    #[cfg(feature = "replay")]
    route!(GET "/timelapses/{id}", SeeRecording, "", recordings::timelapse),
    #[cfg(feature = "replay")]
    route!(GET "/timelapses/{id}/{file}", SeeRecording, "", recordings::timelapse_file),
    #[cfg(feature = "replay")]
    route!(POST "/timelapses/{id}/frame", ControlRecording, "take", recordings::take),
    #[cfg(feature = "replay")]
    route!(POST "/timelapses/{id}/finish", ControlRecording, "finish", recordings::finish),
    #[cfg(feature = "replay")]
    route!(DELETE "/timelapses/{id}", ControlRecording, "delete", recordings::delete_timelapse),
    #[cfg(feature = "replay")]
    route!(POST STREAM_FRAME, ControlStream, "take", stream_timelapses::take),
    #[cfg(feature = "replay")]
    route!(POST STREAM_FINISH, ControlStream, "finish", stream_timelapses::finish),
];

/// Makes the router of all requests, or of those that everybody may send who may see a stream.
pub(crate) fn router(state: &Arc<ApiState>, has_control: bool) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let is_served = (state.links.is_some() || !is_about_links(route.path))
            && (state.has_archive() || !needs_archive(route.path));
        if !is_served || !(has_control || route.right.is_public()) {
            continue;
        }
        let rule = Rule::new(Arc::clone(state), route.right, route.verb);
        let method = MethodFilter::try_from(route.method.clone()).expect("one that axum knows");
        let handler = (route.handler)(method).layer(from_fn_with_state(rule, authorise));
        router = router.route(&format!("{BASE}{}", route.path), handler);
    }
    router
        .fallback(async || Refused(Error::not_found()).into_response())
        .method_not_allowed_fallback(async || {
            let detail = "this path does not take this method";
            Refused(Error::new(ErrorCode::MethodNotAllowed, detail)).into_response()
        })
        .with_state(Arc::clone(state))
}

/// The verb of a request that changes something, and what stands in its path as its target: a
/// stream, a viewer or nothing. `None` if there is no such request.
pub(crate) fn change_of<'p>(method: &Method, path: &'p str) -> Option<(&'static str, &'p str)> {
    let targets = |route: &ApiRoute| {
        let (mut target, mut parts) = ("", path.split('/'));
        for known in route.path.split('/') {
            let part = parts.next()?;
            match known.starts_with('{') {
                true => target = part,
                false if part != known => return None,
                false => {}
            }
        }
        parts.next().is_none().then_some(target)
    };
    let mut changes = ROUTES.iter();
    changes.find_map(|route| {
        let is_change = route.method == *method && !route.verb.is_empty();
        let target = targets(route).filter(|_| is_change)?;
        // The id of a link or a recording, or the name of a node, could pass for the name of a
        // stream.
        let is_id = is_about_links(route.path) || is_about_recordings(route.path);
        let is_stream = !is_id && route.verb != FORGET;
        Some((route.verb, if is_stream { target } else { "" }))
    })
}

fn is_about_links(path: &str) -> bool {
    path.starts_with("/links")
}

/// Whether what stands in the path is a recording.
fn is_about_recordings(path: &str) -> bool {
    path.starts_with("/clips") || path.starts_with("/timelapses")
}

fn needs_archive(path: &str) -> bool {
    is_about_recordings(path) || [STREAM_FRAME, STREAM_FINISH].contains(&path)
}

/// Describes the API as it is served.
pub(crate) fn document(has_links: bool, has_archive: bool) -> utoipa::openapi::OpenApi {
    let mut document = ApiDocument::openapi();
    #[cfg(feature = "replay")]
    document.merge(RecordingsDocument::openapi());
    for item in document.paths.paths.values_mut() {
        let PathItem {
            get,
            put,
            post,
            delete,
            patch,
            ..
        } = item;
        let operations = [get, put, post, delete, patch].into_iter().flatten();
        let parameters = operations.flat_map(|operation| operation.parameters.iter_mut().flatten());
        parameters.for_each(forbid_null);
    }
    if !has_links {
        let paths = &mut document.paths.paths;
        paths.retain(|path, _| !path.strip_prefix(BASE).is_some_and(is_about_links));
    }
    if !has_archive {
        let paths = &mut document.paths.paths;
        paths.retain(|path, _| !path.strip_prefix(BASE).is_some_and(needs_archive));
    }
    document
}

/// What stands in a URL or a header is a text: there is no `null`, although it may be left out.
fn forbid_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(Parameter {
        schema: Some(RefOr::T(Schema::Object(schema))),
        ..
    }) = parameter
    else {
        return;
    };
    if let SchemaType::Array(types) = &mut schema.schema_type {
        types.retain(|kind| *kind != Type::Null);
        if let [only] = &**types {
            schema.schema_type = SchemaType::Type(only.clone());
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mjpeg-control",
        version = "1",
        description = "The API of a Motion-JPEG relay. Errors are problems (RFC 9457) with a \
                       stable `code`. What changes something is JSON and must say so in \
                       `Content-Type`."
    ),
    paths(
        streams::list,
        writes::create,
        streams::read,
        writes::replace,
        writes::merge,
        writes::remove,
        writes::retry,
        writes::pause,
        writes::resume,
        probe::probe,
        viewers::list,
        streams::health,
        events::past,
        viewers::disconnect,
        events::subscribe,
        wall::open,
        relay::config,
        relay::reload,
        relay::info,
        relay::schema,
        relay::devices,
        cluster::show,
        cluster::move_to,
        cluster::drain,
        cluster::undrain,
        cluster::forget,
        relay::document,
        links::list,
        links::create,
        links::revoke
    ),
    components(schemas(FullStream))
)]
struct ApiDocument;

#[cfg(feature = "replay")]
#[derive(OpenApi)]
#[openapi(paths(
    recordings::clips,
    recordings::keep_clip,
    recordings::clip,
    recordings::clip_file,
    recordings::delete_clip,
    recordings::timelapses,
    recordings::begin_timelapse,
    recordings::timelapse,
    recordings::timelapse_file,
    recordings::take,
    recordings::finish,
    recordings::delete_timelapse,
    stream_timelapses::take,
    stream_timelapses::finish
))]
struct RecordingsDocument;

/// Where the API begins.
pub(crate) const BASE: &str = "/api/v1";

const STREAM_FRAME: &str = "/streams/{name}/frame";
const STREAM_FINISH: &str = "/streams/{name}/timelapses/finish";

/// The one path below it that speaks WebSocket.
pub(crate) const WALL: &str = "/wall";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_describes_what_is_served_and_nothing_else() {
        let served = ROUTES.iter();
        let served =
            served.map(|route| (format!("{BASE}{}", route.path), route.method.to_string()));
        let mut served: Vec<_> = served.collect();
        served.sort();
        let json = serde_json::to_value(document(true, true)).unwrap();
        let mut described = Vec::new();
        for (path, item) in json["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys();
            described.extend(methods.map(|method| (path.clone(), method.to_uppercase())));
        }
        described.sort();
        assert_eq!(described, served);
    }

    #[test]
    fn every_change_has_a_verb_for_the_log_and_nothing_else_has() {
        for route in ROUTES {
            let is_write = route.method != Method::GET;
            assert_eq!(!route.verb.is_empty(), is_write, "{}", route.path);
            assert!(!(is_write && route.right.is_public()), "{}", route.path);
        }
    }
}
