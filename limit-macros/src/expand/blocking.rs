//! A body on tokio's blocking pool.

use super::place::path_at;
use crate::args::names_in;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::visit::{self, Visit};
use syn::{FnArg, ReturnType, Signature, TypeImplTrait};

/// The body, to be run with the permit `__permit`.
///
/// ```text
/// // before
/// fn f(self, x: T) -> R { body }
///
/// // after
/// {
///     run(__permit, move |__permit| -> R {
///         let _ = (&x, &self);
///         body
///     })
///     .await
/// }
/// ```
///
/// The type stands at the closure too, because `?`, `return` and coercions in the body look for it;
/// unless it is an `impl Trait`, which a closure cannot have. The permit is the closure's parameter,
/// hence dropped after the body's locals and temporaries, and before the arguments.
pub(super) fn on_the_pool(
    runtime: &TokenStream,
    word: &Ident,
    name: Option<&Ident>,
    signature: &Signature,
    body: &Group,
) -> Group {
    let (span, braces) = (Span::mixed_site(), body.span());
    let binding = name.map_or_else(|| quote_spanned!(span=> __permit), ToTokens::to_token_stream);
    let output = closure_output(&signature.output);
    let statements = [captures(signature, body).unwrap_or_default(), body.stream()];
    let mut body = Group::new(Delimiter::Brace, statements.into_iter().collect());
    body.set_span(braces);
    // What of the arguments or the result cannot go to another thread is said of the word `blocking`.
    let place = span.located_at(word.span());
    let runtime = path_at(runtime, place);
    let closure = quote_spanned!(place=> move |#binding| #output #body);
    let run = quote_spanned!(place=> #runtime::__private::run(__permit, #closure).await);
    let mut group = Group::new(Delimiter::Brace, run);
    group.set_span(braces);
    group
}

/// `-> R` for the closure. Without a type it is `()`, which has to be said.
fn closure_output(output: &ReturnType) -> TokenStream {
    struct Search(bool);
    impl<'ast> Visit<'ast> for Search {
        fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
            self.0 = true;
            visit::visit_type_impl_trait(self, opaque);
        }
    }
    let mut opaque = Search(false);
    opaque.visit_return_type(output);
    match output {
        _ if opaque.0 => TokenStream::new(),
        ReturnType::Default => quote_spanned!(Span::mixed_site()=> -> ()),
        ReturnType::Type(..) => output.to_token_stream(),
    }
}

/// A statement that makes the closure take the arguments whole.
///
/// From edition 2021 on a closure takes no more of a variable than it uses: the rest of `config`, if
/// the body says `config.path`, would stay with the caller, and be dropped under the work when the
/// caller goes away. So would an argument that only lives as long as the function, such as
/// `_directory: TempDir`. The last comes first, because a closure drops what it took in the order in
/// which it took it, and a function its arguments the other way round. Arguments that are not used
/// are not mentioned here, so that the compiler goes on saying so.
fn captures(signature: &Signature, body: &Group) -> Option<TokenStream> {
    let mut names = Vec::new();
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                names.push(Ident::new("self", receiver.self_token.span));
            }
            FnArg::Typed(argument) => names_in(&argument.pat, &mut names),
        }
    }
    names.retain(|name| {
        name == "self" || name.to_string().starts_with('_') || mentions(body.stream(), name)
    });
    let names = names.iter().rev();
    let span = Span::mixed_site();
    (names.len() > 0).then(|| {
        quote_spanned!(span=>
            // What is written here is no use that the user could have meant.
            #[allow(clippy::used_underscore_binding)]
            let _ = (#(&#names,)*);
        )
    })
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

/// What [`on_the_pool`] has made, taken apart.
pub(super) struct Work {
    /// `run`, with its path.
    run: Vec<TokenTree>,
    /// `__permit, move |__permit| -> R`.
    closure: Vec<TokenTree>,
    body: Group,
    /// Of the parentheses.
    arguments: Span,
    /// `.await`.
    awaited: [TokenTree; 2],
    span: Span,
}

impl Work {
    pub(super) fn find(body: &Group) -> Option<Self> {
        let mut run: Vec<_> = body.stream().into_iter().collect();
        let (awaited, dot) = (run.pop()?, run.pop()?);
        let Some(TokenTree::Group(arguments)) = run.pop() else {
            return None;
        };
        let names: Vec<_> = run
            .iter()
            .filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.to_string()),
                _ => None,
            })
            .collect();
        if !names.ends_with(&[String::from("__private"), String::from("run")]) {
            return None;
        }
        let mut closure: Vec<_> = arguments.stream().into_iter().collect();
        let Some(TokenTree::Group(inner)) = closure.pop() else {
            return None;
        };
        Some(Self {
            run,
            closure,
            body: inner,
            arguments: arguments.span(),
            awaited: [dot, awaited],
            span: body.span(),
        })
    }

    /// Puts it together again, the body as `change` makes it.
    pub(super) fn map(self, change: impl FnOnce(&Group) -> Group) -> Group {
        let body = TokenTree::Group(change(&self.body));
        let closure = self.closure.into_iter().chain([body]).collect();
        let mut arguments = Group::new(Delimiter::Parenthesis, closure);
        arguments.set_span(self.arguments);
        let call = self.run.into_iter().chain([TokenTree::Group(arguments)]).chain(self.awaited);
        let mut group = Group::new(Delimiter::Brace, call.collect());
        group.set_span(self.span);
        group
    }
}
