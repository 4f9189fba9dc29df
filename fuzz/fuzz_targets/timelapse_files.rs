#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_timelapse::fuzzing::timelapse_files(data));
