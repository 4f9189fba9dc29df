//! Prometheus, as Debian has it, reads the figures. Without it, these tests are skipped.

use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use mjpeg_testkit::request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::metrics::{
    pages::docs,
    relay::{TestRelay, live},
};

/// Whether the programs are there. Says so if they are not.
fn is_installed() -> bool {
    let version = Command::new("promtool").arg("--version").output();
    if version.is_err() {
        println!("SKIPPED: no Prometheus; `cargo xtask ci --install` installs it");
    }
    version.is_ok()
}

fn promtool(args: &[&str], stdin: &[u8]) -> Output {
    let mut promtool = Command::new("promtool")
        .args(args)
        .current_dir(docs().join("monitoring"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(stdin).unwrap();
    promtool.wait_with_output().unwrap()
}

/// Fails unless promtool has nothing to say against it.
fn passes(args: &[&str], stdin: &[u8]) {
    let Output {
        status,
        stdout,
        stderr,
    } = promtool(args, stdin);
    let said = [stdout, stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(status.success(), "promtool {args:?}: {said}");
}

#[tokio::test]
async fn promtool_finds_no_fault_with_the_figures() {
    if !is_installed() {
        return;
    }
    let relay = TestRelay::start(live()).await;
    let raw = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let text = request(relay.metrics, raw).await.unwrap().body;
    passes(&["check", "metrics"], &text);
    // It does look.
    let wrong = [
        &text[..],
        b"# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n",
    ]
    .concat();
    assert!(!promtool(&["check", "metrics"], &wrong).status.success());
    relay.shutdown().await;
}

#[test]
fn alert_rules_fire_when_they_should_and_not_otherwise() {
    if is_installed() {
        passes(&["check", "rules", "alerts.yml"], b"");
        passes(&["test", "rules", "alerts_test.yml"], b"");
    }
}

#[test]
fn every_alert_rule_has_a_test() {
    let read = |name: &str| fs::read_to_string(docs().join("monitoring").join(name)).unwrap();
    let (rules, tests) = (read("alerts.yml"), read("alerts_test.yml"));
    let mut rules = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    assert!(rules.clone().count() > 5);
    let is_tested =
        |rule: &str| tests.contains(&format!("alertname: {rule}\n        exp_alerts:\n"));
    assert_eq!(rules.find(|rule| !is_tested(rule)), None);
}

#[tokio::test]
async fn every_query_of_the_dashboard_has_an_answer() {
    if !is_installed() {
        return;
    }
    let relay = TestRelay::start(live()).await;
    let prometheus = Prometheus::start(relay.metrics);
    let dashboard = fs::read(docs().join("monitoring/grafana.json")).unwrap();
    let mut unanswered = queries(&serde_json::from_slice(&dashboard).unwrap());
    assert!(unanswered.len() > 20, "{unanswered:?}");
    let started = Instant::now();
    while !unanswered.is_empty() {
        assert!(started.elapsed() < IN_TIME, "no answer: {unanswered:?}");
        sleep(Duration::from_millis(200)).await;
        let mut left = Vec::new();
        for query in unanswered {
            if prometheus.query(&query).await.is_none_or(|rows| rows == 0) {
                left.push(query);
            }
        }
        unanswered = left;
    }

    // It was given OpenMetrics, where the name of the family has no suffix.
    let metadata = prometheus
        .get("targets/metadata?metric=mjpeg_stream_frames")
        .await;
    assert_eq!(metadata["data"][0]["type"], "counter", "{metadata}");
    // It has read the rules and can evaluate them.
    let rules = prometheus.get("rules?type=alert").await;
    let rules = rules["data"]["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        rules.iter().all(|rule| rule["health"] != "err"),
        "{rules:?}"
    );
    assert!(rules.iter().any(|rule| rule["name"] == "MjpegStreamDown"));
    let targets = prometheus.get("targets").await;
    let target = &targets["data"]["activeTargets"][0];
    assert_eq!(
        (&target["health"], &target["lastError"]),
        (&"up".into(), &"".into())
    );
    drop(prometheus);
    relay.shutdown().await;
}

/// The queries of all panels, for a relay that is scraped twice a second.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let queries = targets.map(|target| target["expr"].as_str().unwrap());
    queries
        .map(|query| {
            let query = query.replace("$__rate_interval", "5s");
            let query = query.replace("$stream", ".*").replace("$instance", ".*");
            assert!(!query.contains('$'), "a variable that is not set: {query}");
            query
        })
        .collect()
}

/// A running Prometheus. Killed when dropped.
struct Prometheus {
    child: Child,
    addr: SocketAddr,
    folder: PathBuf,
}

impl Prometheus {
    fn start(target: SocketAddr) -> Self {
        // It accepts no port 0.
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = port.local_addr().unwrap();
        drop(port);
        let folder = std::env::temp_dir().join(format!("mjpeg-prometheus-{}", addr.port()));
        fs::create_dir_all(&folder).unwrap();
        let rules = fs::canonicalize(docs().join("monitoring/alerts.yml")).unwrap();
        let config = format!(
            "global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}}\n\
             rule_files: [{rules:?}]\n\
             scrape_configs: [{{job_name: mjpeg, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let child = Command::new("prometheus")
            .arg(flag("config.file", &folder.join("prometheus.yml")))
            .arg(flag("storage.tsdb.path", &folder.join("data")))
            .arg(format!("--web.listen-address={addr}"))
            .arg("--log.level=error")
            .spawn()
            .unwrap();
        Self {
            child,
            addr,
            folder,
        }
    }

    /// How many rows a query has; `None` if it cannot be asked yet.
    async fn query(&self, query: &str) -> Option<usize> {
        let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
        let answer = self.try_get(&format!("query?query={query}")).await?;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        Some(answer["data"]["result"].as_array()?.len())
    }

    async fn get(&self, path: &str) -> Value {
        self.try_get(path).await.expect("Prometheus answers")
    }

    async fn try_get(&self, path: &str) -> Option<Value> {
        // Of this version, so that the answer is not chunked.
        let raw = format!("GET /api/v1/{path} HTTP/1.0\r\nHost: a\r\n\r\n");
        let answer = request(self.addr, raw).await.ok()?;
        serde_json::from_slice(&answer.body).ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn flag(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

/// How long Prometheus may take to start and to see a difference between two scrapes.
const IN_TIME: Duration = Duration::from_secs(60);
