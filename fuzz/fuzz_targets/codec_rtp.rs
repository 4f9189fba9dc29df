#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mjpeg_codec::fuzzing::codec_rtp(data));
