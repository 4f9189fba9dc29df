//! Clips and time-lapses.

use std::{sync::Arc, time::SystemTime};

use axum::{
    Extension,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode, Uri,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
};
use mjpeg_manager::{StreamName, mjpeg_http::Moment};
use serde_json::{Map, Value};

use super::{
    authorise::{PathTarget, about},
    bodies::{NewClip, NewTimelapse, Nothing},
};
use crate::{
    archive::{Archive, ArchiveList, MovieRequest, RecordingInfo, RecordingKind, RecordingRequest},
    body::{known, read},
    caller::ApiCaller,
    error::{Error, Violation},
    parameters::Parameters,
    respond::{AnyProblem, Refused, json},
    state::ApiState,
    time::parse_rfc3339,
    view::recording::{ClipList, RecordingView, TakenView, TimelapseList},
};

/// Lists the clips that are kept of streams whose past the caller may see.
#[utoipa::path(
    get,
    path = "/api/v1/clips",
    operation_id = "list_clips",
    tag = "recordings",
    responses((status = 200, body = ClipList), AnyProblem)
)]
pub(super) async fn clips(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
) -> Result<Response, Refused> {
    let (shown, all, may_add) = list(&state, &caller, RecordingKind::Clip).await?;
    Ok(json(StatusCode::OK, &ClipList::new(shown, all, may_add)))
}

/// Lists the time-lapses of streams whose past the caller may see.
#[utoipa::path(
    get,
    path = "/api/v1/timelapses",
    operation_id = "list_timelapses",
    tag = "recordings",
    responses((status = 200, body = TimelapseList), AnyProblem)
)]
pub(super) async fn timelapses(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
) -> Result<Response, Refused> {
    let (shown, all, may_add) = list(&state, &caller, RecordingKind::Timelapse).await?;
    let list = TimelapseList::new(shown, all, may_add);
    Ok(json(StatusCode::OK, &list))
}

async fn list(
    state: &ApiState,
    caller: &ApiCaller,
    kind: RecordingKind,
) -> Result<(Vec<RecordingInfo>, ArchiveList, bool), Error> {
    let mut all = seam(state)?.list(kind);
    let may_add = caller.may_control(None).await.is_ok();
    let mut shown = Vec::new();
    for recording in std::mem::take(&mut all.recordings) {
        if may_add || caller.may_replay(&recording.stream).await.is_ok() {
            shown.push(recording);
        }
    }
    Ok((shown, all, may_add))
}

/// Keeps a clip: what a stream has kept in memory, on the disk. Answered when all of it is kept.
#[utoipa::path(
    post,
    path = "/api/v1/clips",
    operation_id = "create_clip",
    tag = "recordings",
    request_body = NewClip,
    responses((status = 201, body = RecordingView), AnyProblem)
)]
pub(super) async fn keep_clip(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
    request: Request,
) -> Result<Response, Refused> {
    create(state, caller, request, wanted_clip).await
}

/// Begins a time-lapse.
#[utoipa::path(
    post,
    path = "/api/v1/timelapses",
    operation_id = "create_timelapse",
    tag = "recordings",
    request_body = NewTimelapse,
    responses((status = 201, body = RecordingView), AnyProblem)
)]
pub(super) async fn begin_timelapse(
    State(state): State<Arc<ApiState>>,
    Extension(caller): Extension<Arc<ApiCaller>>,
    request: Request,
) -> Result<Response, Refused> {
    create(state, caller, request, wanted_timelapse).await
}

