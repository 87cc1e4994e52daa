//! Errors about borrowed arguments of a function that runs on the blocking pool.

use super::captures::captured_names;
use crate::errors::Errors;
use crate::syntax::collect_names;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Error, FnArg, Lifetime, ParenthesizedGenericArguments, Pat, Path, ReceiverKind, Result,
    Signature, Type, TypeFnPtr, TypeImplTrait, TypeParamBound, TypePath, TypeReference,
    TypeTraitObject, WherePredicate,
};

/// Refuses the arguments that go to the pool and are borrowed from the caller.
///
/// ```text
/// // refused
/// #[concurrency_limit(2, blocking)]
/// fn f(&self, text: &str, name: Cow<'_, str>, sink: Box<dyn Write + '_>) { … }
/// ```
pub(super) fn check(function: &Signature, body: &TokenStream) -> Result<()> {
    let mut errors = Errors::default();
    for argument in &function.inputs {
        let goes_to_pool =
            !captured_names(argument, body).is_empty() || is_formatted(argument, body);
        // A pattern may copy its parts, or name those alone that are not borrowed.
        let is_whole = match argument {
            FnArg::Receiver(_) => true,
            FnArg::Typed(argument) => matches!(&*argument.pat, Pat::Ident(_)),
        };
        let is_taken = goes_to_pool && is_whole;
        if let Some(tokens) = find_borrow(argument, function).filter(|_| is_taken) {
            errors.push(Error::new_spanned(tokens, message(argument)));
        }
    }
    errors.check()
}

/// Returns whether a macro in the body has a string that formats the argument, as
/// `println!("{text}")`. Other strings may have braces of their own.
fn is_formatted(argument: &FnArg, body: &TokenStream) -> bool {
    let FnArg::Typed(argument) = argument else { return false };
    let mut names = Vec::new();
    collect_names(&argument.pat, &mut names);
    names.iter().any(|name| is_in_format_string(name, body, false))
}

fn is_in_format_string(name: &Ident, tokens: &TokenStream, inside_macro: bool) -> bool {
    let mut after_bang = false;
    tokens.clone().into_iter().any(|token| {
        let is_macro = inside_macro || std::mem::replace(&mut after_bang, is_bang(&token));
        match token {
            TokenTree::Group(group) => is_in_format_string(name, &group.stream(), is_macro),
            TokenTree::Literal(literal) if inside_macro => {
                // Two braces stand for one.
                let text = literal.to_string().replace("{{", "");
                [format!("{{{name}}}"), format!("{{{name}:")].iter().any(|form| text.contains(form))
            }
            _ => false,
        }
    })
}

fn is_bang(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!')
}

fn message(argument: &FnArg) -> String {
    const REASON: &str = "with `blocking` the body runs on another thread and may outlive the \
         caller, so it cannot borrow";
    match argument {
        FnArg::Receiver(_) => format!(
            "{REASON} `self`: take it by value, `self` or `self: Arc<Self>`, or pass the body an \
             owned part of it"
        ),
        FnArg::Typed(argument) => {
            let name = match &*argument.pat {
                Pat::Ident(pattern) => Some(&pattern.ident),
                _ => None,
            };
            match (name, owned_type(&argument.ty)) {
                (Some(name), Some(owned)) => {
                    format!("{REASON} `{name}`: take an owned value, `{name}: {owned}`")
                }
                (name, _) => {
                    let name =
                        name.map_or(String::from("this argument"), |name| format!("`{name}`"));
                    format!(
                        "{REASON} {name}: take a value that owns its data (`'static`), or an `Arc` \
                         to share it"
                    )
                }
            }
        }
    }
}

/// Returns the owned type to write in place of a reference to a type with a short name.
fn owned_type(borrowed: &Type) -> Option<String> {
    let Type::Reference(reference) = borrowed else { return None };
    let named = |target: &Type| match target {
        Type::Path(path) if path.qself.is_none() => {
            let segments = &path.path.segments;
            let is_plain = segments.iter().all(|segment| segment.arguments.is_empty());
            let names: Vec<_> = segments.iter().map(|segment| segment.ident.to_string()).collect();
            (is_plain && path.path.leading_colon.is_none()).then(|| names.join("::"))
        }
        _ => None,
    };
    match &*reference.elem {
        Type::Slice(slice) => Some(format!("Vec<{}>", named(&slice.elem)?)),
        target => {
            let target = named(target)?;
            let owned = [
                ("str", "String"),
                ("Path", "PathBuf"),
                ("OsStr", "OsString"),
                ("CStr", "CString"),
            ];
            let known = owned.iter().find(|(of, _)| target.rsplit("::").next() == Some(of));
            // A primitive type is copied.
            let is_primitive = target.starts_with(|first: char| first.is_ascii_lowercase())
                && !target.contains("::");
            Some(match known {
                Some((_, owned)) => String::from(*owned),
                None if is_primitive || reference.mutability.is_some() || target == "String" => {
                    target
                }
                None => format!("Arc<{target}>"),
            })
        }
    }
}

