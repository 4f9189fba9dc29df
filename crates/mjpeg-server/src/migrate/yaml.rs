//! YAML of strangers: every value is a text, a list or a map.
//!
//! Aliases are references to one node, but count as if they were copied, so that a short text does
//! not become a long walk.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::{Result, bail, ensure};
use mjpeg_manager::mjpeg_ingest::escaped;
use saphyr_parser::{Event, Parser};

/// A value.
#[derive(Default)]
pub(super) struct YamlNode {
    value: YamlValue,
    /// How many bytes it would have if aliases were copies.
    size: usize,
    /// How deep it is.
    depth: usize,
}

enum YamlValue {
    Text(String),
    List(Vec<Rc<YamlNode>>),
    Map(Vec<(String, Rc<YamlNode>)>),
}

impl Default for YamlValue {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl YamlNode {
    /// The value of a key of a map, which may be merged from another one (`<<`).
    pub(super) fn get(&self, key: &str) -> Option<&YamlNode> {
        let YamlValue::Map(entries) = &self.value else {
            return None;
        };
        let own = entries.iter().find(|(name, _)| name == key);
        if let Some((_, node)) = own {
            return Some(node);
        }
        let merged = entries.iter().filter(|(name, _)| name == "<<");
        let mut merged = merged.flat_map(|(_, node)| node.items());
        merged.find_map(|node| node.get(key))
    }

    /// The text of a key.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// A text that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Text(text) if !text.is_empty() && text != "null" && text != "~" => {
                Some(text)
            }
            _ => None,
        }
    }

    /// The items of a list; anything else is its only item.
    pub(super) fn items(&self) -> Vec<&YamlNode> {
        match &self.value {
            YamlValue::List(items) => items.iter().map(Rc::as_ref).collect(),
            YamlValue::Text(text) if text.is_empty() => Vec::new(),
            _ => vec![self],
        }
    }

    /// The keys and values of a map, without those that are merged.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &YamlNode)> {
        let entries = match &self.value {
            YamlValue::Map(entries) => &entries[..],
            _ => &[],
        };
        let own = entries.iter().filter(|(name, _)| name != "<<");
        own.map(|(name, node)| (name.as_str(), &**node))
    }

    /// Whether it is a map.
    pub(super) fn is_map(&self) -> bool {
        matches!(self.value, YamlValue::Map(_))
    }
}

/// Reads the first document of a text.
///
/// # Errors
///
/// If it is no YAML, is nested too deeply, or its aliases stand for too much.
pub(super) fn parse(text: &str) -> Result<Rc<YamlNode>> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => bail!("this is no YAML: {}", escaped(&error.to_string())),
        };
        tree.add(event, span.start.line())?;
        if tree.is_done {
            break;
        }
    }
    Ok(tree.root.unwrap_or_default())
}

/// A list or map that has begun.
struct OpenNode {
    anchor: usize,
    value: YamlValue,
    /// The key whose value comes next.
    key: Option<String>,
    size: usize,
    depth: usize,
}

#[derive(Default)]
struct Tree {
    open: Vec<OpenNode>,
    anchors: BTreeMap<usize, Rc<YamlNode>>,
    root: Option<Rc<YamlNode>>,
    is_done: bool,
}

impl Tree {
    fn add(&mut self, event: Event<'_>, line: usize) -> Result<()> {
        match event {
            Event::Scalar(text, _, anchor, _) => {
                let node = YamlNode {
                    size: 1 + text.len(),
                    depth: 1,
                    value: YamlValue::Text(text.into_owned()),
                };
                self.close(anchor, node, line)
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(anchor, YamlValue::List(Vec::new()), line)
            }
            Event::MappingStart(anchor, _) => self.begin(anchor, YamlValue::Map(Vec::new()), line),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let node = YamlNode {
                    value: open.value,
                    size: open.size,
                    depth: open.depth + 1,
                };
                self.close(open.anchor, node, line)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(node) => self.put(node.clone(), line),
                None => bail!("line {line}: an alias stands within what it stands for"),
            },
            Event::DocumentEnd | Event::StreamEnd => {
                self.is_done = true;
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, value: YamlValue, line: usize) -> Result<()> {
        ensure!(
            self.open.len() < MOST_DEPTH,
            "line {line}: nested more than {MOST_DEPTH} times"
        );
        self.open.push(OpenNode {
            anchor,
            value,
            key: None,
            size: 1,
            depth: 0,
        });
        Ok(())
    }

    fn close(&mut self, anchor: usize, node: YamlNode, line: usize) -> Result<()> {
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.put(node, line)
    }

    fn put(&mut self, node: Rc<YamlNode>, line: usize) -> Result<()> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.size = open.size.saturating_add(node.size);
        open.depth = open.depth.max(node.depth);
        ensure!(
            open.size <= MOST_SIZE && open.depth < MOST_DEPTH,
            "line {line}: its aliases stand for too much"
        );
        match &mut open.value {
            YamlValue::List(items) => items.push(node),
            YamlValue::Map(entries) => match open.key.take() {
                Some(key) => entries.push((key, node)),
                // A key that is no text can be no name that is looked for.
                None => open.key = Some(node.text().unwrap_or_default().into()),
            },
            YamlValue::Text(_) => {}
        }
        Ok(())
    }
}

/// The most lists and maps within one another.
const MOST_DEPTH: usize = 64;

/// The most bytes that a file may stand for: its own at most 1 MiB, and copies by aliases.
const MOST_SIZE: usize = 8 << 20;
