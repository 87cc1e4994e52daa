//! Where tokens of ours say that they stand.

use crate::args::bare;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

/// Ours, but where the user's token stands: an error that is about it is shown there.
pub(super) fn at(token: Option<TokenTree>) -> Span {
    let span = Span::mixed_site();
    token.map_or(span, |token| span.located_at(token.span()))
}

/// The places of an expression's first and last tokens.
pub(super) fn ends(value: &Expr) -> (Span, Span) {
    let tokens = bare(value).to_token_stream();
    (at(tokens.clone().into_iter().next()), at(tokens.into_iter().last()))
}

/// A variable of ours, where the expression stands that it is made of.
pub(super) fn variable(name: &str, value: &Expr) -> Ident {
    Ident::new(name, ends(value).0)
}

/// An expression of the user's in parentheses of ours: it may be one that is written without any in
/// its place, such as a block, and no lint is to say that it need not be one.
pub(super) fn parenthesised(value: &Expr) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, bare(value).to_token_stream());
    // Not over all of it: the compiler would take the parentheses for the expression.
    group.set_span(ends(value).0);
    group
}

/// A path, as it resolves where it is, but in another place.
pub(super) fn path_at(path: &TokenStream, place: Span) -> TokenStream {
    let moved = path.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}
