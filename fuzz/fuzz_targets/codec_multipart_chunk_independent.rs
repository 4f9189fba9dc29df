#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| mjpeg_codec::fuzzing::codec_multipart_chunk_independent(data)
);
