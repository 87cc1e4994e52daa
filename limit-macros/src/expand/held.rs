//! A permit around a body.

use super::blocking;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

/// What holds a permit while a body runs.
pub(super) struct Hold {
    /// The path of the runtime crate.
    pub(super) runtime: TokenStream,
    /// The expression that waits for a permit.
    pub(super) permit: TokenStream,
    /// `permit = ident`.
    pub(super) name: Option<Ident>,
    /// The arm for calls that are refused, if there are any. Then the expression gives an `Admitted`.
    pub(super) refused: Option<TokenStream>,
}

impl Hold {
    /// Holds a permit while `body` runs.
    ///
    /// ```text
    /// // before
    /// { body }
    ///
    /// // after
    /// { match permit { __permit => { body } } }
    ///
    /// // after, if calls can be refused
    /// { match permit { Permit(__permit) => { body } Refused(__rejected) => …, } }
    ///
    /// // before, with the permit of an attribute above this one
    /// { match first { __permit => { body } } }
    ///
    /// // after: the upper attribute's permit is taken first
    /// { match first { __permit => { match permit { __permit => { body } } } } }
    ///
    /// // before, with an attribute above this one that said `blocking`
    /// {
    ///     match first {
    ///         __permit => {
    ///             let __work = move |__permit: Permit| { body };
    ///             return run(__permit, __work).await;
    ///         }
    ///     }
    /// }
    ///
    /// // after: this permit goes to the pool as well
    /// {
    ///     match first {
    ///         __permit => {
    ///             match permit {
    ///                 __permit2 => {
    ///                     let __work = move |__permit: Permit| {
    ///                         match __permit2 { __permit2 => { body } }
    ///                     };
    ///                     return run(__permit, __work).await;
    ///                 }
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// A `match`, because an arm is a temporary scope in every edition: the temporaries of the
    /// body's last expression are dropped before the permit. The binding is not used, unless it was
    /// named, and must not be `_`, which would drop the permit at once.
    pub(super) fn around(&self, body: &Group) -> Group {
        if let Some(held) = Held::find(body) {
            let inner = self.around(&held.inner);
            return held.with(&inner, body.span());
        }
        if let Some(work) = blocking::Work::find(body) {
            let held = quote_spanned!(Span::mixed_site()=> __permit);
            let (runtime, name) = (self.runtime.clone(), self.name.clone());
            let named = Self { runtime, permit: held, name, refused: None };
            return self.beside(&work.map(|body| named.arms(body, named.name.as_ref())));
        }
        self.arms(body, self.name.as_ref())
    }

    /// As [`around`](Self::around), but what the body calls the permit is not known where it is
    /// awaited.
    pub(super) fn beside(&self, body: &Group) -> Group {
        self.arms(body, None)
    }

    fn arms(&self, body: &Group, name: Option<&Ident>) -> Group {
        let span = Span::mixed_site();
        let Self { runtime, permit, refused, .. } = self;
        let binding =
            name.map_or_else(|| quote_spanned!(span=> __permit), ToTokens::to_token_stream);
        let pattern = match refused {
            Some(_) => quote_spanned!(span=> #runtime::__private::v1::Admitted::Permit(#binding)),
            None => binding,
        };
        super::match_of(body.span(), permit, &quote_spanned!(span=> #pattern => #body #refused))
    }
}

/// What [`Hold::around`] has made, taken apart.
struct Held {
    /// `match permit`.
    head: Vec<TokenTree>,
    /// `__permit =>`.
    pattern: TokenStream,
    inner: Group,
    /// The arm for calls that are refused.
    refused: TokenStream,
    /// Of the braces around the arms.
    span: Span,
}

impl Held {
    /// It is known by the name of the binding, or where that is the user's, by the last word of the
    /// permit's expression.
    fn find(body: &Group) -> Option<Self> {
        let mut head: Vec<_> = body.stream().into_iter().collect();
        let Some(TokenTree::Group(arms)) = head.pop() else {
            return None;
        };
        let mut pattern: Vec<_> = arms.stream().into_iter().collect();
        let is_plain =
            matches!(pattern.first(), Some(TokenTree::Ident(word)) if word == "__permit");
        let is_ours = match head.as_slice() {
            [TokenTree::Ident(keyword), ..] if keyword != "match" => false,
            [_, TokenTree::Group(permit)] if ends_so(permit) => true,
            _ => is_plain,
        };
        if !is_ours {
            return None;
        }
        let is_brace = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let refused = pattern.split_off(pattern.iter().position(is_brace)? + 1);
        let Some(TokenTree::Group(inner)) = pattern.pop() else {
            return None;
        };
        Some(Self {
            head,
            pattern: pattern.into_iter().collect(),
            inner,
            refused: refused.into_iter().collect(),
            span: arms.span(),
        })
    }

    /// Puts it together again, with another body.
    fn with(self, inner: &Group, span: Span) -> Group {
        let Self { head, pattern, refused, .. } = self;
        let arms = braces(self.span, [pattern, inner.to_token_stream(), refused]);
        braces(span, [head.into_iter().collect(), arms.to_token_stream()])
    }
}

fn ends_so(block: &Group) -> bool {
    let last = block.stream().into_iter().last();
    matches!(last, Some(TokenTree::Ident(word)) if word == "__permit")
}

fn braces<const N: usize>(span: Span, parts: [TokenStream; N]) -> Group {
    let mut group = Group::new(Delimiter::Brace, parts.into_iter().collect());
    group.set_span(span);
    group
}
