//! A body on tokio's blocking pool.

use super::place::path_at;
use crate::args::names_in;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::visit::{self, Visit};
use syn::{FnArg, ReturnType, Signature, Type, TypeImplTrait};

/// The body, to be run with the permit `__permit`.
///
/// ```text
/// // before
/// fn f(self, x: T) -> R { body }
///
/// // after
/// {
///     let __work = move |__permit: Permit| -> R {
///         match { let _ = (&x, &self); } { () => { body } }
///     };
///     return run(__permit, __work).await;
/// }
/// ```
///
/// The type stands at the closure too, because `?`, `return` and coercions in the body look for it;
/// unless it is an `impl Trait`, which a closure cannot have. The permit is the closure's parameter,
/// hence dropped after the body's locals and temporaries, and before the arguments.
///
/// The closure stands where the body does, as if it were the user's, so that lints look into it. The
/// `return` is for a lint that asks for one: the body has its own.
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
    let body = match captures(signature, body) {
        Some(captures) => super::match_of(braces, &captures, &quote_spanned!(span=> () => #body)),
        None => body.clone(),
    };
    let permit = quote_spanned!(span=> #binding: #runtime::Permit);
    let closure = quote_spanned!(body.span_open()=> move |#permit| #output #body);
    // What of the arguments or the result cannot go to another thread is said of the word `blocking`.
    let place = span.located_at(word.span());
    let named = quote_spanned!(place=> __work);
    let runtime = path_at(runtime, place);
    let run = quote_spanned!(place=> #runtime::__private::v1::run(__permit, #named).await);
    let returned = if never_returns(&signature.output) {
        // A `return` of nothing would be unreachable.
        quote_spanned!(span=> #[allow(clippy::implicit_return)] { #run })
    } else {
        quote_spanned!(span=> return #run;)
    };
    let statements = quote_spanned!(span=> let __work = #closure; #returned);
    let mut group = Group::new(Delimiter::Brace, statements);
    group.set_span(braces);
    group
}

fn never_returns(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, output) if matches!(**output, Type::Never(_)))
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

/// A block that makes the closure take the arguments whole.
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
        quote_spanned!(span=> {
            // What is written here is no use that the user could have meant.
            #[allow(clippy::used_underscore_binding)]
            let _ = (#(&#names,)*);
        })
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
    /// `let __work = move |__permit: Permit| -> R`.
    closure: Vec<TokenTree>,
    body: Group,
    /// `; return run(__permit, __work).await;`.
    run: Vec<TokenTree>,
    span: Span,
}

impl Work {
    pub(super) fn find(body: &Group) -> Option<Self> {
        let mut closure: Vec<_> = body.stream().into_iter().collect();
        let is_ours = matches!(
            closure.as_slice(),
            [TokenTree::Ident(keyword), TokenTree::Ident(name), ..]
                if keyword == "let" && name == "__work"
        );
        let is_end =
            |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
        let end = closure.iter().position(is_end).filter(|_| is_ours)?;
        let run = closure.split_off(end);
        let Some(TokenTree::Group(inner)) = closure.pop() else {
            return None;
        };
        Some(Self { closure, body: inner, run, span: body.span() })
    }

    /// Puts it together again, the body as `change` makes it.
    pub(super) fn map(self, change: impl FnOnce(&Group) -> Group) -> Group {
        let body = TokenTree::Group(change(&self.body));
        let tokens = self.closure.into_iter().chain([body]).chain(self.run).collect();
        let mut group = Group::new(Delimiter::Brace, tokens);
        group.set_span(self.span);
        group
    }
}
