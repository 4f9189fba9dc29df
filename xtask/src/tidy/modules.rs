//! The modules of a crate, and the paths by which they refer to one another.
//!
//! Paths in a macro's arguments count too. Code under `cfg(test)` does not count.

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::tidy::modules::reader::{Names, PathInCode};
use crate::util::{files_with, read};

pub(super) use crate::tidy::modules::reader::ModulePath;

/// Sources, by path below `src/`.
pub(super) type Sources = BTreeMap<String, String>;

/// Reads the sources of the crate in `folder`.
pub(super) fn sources(folder: &Path) -> Result<Sources> {
    let src = folder.join("src");
    let mut sources = Sources::new();
    for path in files_with(&src, "rs")? {
        let below = path.strip_prefix(&src).unwrap_or(&path);
        let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
        sources.insert(names.join("/"), read(&path)?);
    }
    Ok(sources)
}

/// All modules of a crate and all paths between them.
#[derive(Default)]
pub(super) struct Modules {
    modules: BTreeMap<ModulePath, Module>,
    paths: Vec<PathInCode>,
    macros: BTreeSet<String>,
}

struct Module {
    /// Below `src/`.
    file: String,
    /// The file's module. An inline module belongs to its file.
    room: ModulePath,
    names: Names,
}

/// A path in one file that leads to a module in another file.
pub(super) struct Reference<'m> {
    /// The file's module.
    pub(super) from: &'m ModulePath,
    /// The other file's module. If the path leads through a re-export of the root, the module that
    /// defines the item.
    pub(super) to: &'m ModulePath,
    /// Whether the path names an item of the root, or the root itself.
    pub(super) is_through_root: bool,
    /// The item that the path names. Empty if it names a module, or all items of one.
    pub(super) item: String,
    /// The file that contains the path, below `src/`.
    pub(super) file: &'m str,
    pub(super) line: usize,
}

impl Modules {
    /// Parses the library whose root is `lib.rs`.
    pub(super) fn parse(sources: &Sources) -> Result<Self> {
        let mut modules = Self::default();
        modules.parse_file(sources, "lib.rs", Vec::new())?;
        Ok(modules)
    }

    fn parse_file(&mut self, sources: &Sources, file: &str, room: ModulePath) -> Result<()> {
        let text = sources.get(file);
        let text = text.with_context(|| format!("{file} does not exist"))?;
        let source = reader::parse(file, &room, text)?;
        for (path, names) in source.modules {
            let (file, room) = (file.to_owned(), room.clone());
            self.modules.insert(path, Module { file, room, names });
        }
        self.paths.extend(source.paths);
        self.macros.extend(source.macros);
        for child in source.declared {
            // `#[cfg]` may declare a module more than once.
            if self.modules.contains_key(&child) {
                continue;
            }
            let below = child.join("/");
            let mut names = [format!("{below}.rs"), format!("{below}/mod.rs")].into_iter();
            let Some(file) = names.find(|name| sources.contains_key(name)) else {
                bail!("{file} declares the module {below}, which has no file");
            };
            self.parse_file(sources, &file, child)?;
        }
        Ok(())
    }

    /// All paths from one file of the crate to a module in another one.
    pub(super) fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        self.paths.iter().filter_map(|path| {
            let from = self.modules.get(&path.within)?;
            let names = self.resolve(path)?;
            let (module, rest) = self.split(&names);
            let mut to = self.modules.get(module)?;
            if from.room == to.room {
                return None;
            }
            let item = rest.first().cloned().unwrap_or_default();
            let is_through_root = module.is_empty();
            if is_through_root && let Some((home, _)) = self.definition(&item) {
                to = self.modules.get(home)?;
            }
            Some(Reference {
                from: &from.room,
                to: &to.room,
                is_through_root,
                item,
                file: &from.file,
                line: path.line,
            })
        })
    }

    /// The full path from the crate's root. `None` if the path leads to another crate, or does not
    /// name a module.
    fn resolve(&self, path: &PathInCode) -> Option<Vec<String>> {
        let (first, rest) = path.segments.split_first()?;
        if !path.in_use && rest.is_empty() {
            return None;
        }
        let absolute = self.absolute(&path.within, &path.segments);
        absolute.or_else(|| {
            // The name may be an imported module: `use crate::a; … a::f()`.
            let import = self.modules.get(&path.within)?.names.imports.get(first)?;
            if import.first() == Some(first) {
                return None;
            }
            let mut module = self.absolute(&path.within, import)?;
            let is_module = self.modules.contains_key(&module);
            module.extend_from_slice(rest);
            is_module.then_some(module)
        })
    }

    /// As [`Self::resolve`], but not through names that the module imports.
    fn absolute(&self, within: &[String], segments: &[String]) -> Option<Vec<String>> {
        let mut path = within.to_vec();
        let mut segments = segments.iter().peekable();
        match segments.peek()?.as_str() {
            "crate" => path.clear(),
            "self" | "super" => {}
            child => {
                let mut child_path = path.clone();
                child_path.push(child.to_owned());
                self.modules.get(&child_path)?;
            }
        }
        for segment in segments {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => drop(path.pop()?),
                name => path.push(name.to_owned()),
            }
        }
        Some(path)
    }

    /// Splits a path after the deepest module in it.
    fn split<'p>(&self, path: &'p [String]) -> (&'p [String], &'p [String]) {
        let depth = (0..=path.len()).rev();
        let mut depth = depth.filter(|&depth| self.modules.contains_key(&path[..depth]));
        path.split_at(depth.next().unwrap_or(0))
    }

    /// Whether a `macro_rules!` has this name.
    pub(super) fn is_macro(&self, name: &str) -> bool {
        self.macros.contains(name)
    }

    /// The module that defines the root's `name`, and the item's name there. Follows re-exports, or
    /// else takes the only module that defines an item of this name.
    pub(super) fn definition(&self, name: &str) -> Option<(&ModulePath, String)> {
        let mut path = vec![name.to_owned()];
        // Re-exports can form a circle in code that does not compile.
        for _ in 0..16 {
            let (module, rest) = self.split(&path);
            let (home, module) = self.modules.get_key_value(module)?;
            let (name, _) = rest.split_first()?;
            if module.names.items.contains(name) {
                return Some((home, name.clone()));
            }
            let Some(import) = module.names.imports.get(name) else {
                break;
            };
            path = self.absolute(home, import)?;
        }
        let mut homes = self
            .modules
            .iter()
            .filter(|(_, m)| m.names.items.contains(name));
        match (homes.next(), homes.next()) {
            (Some((home, _)), None) => Some((home, name.to_owned())),
            _ => None,
        }
    }
}
