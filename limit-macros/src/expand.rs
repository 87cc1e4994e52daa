//! Arguments and function to tokens.
//!
//! Tokens of ours carry `Span::mixed_site()`, so that no binding meets one of the user's. Items
//! are not hygienic, hence the name of the static.

use crate::args::{Args, Limit, OwnLimiter, Source, bare};
use crate::function::{Body, Target};
use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Error, Expr, Ident, Item};

/// The function, limited.
///
/// ```text
/// // before
/// #[a] pub async fn f(&self, x: T) -> R { body }
///
/// // after
/// #[a] pub async fn f(&self, x: T) -> R { match acquire { __permit => { body } } }
///
/// // before
/// fn f(x: T) -> impl Future<Output = R> { statements; async move { body } }
///
/// // after
/// fn f(x: T) -> impl Future<Output = R> {
///     statements;
///     async move { match acquire { __permit => { body } } }
/// }
/// ```
pub(crate) fn limited(args: &Args, target: Target) -> TokenStream {
    let Target { attributes, head, signature, body } = target;
    let permit = permit(args, &signature.ident);
    let body = match body {
        Body::Async(body) => held_in(&permit, &body),
        Body::Tail(tail) => tail.rewrite(|block| held_in(&permit, &block)),
    };
    quote!(#attributes #head #body)
}

/// The item as it was, so that what names it does not fail too, and what is wrong with it.
pub(crate) fn refused(item: &TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let is_item = syn::parse2::<Item>(item.clone()).is_ok();
    if !is_item && syn::parse2::<Expr>(item.clone()).is_ok() {
        // Two things in the place of one expression would be a mistake of their own.
        return quote!({ #error #item });
    }
    quote!(#item #error)
}

/// Holds a permit while `body` runs.
///
/// ```text
/// // before
/// { body }
///
/// // after
/// { match permit { __permit => { body } } }
///
/// // before, with the permit of an attribute above this one
/// { match first { __permit => { body } } }
///
/// // after: the upper attribute's permit is taken first
/// { match first { __permit => { match permit { __permit => { body } } } } }
/// ```
///
/// A `match`, because an arm is a temporary scope in every edition: the temporaries of the body's
/// last expression are dropped before the permit. The binding is not used and must not be `_`,
/// which would drop the permit at once.
fn held_in(permit: &TokenStream, body: &Group) -> Group {
    let span = Span::mixed_site();
    let inside = if let Some((first, inner)) = held_already(body) {
        let inner = held_in(permit, &inner);
        quote_spanned!(span=> match #first { __permit => #inner })
    } else {
        quote_spanned!(span=> match #permit { __permit => #body })
    };
    let mut outer = Group::new(Delimiter::Brace, inside);
    outer.set_span(body.span());
    outer
}

/// Takes apart what [`held_in`] has made: the permit and the body.
fn held_already(body: &Group) -> Option<(TokenStream, Group)> {
    let tokens: Vec<_> = body.stream().into_iter().collect();
    let [TokenTree::Ident(keyword), permit @ .., TokenTree::Group(arms)] = tokens.as_slice() else {
        return None;
    };
    let arms: Vec<_> = arms.stream().into_iter().collect();
    let [TokenTree::Ident(binding), _, _, TokenTree::Group(inner)] = arms.as_slice() else {
        return None;
    };
    let ours = keyword == "match" && binding == "__permit";
    ours.then(|| (permit.iter().cloned().collect(), inner.clone()))
}

/// The expression that waits for a permit.
fn permit(args: &Args, function: &Ident) -> TokenStream {
    let span = Span::mixed_site();
    let runtime = args
        .runtime
        .as_ref()
        .map_or_else(|| quote_spanned!(span=> ::limit_runtime), ToTokens::to_token_stream);
    match &args.source {
        Source::Own(own) => own_permit(&runtime, own, function),
        Source::Existing(limiter) => existing_permit(&runtime, limiter),
    }
}

/// ```text
/// // before
/// 3, scope = process, env = "VAR"
///
/// // after
/// {
///     static __CONCURRENCY_LIMIT: Limiter =
///         Limiter::new("module::function", 3).scope(Scope::Process).env("VAR");
///     __CONCURRENCY_LIMIT.acquire()
/// }
/// .await
/// ```
fn own_permit(runtime: &TokenStream, own: &OwnLimiter, function: &Ident) -> TokenStream {
    let span = Span::mixed_site();
    let name = own.name.as_ref().map_or_else(
        || {
            let function = function.unraw().to_string();
            quote_spanned!(span=> ::core::concat!(::core::module_path!(), "::", #function))
        },
        ours,
    );
    let limiter = match &own.limit {
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
    let scope =
        own.shared_by_process.then(|| quote_spanned!(span=> .scope(#runtime::Scope::Process)));
    let env = own.env.as_ref().map(|env| {
        let env = ours(env);
        quote_spanned!(span=> .env(#env))
    });
    quote_spanned!(span=>
        {
            static __CONCURRENCY_LIMIT: #runtime::Limiter = #limiter #scope #env;
            __CONCURRENCY_LIMIT.acquire()
        }
        .await
    )
}

/// ```text
/// // before
/// limiter = self.limiter
///
/// // after
/// {
///     let __limiter = &(self.limiter);
///     let __permit = Limiter::acquire(&(*__limiter)).await;
///     __permit
/// }
/// ```
///
/// The first `let` ends the life of the expression's temporaries (the guard in
/// `self.limiters.lock().unwrap().clone()`) before anything waits; the second that of the limiter,
/// if it is a temporary, before the body. The reference is coerced, so that a `Box`, an `Arc` or
/// another reference will do: apart from the expression, so that a block or an `if` is not expected
/// to be a `Limiter` itself; and spanned as the expression is, so that a type error points there.
fn existing_permit(runtime: &TokenStream, limiter: &Expr) -> TokenStream {
    let span = Span::mixed_site();
    let limiter = bare(limiter).to_token_stream();
    let place =
        |token: Option<TokenTree>| token.map_or(span, |token| span.located_at(token.span()));
    let start = place(limiter.clone().into_iter().next());
    let end = place(limiter.clone().into_iter().last());
    let reference = quote_spanned!(start=> &);
    let mut pointee = Group::new(Delimiter::Parenthesis, quote_spanned!(span=> *__limiter));
    pointee.set_span(end);
    quote_spanned!(span=>
        {
            let __limiter = &(#limiter);
            let __permit = #runtime::Limiter::acquire(#reference #pointee).await;
            __permit
        }
    )
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