async fn create(
    state: Arc<ApiState>,
    caller: Arc<ApiCaller>,
    request: Request,
    wanted: fn(&Map<String, Value>, StreamName) -> Result<RecordingRequest, Error>,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    let fields = read(body, &state.config).await?;
    let stream = stream(&fields)?;
    if let Err(denied) = caller.may_control(Some(stream.as_str())).await {
        // Whoever may not see it gets the answer for a stream that is not there.
        let is_seen = caller.may_replay(stream.as_str()).await.is_ok();
        return match is_seen || !denied.is_about_rights() {
            true => Ok(denied.into_response()),
            false => Err(Error::not_found().into()),
        };
    }
    if state.manager.spec(stream.as_str()).is_err() {
        return Err(Error::not_found().into());
    }
    let wanted = wanted(&fields, stream.clone())?;
    let response = match seam(&state)?.create(wanted).await {
        Ok(made) => {
            if made.kind == RecordingKind::Clip {
                state.clip_ready(&made);
            }
            json(StatusCode::CREATED, &RecordingView::from(made))
        }
        Err(error) => Refused(error).into_response(),
    };
    Ok(about(response, &stream))
}

/// Reads a clip.
#[utoipa::path(
    get,
    path = "/api/v1/clips/{id}",
    operation_id = "read_clip",
    tag = "recordings",
    params(("id" = String, Path, description = "The clip, as listed")),
    responses((status = 200, body = RecordingView), AnyProblem)
)]
pub(super) async fn clip(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
) -> Result<Response, Refused> {
    show(&state, &id, RecordingKind::Clip)
}

/// Reads a time-lapse.
#[utoipa::path(
    get,
    path = "/api/v1/timelapses/{id}",
    operation_id = "read_timelapse",
    tag = "recordings",
    params(("id" = String, Path, description = "The time-lapse, as listed")),
    responses((status = 200, body = RecordingView), AnyProblem)
)]
pub(super) async fn timelapse(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
) -> Result<Response, Refused> {
    show(&state, &id, RecordingKind::Timelapse)
}

fn show(state: &ApiState, id: &str, kind: RecordingKind) -> Result<Response, Refused> {
    let view = RecordingView::from(found(state, id, kind)?);
    Ok(json(StatusCode::OK, &view))
}

/// Keeps the next picture of a time-lapse. Answered when it is on the disk.
#[utoipa::path(
    post,
    path = "/api/v1/timelapses/{id}/frame",
    operation_id = "take_frame",
    tag = "recordings",
    params(("id" = String, Path, description = "The time-lapse, as listed")),
    request_body = Nothing,
    responses((status = 200, body = TakenView), AnyProblem)
)]
pub(super) async fn take(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    nothing(&state, request).await?;
    found(&state, &id, RecordingKind::Timelapse)?;
    let number = seam(&state)?.take(&id).await?;
    Ok(json(StatusCode::OK, &TakenView { number }))
}

/// Ends a time-lapse, which keeps what it has.
#[utoipa::path(
    post,
    path = "/api/v1/timelapses/{id}/finish",
    operation_id = "finish_timelapse",
    tag = "recordings",
    params(("id" = String, Path, description = "The time-lapse, as listed")),
    request_body = Nothing,
    responses((status = 200, body = RecordingView), AnyProblem)
)]
pub(super) async fn finish(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    nothing(&state, request).await?;
    found(&state, &id, RecordingKind::Timelapse)?;
    let ended = seam(&state)?.finish(&id).await?;
    Ok(json(StatusCode::OK, &RecordingView::from(ended)))
}

/// Deletes a clip.
#[utoipa::path(
    delete,
    path = "/api/v1/clips/{id}",
    operation_id = "delete_clip",
    tag = "recordings",
    params(("id" = String, Path, description = "The clip, as listed")),
    responses((status = 204, description = "It is deleted"), AnyProblem)
)]
pub(super) async fn delete_clip(
    state: State<Arc<ApiState>>,
    target: Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    delete(state, target, request).await
}

/// Deletes a time-lapse with all its pictures.
#[utoipa::path(
    delete,
    path = "/api/v1/timelapses/{id}",
    operation_id = "delete_timelapse",
    tag = "recordings",
    params(("id" = String, Path, description = "The time-lapse, as listed")),
    responses((status = 204, description = "It is deleted"), AnyProblem)
)]
pub(super) async fn delete_timelapse(
    state: State<Arc<ApiState>>,
    target: Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    delete(state, target, request).await
}

