//! `/state`: what ustreamer tells of itself, for programs that ask it.

use http::{HeaderValue, Response, header};
use mjpeg_fanout::{Consumer, Status};
use serde_json::{Map, Value, json};

use crate::{
    ResponseBody,
    respond::NEVER_STORED,
    viewers::{ViewerInfo, Viewers},
};
use mjpeg_codec::multipart::Layout;

pub(crate) fn answer(consumer: &Consumer, viewers: &Viewers) -> Response<ResponseBody> {
    let picture = consumer.picture();
    let frame = picture.as_ref().map(|published| &published.frame);
    let online = consumer.status() == Status::Online;
    let per_second = |interval: std::time::Duration| (1.0 / interval.as_secs_f64()).round() as u64;
    let captured = consumer.interval().filter(|_| online).map_or(0, per_second);
    let viewers = viewers.list();
    let fastest = viewers.iter().map(|viewer| viewer.fps.round() as u64).max();
    let clients: Map<String, Value> = viewers.iter().map(client).collect();
    // ustreamer's names. It has an encoder and asks its camera for a rate; we have neither, and give what its readers take for "as it comes".
    let state = json!({
        "ok": true,
        "result": {
            "instance_id": "",
            "encoder": {"type": "HW", "quality": 0},
            "source": {
                "resolution": {
                    "width": frame.map_or(0, |frame| frame.width()),
                    "height": frame.map_or(0, |frame| frame.height()),
                },
                "online": online,
                "desired_fps": captured,
                "captured_fps": captured,
            },
            "stream": {
                "queued_fps": fastest.unwrap_or(0),
                "clients": viewers.len(),
                "clients_stat": clients,
            },
        },
    });
    let mut response = Response::new(ResponseBody::whole(state.to_string()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    for (name, value) in NEVER_STORED {
        headers.insert(name, value);
    }
    response
}

fn client(viewer: &ViewerInfo) -> (String, Value) {
    let told = json!({
        "fps": viewer.fps.round() as u64,
        "extra_headers": false,
        "advance_headers": viewer.layout == Layout::Advance,
        "dual_final_frames": viewer.repeat_soon,
        "zero_data": false,
        "key": viewer.key,
    });
    (format!("{:016x}", viewer.id), told)
}