/// Returns the tokens of the argument's borrowed type, if its form shows a borrow.
fn find_borrow(argument: &FnArg, function: &Signature) -> Option<TokenStream> {
    let mut search = BorrowSearch { function, is_borrowed: false };
    let tokens = match argument {
        FnArg::Typed(argument) => {
            search.visit_type(&argument.ty);
            argument.ty.to_token_stream()
        }
        FnArg::Receiver(receiver) => {
            match &receiver.kind {
                ReceiverKind::Reference(_, lifetime, _) => search.visit_borrow(lifetime.as_ref()),
                kind => search.visit_receiver_kind(kind),
            }
            receiver.to_token_stream()
        }
    };
    search.is_borrowed.then_some(tokens)
}

/// A search for a borrow that may end before the program does. It passes over every lifetime that
/// may be of no account, because a false error is worse than the compiler's own.
struct BorrowSearch<'a> {
    function: &'a Signature,
    is_borrowed: bool,
}

impl<'ast> Visit<'ast> for BorrowSearch<'_> {
    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        self.visit_borrow(Some(lifetime));
    }

    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.visit_borrow(reference.lifetime.as_ref());
        self.visit_type(&reference.elem);
    }

    fn visit_type_path(&mut self, path: &'ast TypePath) {
        // The type behind `T::Item<'a>` may be any, and the function does not know all of its
        // generic parameters: some are those of an `impl` block.
        let is_projection =
            path.qself.is_some() || path.path.segments.len() > 1 && starts_at_type(&path.path);
        if !is_projection {
            visit::visit_type_path(self, path);
        }
    }

    fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
        if !opaque.bounds.iter().any(is_static_bound) {
            opaque.bounds.iter().for_each(|bound| self.visit_outlives(bound));
        }
    }

    fn visit_type_trait_object(&mut self, object: &'ast TypeTraitObject) {
        object.bounds.iter().for_each(|bound| self.visit_outlives(bound));
    }

    // The arguments of a function are no part of it: `fn(&str)`, `Fn(&str)`.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

impl BorrowSearch<'_> {
    /// Looks at the lifetime of a reference, which may be left out.
    fn visit_borrow(&mut self, lifetime: Option<&Lifetime>) {
        self.is_borrowed |= !lifetime.is_some_and(|lifetime| self.is_static(lifetime));
    }

    /// Looks at a bound such as `'a` in `dyn Write + 'a`. The traits' own arguments are left to the
    /// compiler.
    fn visit_outlives(&mut self, bound: &TypeParamBound) {
        if let TypeParamBound::Lifetime(lifetime) = bound {
            self.visit_borrow(Some(lifetime));
        }
    }

    /// Returns whether the lifetime is `'static` or may be: that of an `impl` block, and one that
    /// outlives others, can have a bound elsewhere.
    fn is_static(&self, lifetime: &Lifetime) -> bool {
        let generics = &self.function.generics;
        let declared = generics.lifetimes().find(|declared| declared.lifetime == *lifetime);
        let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let mut constrained = predicates.filter_map(|predicate| match predicate {
            WherePredicate::Lifetime(predicate) => Some(&predicate.lifetime),
            _ => None,
        });
        let is_unbounded = lifetime.ident == "_"
            || declared.is_some_and(|declared| declared.bounds.is_empty())
                && !constrained.any(|constrained| constrained == lifetime);
        !is_unbounded
    }
}

fn starts_at_type(path: &Path) -> bool {
    let first = path.segments.first().filter(|_| path.leading_colon.is_none());
    first.is_some_and(|first| first.ident.to_string().starts_with(char::is_uppercase))
}

fn is_static_bound(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static")
}
