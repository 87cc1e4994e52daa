//! A permit that is held around a body.

use super::blocking::BlockingWork;
use super::judge::Judge;
use super::runtime_path::RuntimePath;
use super::tokens::{braces_at, match_in_braces};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

/// The tokens that hold a permit while a body runs.
pub(super) struct Hold {
    pub(super) runtime: RuntimePath,
    /// The expression that waits for a permit.
    pub(super) permit: TokenStream,
    /// `permit = ident`.
    pub(super) name: Option<Ident>,
    /// The arm for calls that are refused, if there are any. Then `permit` gives an `Admitted`.
    pub(super) refused_arm: Option<TokenStream>,
    /// The arm for calls whose lease is lost, if their bodies are dropped then.
    pub(super) lost_arm: Option<TokenStream>,
    /// `overload`, if the output of the body is judged. It cannot stand beside `lost_arm`.
    pub(super) judge: Option<Judge>,
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
    /// The form is a `match`, because an arm is a temporary scope in every edition: the temporaries
    /// of the body's last expression are dropped before the permit. The binding is unused unless it
    /// has the user's name. It must not be `_`, which would drop the permit at once.
    pub(super) fn around(&self, body: &Group) -> Group {
        if let Some(held) = HeldBody::find(body) {
            let inner = self.around(&held.inner);
            return held.rebuild(&inner, body.span());
        }
        if let Some(work) = BlockingWork::find(body) {
            let moved = Self {
                runtime: self.runtime.clone(),
                permit: quote_spanned!(Span::mixed_site()=> __permit),
                name: self.name.clone(),
                refused_arm: None,
                lost_arm: None,
                judge: None,
            };
            return self.around_unnamed(&work.map_body(|body| {
                let body = match &self.judge {
                    Some(judge) => &judge.around_blocking(body),
                    None => body,
                };
                moved.match_permit(body, moved.name.as_ref())
            }));
        }
        match &self.judge {
            Some(judge) => self.match_permit(&judge.around(body), self.name.as_ref()),
            None => self.match_permit(body, self.name.as_ref()),
        }
    }

    /// Holds a permit while `body` runs, as [`around`](Self::around) does, but not under the user's
    /// name, and does not judge its output: a body on the blocking pool gets both there.
    pub(super) fn around_unnamed(&self, body: &Group) -> Group {
        self.match_permit(body, None)
    }

    fn match_permit(&self, body: &Group, name: Option<&Ident>) -> Group {
        let span = Span::mixed_site();
        let Self { runtime, permit, refused_arm, lost_arm, .. } = self;
        let body = match lost_arm {
            Some(lost_arm) => &self.cancel_body(body, lost_arm),
            None => body,
        };
        let binding =
            name.map_or_else(|| quote_spanned!(span=> __permit), ToTokens::to_token_stream);
        let pattern = match refused_arm {
            Some(_) => {
                let private = runtime.private(span);
                quote_spanned!(span=> #private::Admitted::Permit(#binding))
            }
            None => binding,
        };
        let arms = quote_spanned!(span=> #pattern => #body #refused_arm);
        match_in_braces(body.span(), permit, arms)
    }
}

impl Hold {
    /// Drops `body` when the lease of its permit is lost.
    ///
    /// ```text
    /// // before
    /// { body }
    ///
    /// // after
    /// {
    ///     match while_leased(&__permit, async { body }).await {
    ///         Finished(__value) => __value,
    ///         Refused(__rejected) => …,
    ///     }
    /// }
    /// ```
    ///
    /// A `return` in the body gives the value of the block, which is that of the function.
    fn cancel_body(&self, body: &Group, lost_arm: &TokenStream) -> Group {
        let span = Span::mixed_site();
        let private = self.runtime.private(span);
        let scrutinee = quote_spanned!(span=>
            #private::while_leased(&__permit, async #body).await
        );
        let arms = quote_spanned!(span=>
            #private::Ended::Finished(__value) => __value,
            #lost_arm
        );
        match_in_braces(body.span(), &scrutinee, arms)
    }
}

/// The output of [`Hold::around`], taken apart.
///
/// ```text
/// { head { pattern inner refused_arm } }
/// ```
struct HeldBody {
    /// `match permit`.
    head: Vec<TokenTree>,
    /// `__permit =>`.
    pattern: TokenStream,
    inner: Group,
    /// The arm for calls that are refused.
    refused_arm: TokenStream,
    /// The span of the braces around the arms.
    arms_span: Span,
}

impl HeldBody {
    /// Takes the body apart, if [`Hold::around`] has made it.
    ///
    /// The binding `__permit` shows that. If `permit = ident` gives the binding another name, the
    /// last word of the permit's expression shows it.
    fn find(body: &Group) -> Option<Self> {
        let mut head: Vec<_> = body.stream().into_iter().collect();
        let Some(TokenTree::Group(arms)) = head.pop() else {
            return None;
        };
        let mut pattern: Vec<_> = arms.stream().into_iter().collect();
        let has_our_binding =
            matches!(pattern.first(), Some(TokenTree::Ident(word)) if word == "__permit");
        let is_ours = match head.as_slice() {
            [TokenTree::Ident(keyword), ..] if keyword != "match" => false,
            [_, TokenTree::Group(permit)] if ends_in_permit(permit) => true,
            _ => has_our_binding,
        };
        if !is_ours {
            return None;
        }
        let is_brace = |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        let refused_arm = pattern.split_off(pattern.iter().position(is_brace)? + 1);
        let Some(TokenTree::Group(inner)) = pattern.pop() else {
            return None;
        };
        Some(Self {
            head,
            pattern: pattern.into_iter().collect(),
            inner,
            refused_arm: refused_arm.into_iter().collect(),
            arms_span: arms.span(),
        })
    }

    /// Puts the parts together again, with another inner body.
    fn rebuild(self, inner: &Group, span: Span) -> Group {
        let Self { head, pattern, refused_arm, arms_span, .. } = self;
        let arms = [pattern, inner.to_token_stream(), refused_arm];
        let arms = braces_at(arms_span, arms.into_iter().collect());
        braces_at(span, head.into_iter().chain([TokenTree::Group(arms)]).collect())
    }
}

fn ends_in_permit(block: &Group) -> bool {
    let last = block.stream().into_iter().last();
    matches!(last, Some(TokenTree::Ident(word)) if word == "__permit")
}
