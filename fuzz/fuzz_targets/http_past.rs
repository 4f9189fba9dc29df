#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_http::fuzzing::http_past(data));
