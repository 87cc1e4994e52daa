//! Arguments and function to tokens.
//!
//! Tokens of ours carry `Span::mixed_site()`, so that no binding meets one of the user's. Items
//! are not hygienic, hence the name of the static. What is around the user's body counts as theirs:
//! see [`match_of`].

mod blocking;
mod held;
mod limiter;
mod permit;
mod place;
mod refused;

use self::held::Hold;
use crate::args::Args;
use crate::function::{Body, Target};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, Expr, Item};

/// The function, limited.
///
/// ```text
/// // before
/// #[a] pub async fn f(&self, x: T) -> R { body }
///
/// // after
/// #[a] pub async fn f(&self, x: T) -> R { match permit { __permit => { body } } }
///
/// // before
/// fn f(x: T) -> impl Future<Output = R> { statements; async move { body } }
///
/// // after
/// fn f(x: T) -> impl Future<Output = R> {
///     statements;
///     async move { match permit { __permit => { body } } }
/// }
///
/// // before, with `blocking`
/// fn f(x: T) -> R { body }
///
/// // after
/// async fn f(x: T) -> R {
///     match permit {
///         __permit => {
///             let __work = move |__permit: Permit| -> R { body };
///             return run(__permit, __work).await;
///         }
///     }
/// }
/// ```
pub(crate) fn limited(args: &Args, target: Target) -> TokenStream {
    let runtime = args.runtime.as_ref().map_or_else(
        || quote_spanned!(Span::mixed_site()=> ::limit_runtime),
        ToTokens::to_token_stream,
    );
    let Target { attributes, inner_attributes, head, signature, body } = target;
    let hold = Hold {
        runtime: runtime.clone(),
        permit: permit::permit(&runtime, args, &signature),
        name: args.permit.clone(),
        refused: refused::arm(&runtime, args, &signature, matches!(body, Body::Tail(_))),
    };
    let body = match body {
        Body::Async(body) => hold.around(&body),
        Body::Tail(tail) => tail.rewrite(|block| hold.around(&block)),
        Body::Blocking(word, body) => {
            let name = hold.name.as_ref();
            hold.beside(&blocking::on_the_pool(&runtime, &word, name, &signature, &body))
        }
    };
    let body = with_inner_attributes(inner_attributes, body);
    quote!(#attributes #head #body)
}

/// Puts `#![…]` back where it was.
fn with_inner_attributes(inner: TokenStream, body: Group) -> Group {
    if inner.is_empty() {
        return body;
    }
    let mut group = Group::new(Delimiter::Brace, [inner, body.stream()].into_iter().collect());
    group.set_span(body.span());
    group
}

/// `{ match SCRUTINEE { ARMS } }`, where a body stood that is now in one of the arms.
///
/// The keyword and the braces stand where the body's braces do and count as the user's: many lints
/// do not look into an expression of a macro's. Lints of `match` itself look for that word in the
/// source, where there is a brace, and leave it alone.
fn match_of(body: Span, scrutinee: &TokenStream, arms: &TokenStream) -> Group {
    let mut arms = Group::new(Delimiter::Brace, arms.clone());
    arms.set_span(body);
    let keyword = Ident::new("match", arms.span_open());
    let mut group = Group::new(Delimiter::Brace, quote!(#keyword #scrutinee #arms));
    group.set_span(body);
    group
}

/// The item as it was, so that what names it does not fail too, and what is wrong with it.
pub(crate) fn refused(item: &TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let is_item = syn::parse2::<Item>(item.clone()).is_ok();
    if !is_item && syn::parse2::<Expr>(item.clone()).is_ok() {
        // Two things in the place of one expression would be a mistake of their own.
        return quote!({ #error #item });
    }
    quote!(#item #error)
}
