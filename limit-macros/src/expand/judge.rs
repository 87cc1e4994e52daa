//! A body whose output is judged by `overload`.

use super::runtime_path::RuntimePath;
use super::tokens::{braces_at, end_spans, match_in_braces, span_at};
use crate::syntax::strip_parens;
use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, Type};

/// The tokens that judge the output of a body, and give its permit back.
pub(super) struct Judge {
    pub(super) runtime: RuntimePath,
    /// `overload = |output| …`.
    pub(super) overload: Expr,
    /// The type of the output, as far as the signature says it.
    pub(super) output: Option<Type>,
}

impl Judge {
    /// Judges the output of `body`, which is async.
    ///
    /// ```text
    /// // before
    /// { body }
    ///
    /// // after
    /// {
    ///     let __unjudged = Unjudged::new(&__permit);
    ///     match async move {
    ///         match { if let Some(__output) = None::<R> { return __output; } } { () => { body } }
    ///     }
    ///     .await
    ///     {
    ///         __value => { judge(__unjudged, &__value, |output| …); return __value; }
    ///     }
    /// }
    /// ```
    ///
    /// The guard's `Drop` says that the call was cancelled.
    ///
    /// A `return` in the body gives the value of the block. The `return` before the body tells the compiler
    /// the block's type, which the body and the closure may need. The block takes what it names by value, as
    /// the function does: a reference would have other bounds for `Send`.
    pub(super) fn around(&self, body: &Group) -> Group {
        let span = Span::mixed_site();
        let body = &match &self.output {
            Some(output) => {
                // The statement lies at the type: the compiler says there what it expects of the body.
                let at = span_at(output.to_token_stream().into_iter().next());
                let hint = quote_spanned!(at=> {
                    if let ::core::option::Option::Some(__output) =
                        ::core::option::Option::None::<#output>
                    {
                        return __output;
                    }
                });
                match_in_braces(body.span(), &hint, quote_spanned!(span=> () => #body))
            }
            None => body.clone(),
        };
        // The block lies at the body and resolves as the user's, so that lints look into it.
        let block = quote_spanned!(body.span_open()=> async move #body);
        let value = quote_spanned!(span=> #block.await);
        self.judge(body, &value)
    }

    /// Judges the output of `body`, which blocks its thread.
    ///
    /// ```text
    /// // before
    /// { body }
    ///
    /// // after
    /// {
    ///     let __unjudged = Unjudged::new(&__permit);
    ///     match (move || -> R { body })() {
    ///         __value => { judge(__unjudged, &__value, |output| …); return __value; }
    ///     }
    /// }
    /// ```
    pub(super) fn around_blocking(&self, body: &Group) -> Group {
        let span = Span::mixed_site();
        let output = self.output.as_ref().map(|output| quote_spanned!(span=> -> #output));
        let closure = quote_spanned!(body.span_open()=> move || #output #body);
        let value = quote_spanned!(span=> (#closure)());
        self.judge(body, &value)
    }

    fn judge(&self, body: &Group, value: &TokenStream) -> Group {
        let span = Span::mixed_site();
        let judged = match_in_braces(body.span(), value, self.arm(body.span())).stream();
        let private = self.runtime.private(span);
        let guard = quote_spanned!(span=> let __unjudged = #private::Unjudged::new(&__permit););
        braces_at(body.span(), quote!(#guard #judged))
    }

    /// Makes the arm that judges the value.
    ///
    /// The call lies at the user's closure: the compiler says there that the closure gives no verdict.
    fn arm(&self, body: Span) -> TokenStream {
        let span = Span::mixed_site();
        let overload = strip_parens(&self.overload);
        let at = end_spans(overload).0;
        let private = self.runtime.located_at(at).private(at);
        let judge = quote_spanned!(at=> #private::judge(__unjudged, &__value, #overload));
        let arm = braces_at(body, quote_spanned!(span=> #judge; return __value;));
        quote_spanned!(span=> __value => #arm)
    }
}
