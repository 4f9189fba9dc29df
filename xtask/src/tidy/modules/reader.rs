//! Reads a source file: the modules that it has or declares, their items, and all paths.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, Macro, UseTree, VisRestricted};

use crate::tidy::attributes::parse_without_tests;

/// A module, as the names from the crate's root down to it. Empty for the root.
pub(in crate::tidy) type ModulePath = Vec<String>;

/// The contents of one file.
#[derive(Default)]
pub(super) struct SourceFile {
    /// The file's module and its inline modules.
    pub(super) modules: BTreeMap<ModulePath, Names>,
    /// The modules that it declares and that have their own files.
    pub(super) declared: Vec<ModulePath>,
    pub(super) paths: Vec<PathInCode>,
    /// The names of `macro_rules!`, which are not part of the module tree.
    pub(super) macros: BTreeSet<String>,
}

/// The names in one module.
#[derive(Default)]
pub(super) struct Names {
    /// The items that it defines, without modules and macros.
    pub(super) items: BTreeSet<String>,
    /// The names that it imports, each with the path as written.
    pub(super) imports: BTreeMap<String, Vec<String>>,
}

/// A path as written in the code.
pub(super) struct PathInCode {
    /// The module that contains it.
    pub(super) within: ModulePath,
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
    /// Whether it is in a `use`. There a single name can be a module; elsewhere it is a variable or
    /// an item.
    pub(super) in_use: bool,
}

/// Reads the file of a module.
pub(super) fn parse(file: &str, room: &ModulePath, text: &str) -> Result<SourceFile> {
    let syntax = parse_without_tests(text).with_context(|| format!("parsing {file}"))?;
    let mut reader = Reader {
        file: SourceFile::default(),
        within: room.clone(),
    };
    reader.names();
    reader.visit_file(&syntax);
    Ok(reader.file)
}

struct Reader {
    file: SourceFile,
    /// The current module: the file's, or an inline one.
    within: ModulePath,
}

impl Reader {
    fn names(&mut self) -> &mut Names {
        self.file.modules.entry(self.within.clone()).or_default()
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(item) => {
                let name = item.ident.as_ref();
                self.file.macros.extend(name.map(ToString::to_string));
                return;
            }
            _ => return,
        };
        let name = name.to_string();
        self.names().items.insert(name);
    }

    fn path(&mut self, segments: Vec<String>, span: Span, in_use: bool) {
        self.file.paths.push(PathInCode {
            within: self.within.clone(),
            line: span.start().line,
            segments,
            in_use,
        });
    }

    /// Follows each branch of a `use` to its leaf.
    fn import(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(tree) => self.import(&with(tree.ident.to_string()), &tree.tree),
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    self.import(before, tree);
                }
            }
            UseTree::Name(tree) => {
                let path = with(tree.ident.to_string());
                self.import_as(&tree.ident.to_string(), path, tree.ident.span());
            }
            UseTree::Rename(tree) => {
                let path = with(tree.ident.to_string());
                self.import_as(&tree.rename.to_string(), path, tree.ident.span());
            }
            UseTree::Glob(tree) => {
                self.path(before.to_vec(), tree.star_token.spans[0], true);
            }
        }
    }

    fn import_as(&mut self, name: &str, mut path: Vec<String>, span: Span) {
        let mut name = name.to_owned();
        // `use a::{self}` imports `a`.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
            if name == "self" {
                name = path.last().cloned().unwrap_or_default();
            }
        }
        self.names().imports.insert(name, path.clone());
        self.path(path, span, true);
    }

    /// Finds `a::b::c` in the arguments of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(first) => {
                    let names = path_at(&tokens[at..]);
                    let before = &tokens[..at];
                    at += 1 + 3 * (names.len() - 1);
                    // `::a` leads to another crate, and `$crate` is for users of the macro.
                    let is_ours = !ends_with(before, "::") && !ends_with(before, "$");
                    if is_ours {
                        self.path(names, first.span(), false);
                    }
                    continue;
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                _ => {}
            }
            at += 1;
        }
    }
}

/// The names of the path that begins with the first token.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut names = vec![tokens[0].to_string()];
    for more in tokens[1..].chunks_exact(3) {
        match more {
            [colons @ .., TokenTree::Ident(name)] if ends_with(colons, "::") => {
                names.push(name.to_string());
            }
            _ => break,
        }
    }
    names
}

/// Whether the last tokens are these punctuation marks.
fn ends_with(tokens: &[TokenTree], marks: &str) -> bool {
    let is = |(token, mark): (&TokenTree, char)| match token {
        TokenTree::Punct(punct) => punct.as_char() == mark,
        _ => false,
    };
    let count = marks.len();
    tokens.len() >= count && tokens.iter().rev().zip(marks.chars().rev()).all(is)
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        self.define(item);
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.within.push(item.ident.to_string());
        if item.content.is_some() {
            self.names();
            visit::visit_item_mod(self, item);
        } else {
            self.file.declared.push(self.within.clone());
        }
        self.within.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|s| s.ident.to_string());
            if let Some(first) = path.segments.first() {
                self.path(names.collect(), first.ident.span(), false);
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    // `pub(in crate::a)` is not an import, and attributes do not name our items.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}
