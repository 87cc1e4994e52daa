//! The limiter that the attribute makes for a function.

use super::runtime_path::RuntimePath;
use super::tokens::parenthesise;
use crate::args::{
    DurationArg, FavorArg, LimitArg, OnDeadlockArg, OnUnavailableArg, OrderArg, OwnLimiter, Policy,
    RangeArg, RangeEnd, ScopeArg, Setter, SetterArg,
};
use crate::syntax::strip_parens;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use std::time::Duration;
use syn::Expr;
use syn::ext::IdentExt;

/// Makes the `static` with the limiter.
///
/// ```text
/// // before
/// 3, scope = process, env = "VAR", max_waiting = 100, max_wait = "50ms"
///
/// // after
/// static __CONCURRENCY_LIMIT: Limiter<Rejected> =
///     mark_of_body(mark_named_after_function(Limiter::new("module::function", 3)))
///     .scope(Scope::Process)
///     .env("VAR")
///     .max_waiting(100)
///     .max_wait(Duration::new(0, 50_000_000));
/// ```
///
/// `is_of_body` says that the body has no name for the permit. Then it cannot move the permit elsewhere.
pub(super) fn make_static(
    runtime: &RuntimePath,
    own: &OwnLimiter,
    function: &Ident,
    is_of_body: bool,
) -> TokenStream {
    let span = Span::mixed_site();
    let limiter_type = limiter_type(runtime, &own.policy);
    let mut constructor = call_constructor(runtime, own, function);
    if is_of_body {
        let private = runtime.private(span);
        constructor = quote_spanned!(span=> #private::mark_of_body(#constructor));
    }
    let setters = call_setters(runtime, &own.policy);
    quote_spanned!(span=> static __CONCURRENCY_LIMIT: #limiter_type = #constructor #setters;)
}

/// Makes the limiter's type.
///
/// ```text
/// // before
/// 3, max_waiting = 100, key = tenant
///
/// // after
/// Limiter<Rejected, Keyed>
/// ```
fn limiter_type(runtime: &RuntimePath, policy: &Policy) -> TokenStream {
    let span = Span::mixed_site();
    match (policy.is_fallible(), policy.is_keyed()) {
        (false, false) => quote_spanned!(span=> #runtime::Limiter),
        (true, false) => quote_spanned!(span=> #runtime::Limiter<#runtime::Rejected>),
        (false, true) => {
            quote_spanned!(span=> #runtime::Limiter<::core::convert::Infallible, #runtime::Keyed>)
        }
        (true, true) => {
            quote_spanned!(span=> #runtime::Limiter<#runtime::Rejected, #runtime::Keyed>)
        }
    }
}

/// Makes the call that makes the limiter.
///
/// ```text
/// // before
/// config().downloads, name = "downloads"
///
/// // after
/// Limiter::lazy("downloads", || -> usize { config().downloads })
///
/// // before
/// 4..=MOST, name = "downloads"
///
/// // after
/// Limiter::adaptive("downloads", 4usize..=(MOST))
/// ```
fn call_constructor(runtime: &RuntimePath, own: &OwnLimiter, function: &Ident) -> TokenStream {
    let span = Span::mixed_site();
    let name = own.policy.name.as_ref().map_or_else(
        || {
            let function = function.unraw().to_string();
            quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #function))
        },
        own_string,
    );
    let limiter = match &own.limit {
        LimitArg::Literal(limit) => quote_spanned!(span=> #runtime::Limiter::new(#name, #limit)),
        LimitArg::Expression(limit) => {
            let limit = block(limit);
            quote_spanned!(span=>
                #runtime::Limiter::lazy(#name, || -> ::core::primitive::usize #limit)
            )
        }
        LimitArg::Range(limits) => {
            // The call lies at the range: the compiler says there which rule a constant breaks.
            let (at, end) = (span.located_at(limits.ends.0), span.located_at(limits.ends.1));
            let (runtime, range) = (runtime.located_at(at), range(limits));
            let mut arguments =
                Group::new(Delimiter::Parenthesis, quote_spanned!(span=> #name, #range));
            arguments.set_span(end);
            quote_spanned!(at=> #runtime::Limiter::adaptive #arguments)
        }
    };
    // Methods of two types can have the same default name. The runtime tells them apart.
    if own.policy.name.is_none() {
        let private = runtime.private(span);
        quote_spanned!(span=> #private::mark_named_after_function(#limiter))
    } else {
        limiter
    }
}

/// Makes the method calls that set the policy.
///
/// ```text
/// // before
/// 3, order = lifo, max_waiting = 100
///
/// // after
/// .max_waiting(100).order(Order::Lifo)
/// ```
fn call_setters(runtime: &RuntimePath, policy: &Policy) -> TokenStream {
    let span = Span::mixed_site();
    let mut calls = TokenStream::new();
    if policy.needs_refusals() {
        // No bound, but calls can be refused from here on.
        calls.extend(quote_spanned!(span=> .max_waiting(::core::primitive::usize::MAX)));
    }
    for Setter { name, arg, .. } in &policy.setters {
        let arg = match arg {
            SetterArg::Nothing => TokenStream::new(),
            SetterArg::Number(count) => number(count),
            SetterArg::Range(limits) => range(limits),
            SetterArg::Shares(shares) => self::shares(shares),
            SetterArg::Text(text) => own_string(text),
            SetterArg::Time(DurationArg::Literal(time)) => duration(*time),
            SetterArg::Time(DurationArg::Expression(time)) => parenthesise(time).to_token_stream(),
            SetterArg::Scope(ScopeArg::Process) => quote_spanned!(span=> #runtime::Scope::Process),
            SetterArg::Scope(ScopeArg::Fleet(_)) => quote_spanned!(span=> #runtime::Scope::Fleet),
            SetterArg::OnUnavailable(value) => on_unavailable(runtime, value),
            SetterArg::OnDeadlock(OnDeadlockArg::Refuse) => {
                quote_spanned!(span=> #runtime::OnDeadlock::Refuse)
            }
            SetterArg::Order(OrderArg::Lifo) => quote_spanned!(span=> #runtime::Order::Lifo),
            SetterArg::Favor(FavorArg::Latency) => quote_spanned!(span=> #runtime::Favor::Latency),
            SetterArg::Favor(FavorArg::Throughput) => {
                quote_spanned!(span=> #runtime::Favor::Throughput)
            }
            SetterArg::Order(OrderArg::Deadline) => {
                quote_spanned!(span=> #runtime::Order::Deadline)
            }
            // The constructor sets the first three. The last is about the body.
            SetterArg::Scope(ScopeArg::Runtime)
            | SetterArg::Order(OrderArg::Fifo)
            | SetterArg::OnDeadlock(OnDeadlockArg::Warn)
            | SetterArg::OnLeaseLost(_) => continue,
        };
        let setter = Ident::new(name, span);
        calls.extend(quote_spanned!(span=> .#setter(#arg)));
    }
    calls
}

/// Makes a reference to shares. The user may leave the `&` out.
fn shares(value: &Expr) -> TokenStream {
    match strip_parens(value) {
        Expr::Array(array) => quote_spanned!(Span::mixed_site()=> &#array),
        value => parenthesise(value).to_token_stream(),
    }
}

fn on_unavailable(runtime: &RuntimePath, value: &OnUnavailableArg) -> TokenStream {
    let span = Span::mixed_site();
    let value = match value {
        OnUnavailableArg::Wait => quote_spanned!(span=> Wait),
        OnUnavailableArg::Refuse => quote_spanned!(span=> Refuse),
        OnUnavailableArg::Local(permits) => {
            let permits = number(permits);
            quote_spanned!(span=> Local(#permits))
        }
    };
    quote_spanned!(span=> #runtime::OnUnavailable::#value)
}

/// Makes a range of numbers.
fn range(limits: &RangeArg) -> TokenStream {
    let end = |end: &RangeEnd| match end {
        RangeEnd::Literal(end) => end.to_token_stream(),
        RangeEnd::Expression(end) => parenthesise(end).to_token_stream(),
    };
    let (low, high) = (end(&limits.low), end(&limits.high));
    quote_spanned!(Span::mixed_site()=> #low..=#high)
}

/// Makes a literal, or an expression in parentheses.
fn number(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(_) => value.to_token_stream(),
        _ => parenthesise(value).to_token_stream(),
    }
}

/// Makes a span of time.
///
/// ```text
/// // before
/// "50ms"
///
/// // after
/// Duration::new(0, 50_000_000)
/// ```
pub(super) fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
    quote_spanned!(Span::mixed_site()=> ::core::time::Duration::new(#seconds, #nanoseconds))
}

/// Puts an expression in braces, unless it is a block already.
fn block(expression: &Expr) -> TokenStream {
    match strip_parens(expression) {
        Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => {
            block.to_token_stream()
        }
        expression => quote_spanned!(Span::mixed_site()=> { #expression }),
    }
}

/// Makes the user's string a token that resolves as ours: no lint about strings means an attribute.
fn own_string(text: &Expr) -> TokenStream {
    let mut tokens = text.to_token_stream();
    if let Expr::Lit(literal) = text {
        let mut literal = literal.lit.clone();
        literal.set_span(literal.span().resolved_at(Span::mixed_site()));
        tokens = literal.to_token_stream();
    }
    tokens
}
