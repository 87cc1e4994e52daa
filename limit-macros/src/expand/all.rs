//! Existing limiters whose permits a call takes as one.

use super::existing;
use super::runtime_path::RuntimePath;
use super::tokens::{end_spans, parenthesise};
use crate::args::{AllArg, OneLimitArg};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Signature;

/// Makes the statements that borrow the limiters, and the future that waits for all permits.
///
/// ```text
/// // before
/// all(DB, TENANTS.key(tenant), limiter = self.disk)
///
/// // after: the statements
/// let __limiter0: &'static _ = &DB;
/// let __limiter1 = (TENANTS.key(tenant));
/// let __limiter2 = &(self.disk);
///
/// // after: the future
/// acquire_all_of_body((one_limit(&(*__limiter0)), one_call(__limiter1), one_limit(&(*__limiter2)),))
/// ```
///
/// Each element lies at the user's expression, so that a type error points there.
pub(super) fn acquire(
    runtime: &RuntimePath,
    all: &AllArg,
    is_of_body: bool,
    function: &Signature,
) -> (TokenStream, TokenStream) {
    let span = Span::mixed_site();
    let (mut statements, mut limits) = (TokenStream::new(), TokenStream::new());
    for (number, limit) in all.limits.iter().enumerate() {
        let variable = format_ident!("__limiter{number}", span = span);
        let at = end_spans(limit.expression()).0;
        let private = runtime.located_at(at).private(at);
        match limit {
            OneLimitArg::Limiter(limiter) => {
                statements.extend(existing::borrow(runtime, &variable, limiter, function));
                let reference = existing::reference(&variable, limiter);
                limits.extend(quote_spanned!(at=> #private::one_limit(#reference),));
            }
            OneLimitArg::Call(call) => {
                let value = parenthesise(call);
                statements.extend(quote_spanned!(span=> let #variable = #value;));
                let used = Ident::new(&variable.to_string(), at);
                limits.extend(quote_spanned!(at=> #private::one_call(#used),));
            }
        }
    }
    let private = runtime.private(span);
    let acquire = if is_of_body {
        quote_spanned!(span=> #private::acquire_all_of_body((#limits)))
    } else {
        quote_spanned!(span=> #private::acquire_all((#limits)))
    };
    (statements, acquire)
}
