//! Tokens whose spans make errors and lints come out as for the plain function.

use crate::syntax::strip_parens;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Expr;

/// Returns a span that resolves as ours and lies at the user's token: the compiler shows an error
/// about it there. Without a token, it lies at the attribute.
pub(super) fn span_at(token: Option<TokenTree>) -> Span {
    let span = Span::mixed_site();
    token.map_or(span, |token| span.located_at(token.span()))
}

/// Returns the spans at an expression's first and last tokens.
pub(super) fn end_spans(value: &Expr) -> (Span, Span) {
    let tokens = strip_parens(value).to_token_stream();
    (span_at(tokens.clone().into_iter().next()), span_at(tokens.into_iter().last()))
}

/// Returns a variable of ours that lies at the expression whose value it has.
pub(super) fn variable_at(name: &str, value: &Expr) -> Ident {
    Ident::new(name, end_spans(value).0)
}

/// Puts parentheses of ours around an expression of the user's.
///
/// Some expressions, such as a block, need them where the output puts them. No lint says that the
/// others do not.
///
/// ```text
/// // before
/// { pages.len() as u32 }
///
/// // after
/// ({ pages.len() as u32 })
/// ```
pub(super) fn parenthesise(value: &Expr) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, strip_parens(value).to_token_stream());
    // The span is not that of the whole, or the compiler would show the parentheses as the
    // expression.
    group.set_span(end_spans(value).0);
    group
}

/// Puts a `match` in the braces of a body that now stands in one of its arms.
///
/// ```text
/// // before
/// { body }
///
/// // after
/// { match scrutinee { arms } }
/// ```
///
/// The keyword and the braces lie at the body's own braces and resolve as the user's, because many
/// lints do not look into an expression of a macro's. Lints of `match` itself look for that word in
/// the source, find a brace, and leave the expression alone.
pub(super) fn match_in_braces(body: Span, scrutinee: &TokenStream, arms: TokenStream) -> Group {
    let arms = braces_at(body, arms);
    let keyword = Ident::new("match", arms.span_open());
    braces_at(body, quote!(#keyword #scrutinee #arms))
}

/// Puts braces with this span around the tokens.
pub(super) fn braces_at(span: Span, tokens: TokenStream) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    group
}
