//! The arm for calls that are refused.

use super::runtime_path::RuntimePath;
use super::tokens::span_at;
use crate::args::{Args, OnReject, RefusalHandling};
use crate::syntax::strip_parens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ReturnType, Signature};

/// Makes the arm, if calls can be refused. `outcome` is the type that is matched on.
///
/// ```text
/// // before
/// max_waiting = 10
///
/// // after
/// Refused(__rejected) => return Refuse::refuse(__rejected),
///
/// // before
/// max_waiting = 10, on_reject = |rejected| expr
///
/// // after
/// Refused(rejected) => expr,
/// ```
pub(super) fn make_arm(
    runtime: &RuntimePath,
    args: &Args,
    signature: &Signature,
    returns_future: bool,
    outcome: &str,
) -> Option<TokenStream> {
    let outcome = &Ident::new(outcome, Span::mixed_site());
    match &args.refusals {
        RefusalHandling::Impossible => None,
        RefusalHandling::LimiterDecides(option) | RefusalHandling::Returned(option) => {
            Some(return_refusal(runtime, option, signature, returns_future, outcome))
        }
        RefusalHandling::Handled(on_reject) => {
            let gives_nothing = matches!(signature.output, ReturnType::Default) && !returns_future;
            Some(evaluate_on_reject(runtime, on_reject, gives_nothing, outcome))
        }
    }
}

/// Makes the arm that returns the refusal.
///
/// It is a `return`, so that the other arm alone decides the type of the `match`, as the body does
/// where nothing is refused. The tokens lie at the function's return type, because the compiler
/// says there that the type cannot carry a refusal. If the type is missing or is a future, they lie
/// at the option.
fn return_refusal(
    runtime: &RuntimePath,
    option: &Ident,
    signature: &Signature,
    returns_future: bool,
    outcome: &Ident,
) -> TokenStream {
    let span = match &signature.output {
        ReturnType::Type(_, output) if !returns_future => {
            span_at(output.to_token_stream().into_iter().next())
        }
        _ => Span::mixed_site().located_at(option.span()),
    };
    let private = runtime.located_at(span).private(span);
    quote_spanned!(span=>
        #private::#outcome::Refused(__rejected) => return #private::Refuse::refuse(__rejected),
    )
}

/// Makes the arm that evaluates `on_reject`.
///
/// ```text
/// // before
/// |rejected: Rejected| expr
///
/// // after
/// Refused(__rejected) => match { let __rejected: Rejected = __rejected; __rejected } {
///     rejected => expr,
/// },
/// ```
fn evaluate_on_reject(
    runtime: &RuntimePath,
    on_reject: &OnReject,
    gives_nothing: bool,
    outcome: &Ident,
) -> TokenStream {
    let span = Span::mixed_site();
    let private = runtime.private(span);
    let OnReject { pattern, rejected_type, body } = on_reject;
    let body = match strip_parens(body) {
        body @ Expr::Block(_) => body.to_token_stream(),
        // A function without a return type gives nothing. The binding keeps lints from asking for a
        // `return`.
        body if gives_nothing => quote_spanned!(span=> {
            // The expression may be a `panic!()`.
            #[allow(clippy::diverging_sub_expression)]
            let __given: () = #body;
        }),
        body => quote_spanned!(span=> #body,),
    };
    let Some(rejected_type) = rejected_type else {
        return quote_spanned!(span=> #private::#outcome::Refused(#pattern) => #body);
    };
    // The value lies at the type: if the two disagree, the type is wrong.
    let value_span = span_at(rejected_type.to_token_stream().into_iter().next());
    let value = quote_spanned!(value_span=> __rejected);
    quote_spanned!(span=>
        #private::#outcome::Refused(__rejected) => match {
            let __rejected: #rejected_type = #value;
            __rejected
        } {
            #pattern => #body
        },
    )
}
