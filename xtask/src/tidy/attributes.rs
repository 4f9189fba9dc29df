//! Source files without the code that exists only for tests.

use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Block, File, ImplItem, Item, ItemImpl, ItemMod, ItemTrait, Stmt, TraitItem};

/// Parses a file, and leaves out what exists only for tests.
pub(super) fn parse_without_tests(text: &str) -> syn::Result<File> {
    let mut file = syn::parse_file(text)?;
    WithoutTests.visit_file_mut(&mut file);
    Ok(file)
}

struct WithoutTests;

impl VisitMut for WithoutTests {
    fn visit_file_mut(&mut self, file: &mut File) {
        file.items.retain(|item| !only_for_tests(of_item(item)));
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(|item| !only_for_tests(of_item(item)));
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        item.items
            .retain(|item| !only_for_tests(of_impl_item(item)));
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_item_trait_mut(&mut self, item: &mut ItemTrait) {
        item.items
            .retain(|item| !only_for_tests(of_trait_item(item)));
        visit_mut::visit_item_trait_mut(self, item);
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        let is_kept =
            |stmt: &Stmt| !matches!(stmt, Stmt::Item(item) if only_for_tests(of_item(item)));
        block.stmts.retain(is_kept);
        visit_mut::visit_block_mut(self, block);
    }
}

/// Whether the attributes restrict the code to tests: `#[test]`, `#[cfg(test)]`,
/// `#[cfg(all(test, …))]`.
fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        if path.is_ident("cfg") {
            let mut found = false;
            // Conditions of other forms, such as `feature = "…"`, are not `test`.
            let _ = attribute.parse_nested_meta(|meta| {
                found |= meta.path.is_ident("test");
                if meta.path.is_ident("all") {
                    let _ = meta.parse_nested_meta(|meta| {
                        found |= meta.path.is_ident("test");
                        skip(&meta)
                    });
                }
                skip(&meta)
            });
            return found;
        }
        path.segments.last().is_some_and(|s| s.ident == "test")
    })
}

/// Skips the value or the list after a name.
fn skip(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in meta.input);
        inner.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

fn of_trait_item(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use syn::visit::{self, Visit};

    use super::*;

    #[derive(Default)]
    struct Functions(Vec<String>);

    impl<'ast> Visit<'ast> for Functions {
        fn visit_signature(&mut self, signature: &'ast syn::Signature) {
            self.0.push(signature.ident.to_string());
            visit::visit_signature(self, signature);
        }
    }

    #[test]
    fn tests_are_left_out_wherever_they_are() {
        let text = "
            fn a() { #[cfg(test)] fn x() {} fn b() {} }
            #[cfg(test)] mod x { fn x() {} }
            mod m { #[test] fn x() {} fn c() {} }
            impl S { #[cfg(test)] fn x() {} fn d() {} }
            trait T { #[cfg(test)] fn x(); fn e(); }";
        let mut functions = Functions::default();
        functions.visit_file(&parse_without_tests(text).unwrap());
        assert_eq!(functions.0, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn only_what_exists_for_tests_alone_is_left_out() {
        let is_left_out = |text: &str| {
            let item: Item = syn::parse_str(&format!("{text} fn f() {{}}")).unwrap();
            only_for_tests(of_item(&item))
        };
        for text in [
            "#[test]",
            "#[tokio::test(start_paused = true)]",
            "#[cfg(test)]",
            "#[cfg(all(feature = \"a\", not(windows), test))]",
            "/// Docs.\n#[cfg(all(test, unix))]",
        ] {
            assert!(is_left_out(text), "{text}");
        }
        for text in [
            "",
            "#[cfg(not(test))]",
            "#[cfg(any(test, unix))]",
            "#[cfg(feature = \"test\")]",
            "#[cfg_attr(test, allow(unused))]",
        ] {
            assert!(!is_left_out(text), "{text}");
        }
    }
}
