//! The type of what the body gives.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit::{self, Visit};
use syn::{
    AssocType, GenericArgument, PathArguments, ReturnType, Signature, Type, TypeImplTrait, TypePath,
};

/// Returns the type of the body's output, with `_` in place of each `impl Trait` and `'_` in place of each of the
/// function's lifetimes. Returns `None` if the
/// signature does not say it.
///
/// ```text
/// // before
/// async fn f<'a>(text: &'a str) -> Result<impl Iterator, Error<'a>>
/// fn f() -> Pin<Box<dyn Future<Output = Result<u8, Error>> + Send>>, with `returns_future`
///
/// // after
/// Result<_, Error<'_>>
/// Result<u8, Error>
/// ```
pub(crate) fn body_output(signature: &Signature, returns_future: bool) -> Option<Type> {
    let mut output = match (&signature.output, returns_future) {
        (ReturnType::Type(_, output), false) => (**output).clone(),
        (ReturnType::Type(_, output), true) => output_of_future(output)?,
        (ReturnType::Default, false) => Type::Verbatim(quote!(())),
        (ReturnType::Default, true) => return None,
    };
    infer_impl_trait(&mut output);
    let mut search = ImplTraitSearch(false);
    search.visit_type(&output);
    let lifetimes: Vec<_> =
        signature.generics.lifetimes().map(|declared| &declared.lifetime.ident).collect();
    let tokens = infer_lifetimes(output.to_token_stream(), &lifetimes);
    (!search.0).then_some(Type::Verbatim(tokens))
}

/// Returns whether the signature says that the function never returns.
pub(crate) fn never_returns(signature: &Signature, returns_future: bool) -> bool {
    let output = match &signature.output {
        ReturnType::Type(_, output) if returns_future => output_of_future(output),
        ReturnType::Type(_, output) => Some((**output).clone()),
        ReturnType::Default => None,
    };
    matches!(output, Some(Type::Never(_)))
}

/// Finds the output in `impl Future<Output = T>`, `Pin<Box<dyn Future<Output = T>>>` and
/// `BoxFuture<'a, T>`.
fn output_of_future(future: &Type) -> Option<Type> {
    #[derive(Default)]
    struct OutputSearch(Option<Type>);
    impl<'ast> Visit<'ast> for OutputSearch {
        fn visit_assoc_type(&mut self, assigned: &'ast AssocType) {
            if self.0.is_none() && assigned.ident == "Output" {
                self.0 = Some(assigned.ty.clone());
            }
        }

        fn visit_type_path(&mut self, path: &'ast TypePath) {
            let last = path.path.segments.last();
            let is_alias = last.is_some_and(|last| {
                ["BoxFuture", "LocalBoxFuture"].iter().any(|known| last.ident == known)
            });
            match last.map(|last| &last.arguments) {
                Some(PathArguments::AngleBracketed(arguments)) if is_alias => {
                    if let (None, Some(GenericArgument::Type(output))) =
                        (&self.0, arguments.args.last())
                    {
                        self.0 = Some(output.clone());
                    }
                }
                _ => visit::visit_type_path(self, path),
            }
        }
    }
    let mut search = OutputSearch::default();
    search.visit_type(future);
    search.0
}

/// Puts `_` in place of each `impl Trait`, because the type stands where one cannot be named. Those inside a
/// `dyn Trait` stay.
fn infer_impl_trait(output: &mut Type) {
    match output {
        Type::ImplTrait(_) => *output = Type::Verbatim(quote!(_)),
        Type::Array(array) => infer_impl_trait(&mut array.elem),
        Type::Group(group) => infer_impl_trait(&mut group.elem),
        Type::Paren(paren) => infer_impl_trait(&mut paren.elem),
        Type::Reference(reference) => infer_impl_trait(&mut reference.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(infer_impl_trait),
        Type::Path(path) => {
            for segment in &mut path.path.segments {
                if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                    for argument in &mut arguments.args {
                        if let GenericArgument::Type(argument) = argument {
                            infer_impl_trait(argument);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

/// Puts `'_` in place of these lifetimes, because a lint takes one that the body names for one that it needs.
fn infer_lifetimes(tokens: TokenStream, lifetimes: &[&Ident]) -> TokenStream {
    let mut is_lifetime = false;
    let inferred = tokens.into_iter().map(|token| {
        let after_quote = std::mem::replace(
            &mut is_lifetime,
            matches!(&token, TokenTree::Punct(quote) if quote.as_char() == '\''),
        );
        match token {
            TokenTree::Ident(name) if after_quote && lifetimes.contains(&&name) => {
                TokenTree::Ident(Ident::new("_", name.span()))
            }
            TokenTree::Group(group) => {
                let inside = infer_lifetimes(group.stream(), lifetimes);
                let mut inferred = Group::new(group.delimiter(), inside);
                inferred.set_span(group.span());
                TokenTree::Group(inferred)
            }
            token => token,
        }
    });
    inferred.collect()
}

struct ImplTraitSearch(bool);

impl<'ast> Visit<'ast> for ImplTraitSearch {
    fn visit_type_impl_trait(&mut self, _: &'ast TypeImplTrait) {
        self.0 = true;
    }
}
