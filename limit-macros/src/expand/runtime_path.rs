//! The paths of the runtime crate.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

/// The path of the runtime crate, in the user's tokens if `crate` gives it.
#[derive(Clone)]
pub(super) struct RuntimePath(TokenStream);

impl RuntimePath {
    pub(super) fn new(crate_path: Option<&Path>) -> Self {
        Self(crate_path.map_or_else(
            || quote_spanned!(Span::mixed_site()=> ::limit_runtime),
            ToTokens::to_token_stream,
        ))
    }

    /// Returns the path of the module that exists for the macro's output alone. All of its items
    /// that the output names are named through this function.
    pub(super) fn private(&self, span: Span) -> TokenStream {
        quote_spanned!(span=> #self::__private::v1)
    }

    /// Returns the path with other locations. It resolves as before.
    pub(super) fn located_at(&self, span: Span) -> Self {
        let located = self.0.clone().into_iter().map(|mut token| {
            token.set_span(token.span().located_at(span));
            token
        });
        Self(located.collect())
    }
}

impl ToTokens for RuntimePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}
