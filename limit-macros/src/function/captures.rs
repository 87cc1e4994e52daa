//! The arguments that go to the blocking pool with the body.

use crate::syntax::collect_names;
use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{FnArg, Signature};

/// Returns the names that `argument` binds and the body on the pool has: those that the body
/// mentions, those that begin with `_`, and `self`.
///
/// Unused arguments stay with the caller, so that the compiler goes on to warn of them.
pub(crate) fn captured_names(argument: &FnArg, body: &TokenStream) -> Vec<Ident> {
    match argument {
        FnArg::Receiver(receiver) => vec![Ident::new("self", receiver.self_token.span)],
        FnArg::Typed(argument) => {
            let mut names = Vec::new();
            collect_names(&argument.pat, &mut names);
            names.retain(|name| name.to_string().starts_with('_') || mentions(body.clone(), name));
            names
        }
    }
}

/// Returns the names of all arguments that go to the pool.
pub(crate) fn all_captured_names(signature: &Signature, body: &TokenStream) -> Vec<Ident> {
    signature.inputs.iter().flat_map(|argument| captured_names(argument, body)).collect()
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}
