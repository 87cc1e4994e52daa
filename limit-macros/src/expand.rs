//! The arguments and the function, turned into tokens.
//!
//! Our tokens carry `Span::mixed_site()`, so that our variables never meet the user's. Items are
//! not hygienic, so the static has a name that no user writes. The tokens around the user's body
//! resolve as the user's: see [`match_in_braces`](tokens::match_in_braces).

mod all;
mod blocking;
mod existing;
mod hold;
mod judge;
mod limiter;
mod per_call;
mod permit;
mod refused_arm;
mod runtime_path;
mod tokens;

use self::hold::Hold;
use self::judge::Judge;
use self::runtime_path::RuntimePath;
use self::tokens::braces_at;
use crate::args::Args;
use crate::function::{Body, Target, body_output};
use proc_macro2::{Group, TokenStream};
use quote::quote;
use syn::{Error, Expr, Item};

/// Limits the function.
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
pub(crate) fn limit_function(args: &Args, target: Target) -> TokenStream {
    let runtime = RuntimePath::new(args.crate_path.as_ref());
    let Target { attributes, inner_attributes, head, signature, body } = target;
    let returns_future = matches!(body, Body::Tail(_));
    let make_arm =
        |outcome| refused_arm::make_arm(&runtime, args, &signature, returns_future, outcome);
    let judge = args.overload.as_ref().map(|overload| Judge {
        runtime: runtime.clone(),
        overload: overload.clone(),
        output: body_output(&signature, returns_future),
    });
    let hold = Hold {
        runtime: runtime.clone(),
        permit: permit::wait_for_permit(&runtime, args, &signature),
        name: args.permit.clone(),
        refused_arm: make_arm("Admitted"),
        lost_arm: if args.cancels() { make_arm("Ended") } else { None },
        judge,
    };
    let body = match body {
        Body::Async(body) => hold.around(&body),
        Body::Tail(tail) => tail.rewrite(|block| hold.around(&block)),
        Body::Blocking(word, body) => {
            let (name, judge) = (hold.name.as_ref(), hold.judge.as_ref());
            let permit = permit::permit_type(&runtime, &args.source);
            let body =
                blocking::run_on_pool(&runtime, &word, (name, &permit), judge, &signature, &body);
            hold.around_unnamed(&body)
        }
    };
    let body = restore_inner_attributes(inner_attributes, body);
    quote!(#attributes #head #body)
}

/// Puts `#![…]` back at the start of the body.
fn restore_inner_attributes(inner: TokenStream, body: Group) -> Group {
    if inner.is_empty() {
        return body;
    }
    braces_at(body.span(), [inner, body.stream()].into_iter().collect())
}

/// Returns the item as it was, with the error. Without the item, all code that names it would fail
/// too.
///
/// ```text
/// // before
/// fn f() { body }
///
/// // after
/// fn f() { body }
/// ::core::compile_error! { "…" }
/// ```
pub(crate) fn report_error(item: &TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let is_item = syn::parse2::<Item>(item.clone()).is_ok();
    if !is_item && syn::parse2::<Expr>(item.clone()).is_ok() {
        // The user's code expects one expression here. Two would be a second error.
        return quote!({ #error #item });
    }
    quote!(#item #error)
}
