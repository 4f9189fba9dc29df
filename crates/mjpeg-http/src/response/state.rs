//! `/state`: ustreamer's report about itself, for programs that read it.

use http::{HeaderValue, Response, header};
use mjpeg_codec::multipart::Layout;
use mjpeg_fanout::{Consumer, Status};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    config::stream::StreamConfig,
    response::{body::ResponseBody, head::NEVER_STORED},
    viewers::{answer_permit::AnswerPermit, table::Summary, viewer::ViewerInfo},
};

pub(crate) fn answer(
    consumer: &Consumer,
    viewers: &Summary,
    permit: AnswerPermit,
    config: &StreamConfig,
    now: Instant,
) -> Response<ResponseBody> {
    let picture = consumer.picture();
    let frame = picture.as_ref().map(|published| &published.frame);
    let online = consumer.status() == Status::Online;
    let captured = if online {
        consumer.fps().round() as u64
    } else {
        0
    };
    let clients: Map<String, Value> = viewers.newest.iter().map(client).collect();
    // ustreamer's names. It has an encoder and asks its camera for a rate. A relay has neither, and
    // gives what ustreamer's readers take for "as it comes".
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
                "queued_fps": viewers.fastest.round() as u64,
                "clients": viewers.viewers,
                "clients_stat": clients,
            },
        },
    });
    let state = state.to_string();
    permit.begin_own(state.len(), config, now);
    let body = ResponseBody::admitted(state, permit);
    let mut response = Response::new(body);
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
    let state = json!({
        "fps": viewer.fps.round() as u64,
        "extra_headers": false,
        "advance_headers": viewer.layout == Layout::Advance,
        "dual_final_frames": viewer.repeat_soon,
        "zero_data": false,
        "key": viewer.key,
    });
    (format!("{:016x}", viewer.id), state)
}
