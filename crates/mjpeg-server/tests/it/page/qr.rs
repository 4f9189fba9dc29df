//! QR codes that the page draws, against an encoder that shares no code with it.

use std::{path::Path, process::Command};

use qrcodegen::{Mask, QrCode, QrCodeEcc, QrSegment, Version};
use serde_json::{Value, json};

/// What the page's script makes of these texts.
fn drawn(texts: &[String]) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mjpeg-control/src/page/assets");
    let script = format!(
        "import {{ readFileSync }} from 'fs';
         const {{ qr }} = await import('data:text/javascript,' +
           encodeURIComponent(readFileSync({}, 'utf8')));
         console.log(JSON.stringify({}.map(qr)));",
        json!(folder.join("qr.js")),
        json!(texts)
    );
    let output = Command::new("node")
        .args(["--input-type=module", "-e", &script])
        .output()
        .expect("node runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
}

fn expected(text: &str, mask: u8) -> Value {
    let segments = [QrSegment::make_bytes(text.as_bytes())];
    let code = QrCode::encode_segments_advanced(
        &segments,
        QrCodeEcc::Medium,
        Version::MIN,
        Version::MAX,
        Some(Mask::new(mask)),
        false,
    );
    let code = code.expect("it fits");
    let row = |y| {
        (0..code.size())
            .map(|x| code.get_module(x, y))
            .collect::<Vec<_>>()
    };
    json!((0..code.size()).map(row).collect::<Vec<_>>())
}

#[test]
fn code_of_each_size_is_the_one_that_others_make() {
    // Each number of bytes at which a version ends or begins, and a link as it is.
    let ends = [
        14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624,
        666,
    ];
    let lengths = ends
        .iter()
        .flat_map(|end| [*end, end + 1])
        .filter(|length| *length <= 666);
    let text = |length: usize| -> String { ('!'..='~').cycle().take(length).collect() };
    let mut texts: Vec<String> = lengths.map(text).collect();
    texts.push("http://192.168.1.5:8080/garage/stream?link=7Yw3kQ&expires=1&sig=ab_-c".into());
    texts.push("für Ölkännchen".into());
    let mut masks = std::collections::BTreeSet::new();
    for (text, drawn) in texts.iter().zip(drawn(&texts)) {
        let mask = (0..8).find(|mask| expected(text, *mask) == drawn);
        let mask = mask.unwrap_or_else(|| panic!("{} bytes: {drawn}", text.len()));
        masks.insert(mask);
    }
    // The best of all is chosen, not always the same.
    assert!(masks.len() > 2, "{masks:?}");
    assert_eq!(drawn(&[text(667)]), [Value::Null]);
}
