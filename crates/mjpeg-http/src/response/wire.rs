//! A response's head as bytes.

use std::time::SystemTime;

use http::Response;

/// The head of a response as it goes over the wire, with the date.
pub(crate) fn head_bytes(head: &Response<()>) -> Vec<u8> {
    let mut bytes = format!("{:?} {}\r\n", head.version(), head.status()).into_bytes();
    for (name, value) in head.headers() {
        bytes.extend(name.as_str().as_bytes());
        bytes.extend(b": ");
        bytes.extend(value.as_bytes());
        bytes.extend(b"\r\n");
    }
    let now = httpdate::fmt_http_date(SystemTime::now());
    bytes.extend(format!("date: {now}\r\n\r\n").as_bytes());
    bytes
}
