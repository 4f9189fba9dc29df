#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_ingest::fuzzing::ingest_push(data));
