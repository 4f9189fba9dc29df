//! The pages in `docs/` speak of metrics that there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use crate::metrics::{
    exposition::{Exposition, Family, Kind},
    relay::{TestRelay, live, until},
};

pub(crate) fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The figures of a relay all of whose families have samples.
async fn figures() -> Exposition {
    let relay = TestRelay::start(live()).await;
    until("a frame", async || {
        let last_frame = "mjpeg_stream_last_frame_timestamp_seconds";
        let of_door = [("stream", "door")];
        relay.scrape().find(last_frame, &of_door).is_some()
    })
    .await;
    let figures = relay.scrape();
    relay.shutdown().await;
    figures
}

/// The table of metrics of a page.
fn table<'f>(families: impl IntoIterator<Item = &'f Family>) -> String {
    let mut table = "| name | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for family in families {
        let Family { name, help, .. } = family;
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let used = family.samples.iter().flat_map(|sample| &sample.labels);
        for (label, value) in used.filter(|(label, _)| *label != "le") {
            labels.entry(label).or_default().insert(value);
        }
        let names: Vec<String> = labels.keys().map(|label| format!("`{label}`")).collect();
        let reasons = labels.remove("reason").unwrap_or_default();
        let reasons: Vec<String> = reasons.iter().map(|one| format!("`{one}`")).collect();
        let reasons = match reasons.is_empty() {
            true => String::new(),
            false => format!(" Reasons: {}.", reasons.join(", ")),
        };
        let names = names.join(", ");
        table += &format!("| `{name}` | {kind} | {names} | {help}{reasons} |\n");
    }
    table
}

#[tokio::test]
async fn every_metric_is_in_the_table() {
    compare("monitoring.md", figures().await.families());
}

/// Compares the table of a page with these families, or writes it if it should.
pub(crate) fn compare<'f>(page: &str, families: impl IntoIterator<Item = &'f Family>) {
    let path = docs().join(page);
    let text = fs::read_to_string(&path).unwrap();
    let (before, written, after) = around(&text);
    let table = format!("\n\n{}\n", table(families));
    if std::env::var_os("MJPEG_BLESS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        return;
    }
    assert!(
        written == table,
        "docs/{page} is out of date; write the table with `MJPEG_BLESS=1 \
         cargo test -p mjpeg-server --all-features every_metric_is_in_the_table`"
    );
}

/// What is before the table of a page, the table, and what is after it.
fn around(text: &str) -> (&str, &str, &str) {
    let (before, rest) = text.split_once(BEGIN).expect("the table's begin");
    let (written, after) = rest.split_once(END).expect("the table's end");
    (before, written, after)
}

/// The metrics of a cluster, by its page: this relay is no node of one. Another test compares them.
fn of_clusters() -> Vec<String> {
    let text = fs::read_to_string(docs().join("cluster.md")).unwrap();
    let (_, table, _) = around(&text);
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let names: Vec<_> = rows
        .filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect();
    assert!(names.len() > 10, "{names:?}");
    names
}

#[tokio::test]
async fn pages_dashboard_and_rules_name_metrics_that_there_are() {
    let (figures, of_clusters) = (figures().await, of_clusters());
    let known: BTreeSet<&str> = figures
        .samples()
        .map(|sample| sample.name.as_str())
        .chain(figures.families().iter().map(|family| family.name.as_str()))
        .chain(of_clusters.iter().map(String::as_str))
        .collect();
    for page in [
        "monitoring.md",
        "cluster.md",
        "monitoring/grafana.json",
        "monitoring/alerts.yml",
        "monitoring/alerts_test.yml",
    ] {
        let text = fs::read_to_string(docs().join(page)).unwrap();
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let of_ours = |word: &&str| word.starts_with("mjpeg_") || word.starts_with("process_");
        let named: BTreeSet<&str> = words.filter(of_ours).collect();
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{page} names {unknown:?}");
        assert!(named.len() > 5, "{page} names {named:?}");
    }
}

const BEGIN: &str = "<!-- metrics: written by a test -->";
const END: &str = "<!-- end of metrics -->";
