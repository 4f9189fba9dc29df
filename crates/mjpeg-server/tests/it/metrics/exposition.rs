//! Reads the text format 0.0.4.

use std::collections::BTreeMap;

/// Everything in one answer.
#[derive(Debug)]
pub(crate) struct Exposition(Vec<Family>);

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: Kind,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    /// Without those that are empty, which are the same as none.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    pub(crate) fn parse(text: &str) -> Self {
        let mut families: Vec<Family> = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(families.iter().all(|family| family.name != name), "{name}");
                families.push(Family {
                    name: name.into(),
                    help: help.into(),
                    kind: Kind::Gauge,
                    samples: Vec::new(),
                });
                continue;
            }
            let family = families.last_mut().expect("HELP comes first");
            match line.strip_prefix("# TYPE ") {
                Some(rest) => {
                    let (name, kind) = rest.split_once(' ').unwrap();
                    assert_eq!(name, family.name);
                    family.kind = match kind {
                        "counter" => Kind::Counter,
                        "gauge" => Kind::Gauge,
                        "histogram" => Kind::Histogram,
                        other => panic!("{other}"),
                    };
                }
                None => family.samples.push(Sample::parse(line)),
            }
        }
        Self(families)
    }

    pub(crate) fn families(&self) -> &[Family] {
        &self.0
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn into_families(self) -> Vec<Family> {
        self.0
    }

    pub(crate) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter().flat_map(|family| &family.samples)
    }

    /// The value of the sample with exactly these labels.
    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<String, String> = labels
            .iter()
            .map(|(label, value)| ((*label).into(), (*value).into()))
            .collect();
        let mut of_name = self.samples().filter(|sample| sample.name == name);
        Some(of_name.find(|sample| sample.labels == labels)?.value)
    }

    pub(crate) fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels)
            .unwrap_or_else(|| panic!("no sample {name} {labels:?}"))
    }

    /// The value of a stream's sample.
    pub(crate) fn value(&self, name: &str, stream: &str) -> f64 {
        self.get(name, &[("stream", stream)])
    }
}

impl Sample {
    /// Reads a line whose label values hold no comma, brace or escape.
    fn parse(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').expect(line);
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = labels.trim_end_matches('}').split(',');
        let labels = labels.filter(|label| !label.is_empty()).map(|label| {
            let (label, value) = label.split_once('=').expect(line);
            (label.to_owned(), value.trim_matches('"').to_owned())
        });
        Self {
            name: name.into(),
            labels: labels.filter(|(_, value)| !value.is_empty()).collect(),
            value: value.parse().expect(line),
        }
    }

    pub(crate) fn label(&self, label: &str) -> Option<&str> {
        self.labels.get(label).map(String::as_str)
    }
}
