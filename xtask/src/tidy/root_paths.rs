//! A crate does not import through its own root.
//!
//! The root re-exports for other crates. Inside, paths name the defining module, so that the
//! imports show the dependencies between modules. Macros are exempt, because some `macro_rules!`
//! can be reached only through the root.

use crate::tidy::modules::{Modules, Reference};

/// A problem for each path to an item in the root that is not a module.
pub(super) fn check(folder: &str, modules: &Modules) -> Vec<String> {
    let through_root = modules.references().filter(|reference| {
        let is_macro = modules.is_macro(&reference.item);
        reference.is_through_root && !reference.from.is_empty() && !is_macro
    });
    let problem = |reference: Reference<'_>| {
        let (file, line, item) = (reference.file, reference.line, &reference.item);
        let place = format!("{folder}/src/{file}:{line}");
        if item.is_empty() {
            return format!("{place}: imports all of the crate's root; name what it needs");
        }
        match modules.definition(item) {
            Some((module, name)) if !module.is_empty() => {
                let module = module.join("::");
                format!("{place}: write `crate::{module}::{name}`, not `crate::{item}`")
            }
            Some(_) => format!("{place}: `{item}` is defined in lib.rs; move it into a module"),
            None => format!("{place}: name the module that defines `{item}`, not the crate's root"),
        }
    };
    through_root.map(problem).collect()
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
    fn an_import_through_the_root_names_the_module_to_import_from() {
        let problems = problems(&[
            (
                "lib.rs",
                "mod a; mod b; pub use a::{A, inner::Inner as Outer};",
            ),
            ("a.rs", "mod inner; pub use inner::Inner; pub struct A;"),
            ("a/inner.rs", "pub struct Inner;"),
            (
                "b.rs",
                "use crate::{\n A,\n Outer,\n};\nfn f(_: super::A, _: crate::a::A) {}",
            ),
        ]);
        let expected = [
            "crates/x/src/b.rs:2: write `crate::a::A`, not `crate::A`",
            "crates/x/src/b.rs:3: write `crate::a::inner::Inner`, not `crate::Outer`",
            "crates/x/src/b.rs:5: write `crate::a::A`, not `crate::A`",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn a_thing_defined_in_the_root_belongs_into_a_module() {
        let problems = problems(&[
            ("lib.rs", "mod a; struct Thing; mod tests { pub fn f() {} }"),
            (
                "a.rs",
                "use crate::Thing; use crate::Unknown; use crate::tests::f; use super::*;",
            ),
        ]);
        let expected = [
            "crates/x/src/a.rs:1: `Thing` is defined in lib.rs; move it into a module",
            "crates/x/src/a.rs:1: name the module that defines `Unknown`, not the crate's root",
            "crates/x/src/a.rs:1: imports all of the crate's root; name what it needs",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn macros_and_tests_and_the_root_itself_are_exempt() {
        let problems = problems(&[
            (
                "lib.rs",
                "mod a; macro_rules! m { () => {} } pub use crate::a::A;",
            ),
            (
                "a.rs",
                "use crate::m; pub struct A; fn f() { crate::m!(crate::a::A) }\n\
                 #[cfg(test)] mod tests { use crate::A; }",
            ),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
    }
}
