//! A crate has no import cycles.
//!
//! A module imports another one if a path in its file leads into it: in `use`, in `pub use`, or
//! written out in the code (`crate::a::f()`, `super::B`). The rules:
//!
//! * Modules are files. An inline module is part of its file.
//! * A path counts for the deepest module that it names: `crate::a::b::C` for `a::b`, not for `a`.
//!   So children may use one another through their parent's path.
//! * `mod child;` alone is not an import, but `pub use child::C` is. So a child must not import a
//!   parent that re-exports it, not even indirectly.
//! * The crate's root is not in the graph, because it re-exports nearly everything. A path through
//!   it counts for the module that defines the item, and [`super::root_paths`] forbids it.
//! * Code for tests does not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::modules::{ModulePath, Modules};

/// The file and lines of each import.
type Edges<'m> = BTreeMap<(&'m ModulePath, &'m ModulePath), (&'m str, BTreeSet<usize>)>;

/// A problem for each group of modules that import one another in a circle. `folder` is the crate's
/// folder as the output shows it.
pub(super) fn check(folder: &str, modules: &Modules) -> Vec<String> {
    let edges = edges(modules);
    let cycles = components(&edges);
    let problems = cycles.iter().map(|cycle| problem(folder, cycle, &edges));
    problems.collect()
}

fn edges(modules: &Modules) -> Edges<'_> {
    let mut edges = Edges::new();
    for reference in modules.references() {
        let (from, to) = (reference.from, reference.to);
        if !from.is_empty() && !to.is_empty() {
            let (_, lines) = edges
                .entry((from, to))
                .or_insert((reference.file, BTreeSet::new()));
            lines.insert(reference.line);
        }
    }
    edges
}

/// The strongly connected components with more than one module: sets of modules in which each
/// reaches all others.
fn components<'m>(edges: &Edges<'m>) -> Vec<BTreeSet<&'m ModulePath>> {
    let mut next: BTreeMap<&ModulePath, Vec<&ModulePath>> = BTreeMap::new();
    for &(from, to) in edges.keys() {
        next.entry(from).or_default().push(to);
    }
    // A crate has some fifty modules, so a simple algorithm is fast enough.
    let reach = |start: &'m ModulePath| {
        let mut seen = BTreeSet::new();
        let mut todo = vec![start];
        while let Some(module) = todo.pop() {
            let more = next.get(module).into_iter().flatten();
            todo.extend(more.filter(|&&to| seen.insert(to)));
        }
        seen
    };
    let reached: BTreeMap<_, _> = next.keys().map(|&from| (from, reach(from))).collect();
    let mut found: Vec<BTreeSet<&ModulePath>> = Vec::new();
    for (&module, forth) in &reached {
        let is_new = found.iter().all(|component| !component.contains(module));
        if forth.contains(module) && is_new {
            let back =
                |&other: &&ModulePath| reached.get(other).is_some_and(|r| r.contains(module));
            found.push(forth.iter().copied().filter(back).collect());
        }
    }
    found
}

