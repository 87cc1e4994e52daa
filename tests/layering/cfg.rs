//! Items that are compiled only for tests are left out.

use syn::punctuated::Punctuated;
use syn::{Attribute, ImplItem, Item, Meta, Token};

/// Names that are never set in what users build.
const NEVER: [&str; 2] = ["test", "limit_loom"];

/// Returns `true` if a `cfg` among the attributes is certainly false for users.
pub(crate) fn is_left_out(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        attribute.parse_args::<Meta>().is_ok_and(|predicate| value(&predicate) == Some(false))
    })
}

/// The value of a predicate, or `None` if it depends on the build.
fn value(predicate: &Meta) -> Option<bool> {
    match predicate {
        Meta::Path(name) => NEVER.iter().any(|never| name.is_ident(never)).then_some(false),
        Meta::NameValue(_) => None,
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let parts: Vec<Option<bool>> = parts.ok()?.iter().map(value).collect();
            let decided_by = |decisive: bool| {
                if parts.contains(&Some(decisive)) {
                    Some(decisive)
                } else if parts.contains(&None) {
                    None
                } else {
                    Some(!decisive)
                }
            };
            if list.path.is_ident("all") {
                decided_by(false)
            } else if list.path.is_ident("any") {
                decided_by(true)
            } else if list.path.is_ident("not") {
                parts.first().copied().flatten().map(|part| !part)
            } else {
                None
            }
        }
    }
}

/// The attributes of an item.
pub(crate) fn attributes_of_item(item: &Item) -> &[Attribute] {
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

/// The attributes of an item of an `impl` block.
pub(crate) fn attributes_of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        _ => &[],
    }
}
