//! Return types whose form shows that they cannot carry a refusal.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Error, Result, ReturnType, Type};

/// Refuses such a type. `option` is the word because of which calls can be refused.
pub(super) fn check_carries_refusal(output: &ReturnType, option: &Ident) -> Result<()> {
    let reason = match output {
        ReturnType::Default => String::from("it returns nothing"),
        ReturnType::Type(_, output) if cannot_carry(output) => {
            format!("it returns `{}`", write_type(output))
        }
        ReturnType::Type(..) => return Ok(()),
    };
    Err(Error::new_spanned(
        option,
        format!(
            "with `{option}` calls of this function can be refused, and {reason}, which cannot say \
             so: return `Result<_, E>` where `E: From<limit_runtime::Rejected>`, or `Option<_>`; or \
             add `on_reject = |rejected| …`"
        ),
    ))
}

/// Returns whether no type of this form is a `Result` or an `Option`.
fn cannot_carry(output: &Type) -> bool {
    match output {
        Type::Group(group) => cannot_carry(&group.elem),
        Type::Paren(paren) => cannot_carry(&paren.elem),
        Type::Array(_)
        | Type::Never(_)
        | Type::Ptr(_)
        | Type::Reference(_)
        | Type::Slice(_)
        | Type::TraitObject(_)
        | Type::Tuple(_) => true,
        // Any other path may be an alias of a `Result`.
        Type::Path(path) if path.qself.is_none() => {
            path.path.get_ident().is_some_and(|name| PRIMITIVES.iter().any(|known| name == known))
        }
        _ => false,
    }
}

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16",
    "u32", "u64", "u128", "usize",
];

/// Writes the type as a user would, without the spaces that tokens have.
fn write_type(output: &Type) -> String {
    let mut text = output.to_token_stream().to_string();
    for (spaced, plain) in [("& ", "&"), (" ,", ","), (" <", "<"), ("< ", "<"), (" >", ">")] {
        text = text.replace(spaced, plain);
    }
    text
}
