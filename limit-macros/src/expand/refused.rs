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
/// Refused(__rejected) => return Refuse::refuse(__rejected),
///
/// // before
/// max_waiting = 10, on_reject = |rejected| expr
///
/// // after
/// Refused(rejected) => expr,
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
        Refusal::Handled(on_reject) => {
            let gives_nothing = matches!(signature.output, ReturnType::Default) && !returns_future;
            Some(handled(runtime, on_reject, gives_nothing))
        }
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
        #runtime::__private::v1::Admitted::Refused(__rejected) =>
            return #runtime::__private::v1::Refuse::refuse(__rejected),
    )
}

/// ```text
/// // before
/// |rejected: Rejected| expr
///
/// // after
/// Refused(__rejected) => match { let __rejected: Rejected = __rejected; __rejected } {
///     rejected => expr,
/// },
/// ```
fn handled(runtime: &TokenStream, on_reject: &OnReject, gives_nothing: bool) -> TokenStream {
    let span = Span::mixed_site();
    let OnReject { pattern, type_of, body } = on_reject;
    let body = match bare(body) {
        body @ Expr::Block(_) => body.to_token_stream(),
        // A function without a type gives nothing, and no lint is to ask for a `return` of that.
        body if gives_nothing => quote_spanned!(span=> {
            // It may be a `panic!()`.
            #[allow(clippy::diverging_sub_expression)]
            let __given: () = #body;
        }),
        body => quote_spanned!(span=> #body,),
    };
    match type_of {
        None => quote_spanned!(span=> #runtime::__private::v1::Admitted::Refused(#pattern) => #body),
        Some(type_of) => {
            // If the type is not the refusal's, it is the type that is wrong.
            let place = at(type_of.to_token_stream().into_iter().next());
            let rejected = quote_spanned!(place=> __rejected);
            quote_spanned!(span=>
                #runtime::__private::v1::Admitted::Refused(__rejected) => match {
                    let __rejected: #type_of = #rejected;
                    __rejected
                } {
                    #pattern => #body
                },
            )
        }
    }
}