fn problem(folder: &str, cycle: &BTreeSet<&ModulePath>, edges: &Edges<'_>) -> String {
    let names: Vec<_> = cycle.iter().map(|module| module.join("::")).collect();
    let mut text = format!(
        "{folder}: {} modules import one another in a circle: {}. Move what they share into a \
         module that imports none of them, or pass it as an argument. The imports:",
        names.len(),
        names.join(", "),
    );
    let within = edges
        .iter()
        .filter(|((from, to), _)| cycle.contains(from) && cycle.contains(to));
    for ((from, to), (file, lines)) in within {
        let (from, to) = (from.join("::"), to.join("::"));
        for line in lines {
            text += &format!("\n      {folder}/src/{file}:{line}: {from} imports {to}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::modules::Sources;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let own = |&(file, text): &(&str, &str)| (file.to_owned(), text.to_owned());
        let sources: Sources = files.iter().map(own).collect();
        check("crates/x", &Modules::parse(&sources).unwrap())
    }

    #[test]
    fn two_modules_that_import_each_other_are_reported_with_file_and_line() {
        let problems = problems(&[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B;\npub struct A;"),
            ("b.rs", "pub struct B;\n\nfn f() -> crate::a::A { todo!() }"),
            ("c.rs", "use crate::{a::A, b::B};"),
        ]);
        assert_eq!(problems.len(), 1);
        let problem = &problems[0];
        assert!(problem.contains("2 modules"), "{problem}");
        assert!(
            problem.contains("circle: a, b. Move what they share"),
            "{problem}"
        );
        assert!(
            problem.contains("crates/x/src/a.rs:1: a imports b"),
            "{problem}"
        );
        assert!(
            problem.contains("crates/x/src/b.rs:3: b imports a"),
            "{problem}"
        );
        assert!(!problem.contains("c.rs"), "{problem}");
    }

    #[test]
    fn each_circle_is_one_problem_however_long_it_is() {
        let problems = problems(&[
            ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
            ("a.rs", "use crate::b;"),
            ("b.rs", "use crate::c;"),
            ("c.rs", "use crate::a; use crate::d;"),
            ("d.rs", "use crate::e::E;"),
            ("e.rs", "use crate::d::D;"),
        ]);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("3 modules"), "{problems:?}");
        assert!(problems[1].contains("circle: d, e."), "{problems:?}");
    }

    #[test]
    fn a_re_export_is_an_import() {
        let parent = ("a.rs", "mod b;\npub use b::B;\npub struct A;");
        let with = |child| problems(&[("lib.rs", "mod a;"), parent, ("a/b.rs", child)]);
        assert_eq!(with("use super::A;").len(), 1);
        assert_eq!(with("fn f(_: &crate::a::A) {}").len(), 1);
        assert!(with("use std::fmt;").is_empty());
    }

    #[test]
    fn to_declare_a_child_is_no_import() {
        let problems = problems(&[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; mod c; pub struct A;"),
            ("a/b.rs", "use super::{A, c::C};"),
            ("a/c.rs", "use crate::a::A;"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn a_path_through_the_root_counts_for_the_module_that_defines_the_thing() {
        let with = |b| {
            problems(&[
                (
                    "lib.rs",
                    "mod a; mod b; pub use a::A; pub use b::B; fn f(_: crate::a::A) {}",
                ),
                ("a.rs", "use crate::B; pub struct A;"),
                ("b.rs", b),
            ])
        };
        assert!(with("pub struct B;").is_empty());
        assert_eq!(with("pub struct B; fn f(_: crate::A) {}").len(), 1);
    }

    #[test]
    fn a_path_through_an_imported_module_counts() {
        let problems = problems(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b; fn f() { b::inner::g() }"),
            ("b.rs", "pub mod inner;"),
            ("b/inner.rs", "use crate::a;"),
        ]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("a imports b::inner"), "{problems:?}");
    }

    #[test]
    fn a_path_inside_a_macro_counts() {
        let other = |call| {
            let a = format!("fn f() {{ {call} }}");
            problems(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", &a),
                ("b.rs", "use crate::a;"),
            ])
        };
        assert_eq!(other("log!(x, [y, crate::b::C])").len(), 1);
        assert_eq!(other("tokio::select! { v = super::b::c() => v }").len(), 1);
        assert!(other("log!(::b::c(), $crate::b::c(), \"crate::b\")").is_empty());
    }

    #[test]
    fn tests_comments_and_strings_do_not_count() {
        let problems = problems(&[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod testing;"),
            (
                "a.rs",
                "//! [`crate::b::B`]\n// crate::b::B\nconst S: &str = \"crate::b::B\";\n\
                 #[cfg(test)] mod tests { use crate::b; }\n\
                 #[cfg(test)] use crate::b::B;\n\
                 impl S { #[cfg(test)] fn f() { crate::b::g() } }",
            ),
            ("b.rs", "use crate::a;"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn an_inline_module_is_part_of_its_file() {
        let problems = problems(&[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "mod i { use super::A; use crate::b; } use i::I; struct A;",
            ),
            ("b.rs", "use crate::a::i::I;"),
        ]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("circle: a, b."), "{problems:?}");
    }

    #[test]
    fn names_of_other_crates_are_not_modules() {
        let problems = problems(&[
            ("lib.rs", "mod http; mod b;"),
            ("http.rs", "use crate::b;"),
            ("b.rs", "use http::Request; use ::http::Response;"),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
    }
}
