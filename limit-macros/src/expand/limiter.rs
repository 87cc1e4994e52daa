//! The limiter that a function has of its own.

use super::place::parenthesised;
use crate::args::{Limit, OwnLimiter, Per, bare};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use std::time::Duration;
use syn::Expr;
use syn::ext::IdentExt;

/// ```text
/// // before
/// 3, scope = process, env = "VAR", max_waiting = 100, max_wait = "50ms"
///
/// // after
/// static __CONCURRENCY_LIMIT: Limiter<Rejected> = of_function(Limiter::new("module::function", 3))
///     .scope(Scope::Process)
///     .env("VAR")
///     .max_waiting(100)
///     .max_wait(Duration::new(0, 50_000_000));
/// ```
pub(super) fn own(runtime: &TokenStream, own: &OwnLimiter, function: &Ident) -> TokenStream {
    let span = Span::mixed_site();
    let type_of = type_of(runtime, own);
    let made = made(runtime, own, function);
    let setters = setters(runtime, own);
    quote_spanned!(span=> static __CONCURRENCY_LIMIT: #type_of = #made #setters;)
}

/// Whether `acquire` gives a `Result` before anything is asked of the call.
pub(super) fn is_fallible(own: &OwnLimiter) -> bool {
    (own.max_waiting.is_some() || own.max_wait.is_some()) && !own.shadow
}

fn type_of(runtime: &TokenStream, own: &OwnLimiter) -> TokenStream {
    let span = Span::mixed_site();
    let refusal = if is_fallible(own) {
        quote_spanned!(span=> #runtime::Rejected)
    } else {
        quote_spanned!(span=> ::core::convert::Infallible)
    };
    match (is_fallible(own), own.keys.is_some()) {
        (false, false) => quote_spanned!(span=> #runtime::Limiter),
        (true, false) => quote_spanned!(span=> #runtime::Limiter<#refusal>),
        (_, true) => quote_spanned!(span=> #runtime::Limiter<#refusal, #runtime::Keyed>),
    }
}

fn made(runtime: &TokenStream, own: &OwnLimiter, function: &Ident) -> TokenStream {
    let span = Span::mixed_site();
    let name = own.name.as_ref().map_or_else(
        || {
            let function = function.unraw().to_string();
            quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #function))
        },
        ours,
    );
    let made = match &own.limit {
        Limit::Literal(limit) => {
            quote_spanned!(span=> #runtime::Limiter::new(#name, #limit))
        }
        Limit::Expression(limit) => {
            let limit = block(limit);
            quote_spanned!(span=>
                #runtime::Limiter::lazy(#name, || -> ::core::primitive::usize #limit)
            )
        }
    };
    // Another function may have the same default name: then both are told.
    if own.name.is_none() {
        quote_spanned!(span=> #runtime::__private::v1::of_function(#made))
    } else {
        made
    }
}

/// `shadow` comes last, because it takes back that calls can be refused.
fn setters(runtime: &TokenStream, own: &OwnLimiter) -> TokenStream {
    let span = Span::mixed_site();
    let setter = |name: &str, value: TokenStream| {
        let name = Ident::new(name, span);
        quote_spanned!(span=> .#name(#value))
    };
    let per = own.per.as_ref().map(|per| match per {
        Per::Literal(window) => duration(*window),
        Per::Expression(window) => parenthesised(window).to_token_stream(),
    });
    let total = own.keys.as_ref().and_then(|keys| keys.total.as_ref());
    let setters = [
        own.shared_by_process
            .then(|| setter("scope", quote_spanned!(span=> #runtime::Scope::Process))),
        own.env.as_ref().map(|env| setter("env", ours(env))),
        own.max_waiting.as_ref().map(|value| setter("max_waiting", number(value))),
        own.max_wait.map(|value| setter("max_wait", duration(value))),
        own.newest_first.then(|| setter("order", quote_spanned!(span=> #runtime::Order::Lifo))),
        per.map(|window| setter("per", window)),
        own.keys.as_ref().map(|_| setter("keyed", TokenStream::new())),
        total.map(|value| setter("total", number(value))),
        own.shadow.then(|| setter("shadow", TokenStream::new())),
    ];
    setters.into_iter().flatten().collect()
}

/// A literal, or an expression in parentheses.
fn number(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(_) => value.to_token_stream(),
        _ => parenthesised(value).to_token_stream(),
    }
}

/// A span of time that is known.
pub(super) fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    quote_spanned!(Span::mixed_site()=> ::core::time::Duration::new(#seconds, #nanoseconds))
}

/// An expression as a block, which a block is already.
fn block(expression: &Expr) -> TokenStream {
    match bare(expression) {
        Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => {
            block.to_token_stream()
        }
        expression => quote_spanned!(Span::mixed_site()=> { #expression }),
    }
}

/// A string of the user's as a token of ours: it is in no code of theirs that a lint could mean.
fn ours(text: &Expr) -> TokenStream {
    let mut tokens = text.to_token_stream();
    if let Expr::Lit(literal) = text {
        let mut literal = literal.lit.clone();
        literal.set_span(literal.span().resolved_at(Span::mixed_site()));
        tokens = literal.to_token_stream();
    }
    tokens
}
