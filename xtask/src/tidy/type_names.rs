//! One type name means one type across the product's crates.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Ident, Item};

use crate::tidy::attributes::parse_without_tests;

/// Names that each crate may define once.
const ONE_PER_CRATE: [&str; 1] = ["Error"];

/// The types that the product's sources define, by name.
#[derive(Default)]
pub(super) struct TypeNames {
    defined: BTreeMap<String, Vec<Place>>,
}

struct Place {
    krate: String,
    file: String,
    line: usize,
}

impl TypeNames {
    /// Adds a file of a crate. One that cannot be parsed has no types; other checks report it.
    pub(super) fn add(&mut self, krate: &str, file: &str, text: &str) {
        let Ok(syntax) = parse_without_tests(text) else {
            return;
        };
        let mut finder = Finder::default();
        finder.visit_file(&syntax);
        for (name, line) in finder.types {
            self.defined.entry(name).or_default().push(Place {
                krate: krate.to_owned(),
                file: file.to_owned(),
                line,
            });
        }
    }

    /// A problem for each definition of a name that an earlier definition has already.
    pub(super) fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, places) in &self.defined {
            let once_per_crate = ONE_PER_CRATE.contains(&name.as_str());
            for (at, Place { krate, file, line }) in places.iter().enumerate() {
                let clashes = |earlier: &&Place| !once_per_crate || earlier.krate == *krate;
                if let Some(first) = places[..at].iter().find(clashes) {
                    problems.push(format!(
                        "{file}:{line}: `{name}` is also a type in {}:{}; rename the one whose \
                         name says less",
                        first.file, first.line
                    ));
                }
            }
        }
        problems
    }
}

#[derive(Default)]
struct Finder {
    /// Each with its line.
    types: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        if let Some(name) = type_name(item) {
            self.types
                .push((name.to_string(), name.span().start().line));
        }
        visit::visit_item(self, item);
    }
}

/// The name of the type that the item defines.
fn type_name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Enum(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str, &str)]) -> Vec<String> {
        let mut names = TypeNames::default();
        for (krate, file, text) in files {
            names.add(krate, file, text);
        }
        names.check()
    }

    #[test]
    fn a_name_of_two_types_is_reported_with_both_places() {
        for kind in [
            "struct A;",
            "pub enum A {}",
            "pub(crate) trait A {}",
            "type A = u8;",
            "fn f() { struct A; }",
            "mod inner { pub(super) struct A; }",
        ] {
            for krate in ["x", "y"] {
                let other = format!("\n{kind}");
                let problems = problems(&[
                    ("x", "x/src/a.rs", "struct A;"),
                    (krate, "b.rs", other.as_str()),
                ]);
                let expected = "b.rs:2: `A` is also a type in x/src/a.rs:1; rename the one whose \
                                name says less";
                assert_eq!(problems, [expected], "{kind}");
            }
        }
    }

    #[test]
    fn each_crate_has_an_error_of_its_own_but_not_two() {
        let text = "pub struct Error;";
        let mut files = vec![("x", "x.rs", text), ("y", "y.rs", text)];
        assert!(problems(&files).is_empty());
        files.push(("y", "z.rs", text));
        let problems = problems(&files);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("z.rs:1: `Error` is also a type in y.rs:1"));
    }

    #[test]
    fn tests_and_associated_types_and_variants_and_imports_are_exempt() {
        let other = "use x::A; enum B { A } struct C<A>(A);
                     impl D for B { type A = u8; } trait D { type A; }
                     #[cfg(test)] mod tests { struct A; }
                     #[test] fn f() { struct A; }";
        let problems = problems(&[("x", "x.rs", "struct A;"), ("y", "y.rs", other)]);
        assert!(problems.is_empty(), "{problems:?}");
    }
}