async fn delete(
    State(state): State<Arc<ApiState>>,
    Extension(PathTarget(id)): Extension<PathTarget>,
    request: Request,
) -> Result<Response, Refused> {
    nothing(&state, request).await?;
    seam(&state)?.delete(&id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Downloads a clip as a file: `movie.mov`, `movie.avi`, `movie.zip` or `movie.mjpeg`; or a picture
/// of it, `picture.jpg`.
#[utoipa::path(
    get,
    path = "/api/v1/clips/{id}/{file}",
    operation_id = "download_clip",
    tag = "recordings",
    params(
        ("id" = String, Path, description = "The clip, as listed"),
        ("file" = String, Path, description = "`movie.mov` and so on, or `picture.jpg`"),
        ("fps" = Option<u32>, Query, minimum = 1, maximum = 120,
            description = "Pictures per second; by default, each is shown at its own time"),
        ("number" = Option<u64>, Query, description = "Which picture, from 0; default: the last")
    ),
    responses((status = 200, description = "The file"), AnyProblem)
)]
pub(super) async fn clip_file(
    State(state): State<Arc<ApiState>>,
    Path((id, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Refused> {
    file(&state, &id, &name, &uri, RecordingKind::Clip).await
}

/// Downloads the movie of a time-lapse: `movie.mov`, `movie.avi`, `movie.zip` or `movie.mjpeg`; or
/// a picture of it, `picture.jpg`.
#[utoipa::path(
    get,
    path = "/api/v1/timelapses/{id}/{file}",
    operation_id = "download_timelapse",
    tag = "recordings",
    params(
        ("id" = String, Path, description = "The time-lapse, as listed"),
        ("file" = String, Path, description = "`movie.mov` and so on, or `picture.jpg`"),
        ("fps" = Option<u32>, Query, minimum = 1, maximum = 120,
            description = "Pictures per second; default: as the time-lapse says"),
        ("pace" = Option<bool>, Query, description = "Show each picture at its own time"),
        ("number" = Option<u64>, Query, description = "Which picture, from 0; default: the last")
    ),
    responses((status = 200, description = "The file"), AnyProblem)
)]
pub(super) async fn timelapse_file(
    State(state): State<Arc<ApiState>>,
    Path((id, name)): Path<(String, String)>,
    uri: Uri,
) -> Result<Response, Refused> {
    file(&state, &id, &name, &uri, RecordingKind::Timelapse).await
}

async fn file(
    state: &ApiState,
    id: &str,
    name: &str,
    uri: &Uri,
    kind: RecordingKind,
) -> Result<Response, Refused> {
    found(state, id, kind)?;
    let query = Parameters::of_read(uri, &["fps", "pace", "number"])?;
    let number = |name: &str| -> Result<Option<u64>, Error> {
        let number = query.get(name).map(str::parse).transpose();
        number.map_err(|_| Error::invalid(format!("{name} is a whole number")))
    };
    let archive = seam(state)?;
    if name == "picture.jpg" {
        let jpeg = archive.picture(id, number("number")?).await?;
        let mut response = Response::new(Body::from(jpeg));
        describe(&mut response, "image/jpeg");
        return Ok(response);
    }
    let format = name.strip_prefix("movie.").ok_or_else(Error::not_found)?;
    let fps = number("fps")?.map(|fps| u32::try_from(fps).unwrap_or(u32::MAX));
    let pace = query.get("pace").map(|_| query.is("pace", false));
    let wanted = MovieRequest {
        format: format.to_owned(),
        fps,
        has_true_times: pace.transpose()?,
    };
    let movie = archive.movie(id, wanted).await?;
    let mut response = Response::new(Body::from_stream(movie.pieces));
    describe(&mut response, movie.media_type);
    let headers = response.headers_mut();
    let disposition = format!("attachment; filename=\"{}\"", movie.name);
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    if let Some(length) = movie.length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}

fn describe(response: &mut Response, media_type: &'static str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

pub(super) fn seam(state: &ApiState) -> Result<&dyn Archive, Error> {
    state.archive.as_deref().ok_or_else(Error::not_found)
}

fn found(state: &ApiState, id: &str, kind: RecordingKind) -> Result<RecordingInfo, Error> {
    let found = seam(state)?.find(id).filter(|found| found.kind == kind);
    found.ok_or_else(Error::not_found)
}

pub(super) async fn nothing(state: &ApiState, request: Request) -> Result<(), Error> {
    let (parts, body) = request.into_parts();
    Parameters::of(&parts.uri, &[])?;
    known(&read(body, &state.config).await?, &[])
}

fn stream(fields: &Map<String, Value>) -> Result<StreamName, Error> {
    let stream = fields.get("stream").and_then(Value::as_str);
    let stream: Option<StreamName> = stream.and_then(|name| name.parse().ok());
    stream.ok_or_else(|| wrong("stream", "stream is the name of a stream"))
}

fn wanted_clip(fields: &Map<String, Value>, stream: StreamName) -> Result<RecordingRequest, Error> {
    known(fields, &["stream", "from", "to", "title"])?;
    let moment = |key: &'static str| -> Result<Option<Moment>, Error> {
        let Some(value) = given(fields, key) else {
            return Ok(None);
        };
        let moment = value.as_str().and_then(|text| text.parse().ok());
        let message = format!("{key} is a time such as \"-30s\", \"now\" or 2026-11-30T12:00:00Z");
        moment.map(Some).ok_or_else(|| wrong(key, &message))
    };
    let from = moment("from")?;
    Ok(RecordingRequest::Clip {
        stream,
        from: from.ok_or_else(|| wrong("from", "from says when the clip begins: \"-30s\""))?,
        to: moment("to")?.unwrap_or(Moment::NOW),
        title: title(fields)?,
    })
}

fn wanted_timelapse(
    fields: &Map<String, Value>,
    stream: StreamName,
) -> Result<RecordingRequest, Error> {
    let keys = ["stream", "every_s", "title", "until", "max_frames", "fps"];
    known(fields, &keys)?;
    let every_s = given(fields, "every_s").map(|value| {
        let number = value.as_f64().filter(|number| *number >= LEAST_EVERY_S);
        number.ok_or_else(|| wrong("every_s", "every_s is a number of seconds, at least 0.1"))
    });
    let until = given(fields, "until").map(|value| {
        let time = value.as_str().and_then(parse_rfc3339);
        let time = time.filter(|time| *time > SystemTime::now());
        time.ok_or_else(|| {
            wrong(
                "until",
                "until is a time ahead, such as 2026-11-30T12:00:00Z",
            )
        })
    });
    let count = |key: &'static str| {
        let count = given(fields, key).map(|value| {
            let count = value.as_u64().filter(|count| *count > 0);
            count.ok_or_else(|| wrong(key, &format!("{key} is a whole number above 0")))
        });
        count.transpose()
    };
    Ok(RecordingRequest::Timelapse {
        stream,
        title: title(fields)?,
        every_s: every_s.transpose()?,
        until: until.transpose()?,
        max_frames: count("max_frames")?,
        fps: count("fps")?.map(|fps| u32::try_from(fps).unwrap_or(u32::MAX)),
    })
}

fn title(fields: &Map<String, Value>) -> Result<String, Error> {
    match given(fields, "title") {
        None => Ok(String::new()),
        Some(Value::String(title)) => Ok(title.clone()),
        Some(_) => Err(wrong("title", "title is a text")),
    }
}

fn given<'f>(fields: &'f Map<String, Value>, key: &str) -> Option<&'f Value> {
    fields.get(key).filter(|value| !value.is_null())
}

fn wrong(key: &str, message: &str) -> Error {
    Error::invalid(message).with_violation(Violation::new(message).with_key(key))
}

/// Each picture waits for the disk.
const LEAST_EVERY_S: f64 = 0.1;
