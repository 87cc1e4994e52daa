//! The arm for calls that are refused.

use super::place::{at, path_at};
use crate::args::{Args, OnReject, Refusal, bare};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ReturnType, Signature};

/// ```text
/// // before
/// max_waiting = 10
///
/// // after
/// Err(__rejected) => return Refuse::refuse(__rejected),
///
/// // before
/// max_waiting = 10, on_reject = |rejected| expr
///
/// // after
/// Err(rejected) => expr,
/// ```
///
/// `None` if there are none.
pub(super) fn arm(
    runtime: &TokenStream,
    args: &Args,
    signature: &Signature,
    returns_future: bool,
) -> Option<TokenStream> {
    match &args.refusal {
        Refusal::None => None,
        Refusal::Unknown(option) | Refusal::Returned(option) => {
            Some(returned(runtime, option, signature, returns_future))
        }
        Refusal::Handled(on_reject) => Some(handled(on_reject)),
    }
}

/// A `return`, so that the other arm alone says what the type of the `match` is, as the body does
/// where nothing is refused. It stands where the function's type does, or where there is none (or it
/// is a future) on the option: there the compiler says of a type that it cannot carry a refusal.
fn returned(
    runtime: &TokenStream,
    option: &Ident,
    signature: &Signature,
    returns_future: bool,
) -> TokenStream {
    let span = match &signature.output {
        ReturnType::Type(_, output) if !returns_future => {
            at(output.to_token_stream().into_iter().next())
        }
        _ => Span::mixed_site().located_at(option.span()),
    };
    let runtime = path_at(runtime, span);
    quote_spanned!(span=>
        ::core::result::Result::Err(__rejected) =>
            return #runtime::__private::Refuse::refuse(__rejected),
    )
}

/// ```text
/// // before
/// |rejected: Rejected| expr
///
/// // after
/// Err(__rejected) => match { let __rejected: Rejected = __rejected; __rejected } {
///     rejected => expr,
/// },
/// ```
fn handled(on_reject: &OnReject) -> TokenStream {
    let span = Span::mixed_site();
    let OnReject { pattern, type_of, body } = on_reject;
    let body = match bare(body) {
        body @ Expr::Block(_) => body.to_token_stream(),
        body => quote_spanned!(span=> #body,),
    };
    match type_of {
        None => quote_spanned!(span=> ::core::result::Result::Err(#pattern) => #body),
        Some(type_of) => {
            // If the type is not the refusal's, it is the type that is wrong.
            let place = at(type_of.to_token_stream().into_iter().next());
            let rejected = quote_spanned!(place=> __rejected);
            quote_spanned!(span=>
                ::core::result::Result::Err(__rejected) => match {
                    let __rejected: #type_of = #rejected;
                    __rejected
                } {
                    #pattern => #body
                },
            )
        }
    }
}
