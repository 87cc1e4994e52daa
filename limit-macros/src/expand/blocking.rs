//! A body that runs on tokio's blocking pool.

use super::judge::Judge;
use super::runtime_path::RuntimePath;
use super::tokens::{braces_at, match_in_braces};
use crate::function::all_captured_names;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::visit::{self, Visit};
use syn::{ReturnType, Signature, Type, TypeImplTrait};

/// Makes the statements that run `body` on the pool, with the permit `__permit`. `blocking` is the
/// user's word; `name` is the body's name for the permit, and `permit` its type; `judge` is for a body whose output is judged.
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
/// The closure has the function's return type, because `?`, `return` and coercions in the body look
/// for it. An `impl Trait` is left out, because a closure cannot have one. The permit is the
/// closure's parameter, so it is dropped after the body's locals and temporaries, and before the
/// arguments.
///
/// The closure lies at the body and resolves as the user's, so that lints look into it. The
/// `return` satisfies a lint that asks for one (`clippy::implicit_return`); the body has its own.
pub(super) fn run_on_pool(
    runtime: &RuntimePath,
    blocking: &Ident,
    (name, permit): (Option<&Ident>, &TokenStream),
    judge: Option<&Judge>,
    signature: &Signature,
    body: &Group,
) -> Group {
    let (span, braces) = (Span::mixed_site(), body.span());
    let binding = name.map_or_else(|| quote_spanned!(span=> __permit), ToTokens::to_token_stream);
    let output = closure_output(&signature.output);
    let body = match judge {
        Some(judge) => &judge.around_blocking(body),
        None => body,
    };
    let body = match capture_arguments(signature, body) {
        Some(captures) => match_in_braces(braces, &captures, quote_spanned!(span=> () => #body)),
        None => body.clone(),
    };
    let parameter = quote_spanned!(span=> #binding: #permit);
    let closure = quote_spanned!(body.span_open()=> move |#parameter| #output #body);
    // The call lies at the word `blocking`: an argument or a result that cannot go to another
    // thread is reported there.
    let at_blocking = span.located_at(blocking.span());
    let work = quote_spanned!(at_blocking=> __work);
    let private = runtime.located_at(at_blocking).private(at_blocking);
    let run = quote_spanned!(at_blocking=> #private::run(__permit, #work).await);
    let returned = if never_returns(&signature.output) {
        // After a call that never returns, a `return` would be unreachable.
        quote_spanned!(span=> #[allow(clippy::implicit_return)] { #run })
    } else {
        quote_spanned!(span=> return #run;)
    };
    braces_at(braces, quote_spanned!(span=> let __work = #closure; #returned))
}

fn never_returns(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, output) if matches!(**output, Type::Never(_)))
}

/// Makes the closure's return type. Without one the function returns `()`, and the closure says so.
fn closure_output(output: &ReturnType) -> TokenStream {
    struct ImplTraitSearch(bool);
    impl<'ast> Visit<'ast> for ImplTraitSearch {
        fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
            self.0 = true;
            visit::visit_type_impl_trait(self, opaque);
        }
    }
    let mut search = ImplTraitSearch(false);
    search.visit_return_type(output);
    match output {
        _ if search.0 => TokenStream::new(),
        ReturnType::Default => quote_spanned!(Span::mixed_site()=> -> ()),
        ReturnType::Type(..) => output.to_token_stream(),
    }
}

/// Makes a block that makes the closure capture whole arguments.
///
/// ```text
/// // before
/// fn f(self, config: Config, _directory: TempDir) { read(config.path) }
///
/// // after
/// { let _ = (&_directory, &config, &self,); }
/// ```
///
/// From edition 2021 on a closure captures no more of a variable than it uses. In the example it
/// would capture `config.path` alone. The rest of `config`, and `_directory`, would stay with the
/// caller, and be dropped under the work if the caller goes away.
///
/// The last argument comes first, because a closure drops its captures in the order in which it
/// captured them, and a function drops its arguments in the reverse order.
fn capture_arguments(signature: &Signature, body: &Group) -> Option<TokenStream> {
    let names = all_captured_names(signature, &body.stream());
    let names = names.iter().rev();
    let span = Span::mixed_site();
    (names.len() > 0).then(|| {
        quote_spanned!(span=> {
            // The lint means uses that the user writes.
            #[allow(clippy::used_underscore_binding)]
            let _ = (#(&#names,)*);
        })
    })
}

/// The output of [`run_on_pool`], taken apart.
pub(super) struct BlockingWork {
    /// `let __work = move |__permit: Permit| -> R`.
    closure: Vec<TokenTree>,
    body: Group,
    /// `; return run(__permit, __work).await;`.
    run: Vec<TokenTree>,
    span: Span,
}

impl BlockingWork {
    /// Takes the body apart, if [`run_on_pool`] has made it.
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

    /// Puts the parts together again, with the body that `change` returns.
    pub(super) fn map_body(self, change: impl FnOnce(&Group) -> Group) -> Group {
        let body = TokenTree::Group(change(&self.body));
        braces_at(self.span, self.closure.into_iter().chain([body]).chain(self.run).collect())
    }
}
