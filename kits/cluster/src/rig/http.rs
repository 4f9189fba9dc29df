//! Requests to nodes and to the engine, from the router.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use mjpeg_testkit::{Response, request};

/// Asks for a path. HTTP/1.0, so that nobody answers in chunks.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> Result<Response> {
    let raw = format!("GET {path} HTTP/1.0\r\nHost: {addr}\r\n\r\n");
    let answer = request(addr, raw).await;
    answer.with_context(|| format!("asking {addr} for {path}"))
}

/// The value of a metric: `labels` is what stands in braces, or nothing.
pub(crate) async fn metric(addr: SocketAddr, name: &str, labels: &str) -> Result<Option<f64>> {
    let answer = get(addr, "/metrics").await?;
    let text = String::from_utf8_lossy(&answer.body);
    Ok(value(&text, name, labels))
}

fn value(text: &str, name: &str, labels: &str) -> Option<f64> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = rest.strip_prefix(labels)?;
        value.strip_prefix(' ')?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_is_found_by_its_whole_name_and_labels() {
        let text = "# TYPE up gauge\nup_since 9\nup{stream=\"a\"} 0\nup{stream=\"b\"} 1\nlead 1\n";
        assert_eq!(value(text, "up", "{stream=\"b\"}"), Some(1.0));
        assert_eq!(value(text, "lead", ""), Some(1.0));
        assert_eq!(value(text, "up", ""), None);
    }
}
