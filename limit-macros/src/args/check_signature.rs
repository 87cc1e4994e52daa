//! Checks of the arguments that need the function's signature.

use super::checked::{Args, Source};
use super::per_call::PerCall;
use crate::errors::Errors;
use crate::syntax::argument_names;
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Error, Expr, ExprBlock, ExprClosure, ExprGroup, ExprPath, FnArg, GenericParam, Pat, Path,
    Result, Signature, Type,
};

/// Refuses keys that are borrowed, and names that a `static` inside the function cannot use.
pub(crate) fn check(args: &Args, function: &Signature) -> Result<()> {
    let mut errors = Errors::default();
    for argument in &args.per_call {
        if let PerCall::Key(key) = argument {
            errors.take(check_owned(key, function));
        }
    }
    if let Source::Own(own) = &args.source {
        for (label, expression) in own.static_expressions() {
            errors.take(check_names(&label, expression, function));
        }
    }
    errors.check()
}

/// Refuses a key that is an argument of a reference type, because the limiter keeps keys beyond the
/// call. Only the compiler knows the type of other expressions.
fn check_owned(key: &Expr, function: &Signature) -> Result<()> {
    let Expr::Path(path) = key else { return Ok(()) };
    let Some(name) = path.path.get_ident() else { return Ok(()) };
    let is_borrowed = function.inputs.iter().any(|argument| {
        let FnArg::Typed(argument) = argument else { return false };
        let Pat::Ident(pattern) = &*argument.pat else { return false };
        let Type::Reference(reference) = &*argument.ty else { return false };
        let is_static =
            reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
        pattern.ident == *name && !is_static
    });
    if !is_borrowed {
        return Ok(());
    }
    let message = format!(
        "a key is owned, and `{name}` is a reference: write `key = {name}.to_owned()`, or what \
         of it tells callers apart, such as `key = {name}.id`"
    );
    Err(Error::new_spanned(key, message))
}

/// Refuses the names that the function knows and a `static` inside it does not.
///
/// ```text
/// // refused
/// #[concurrency_limit(count)]
/// async fn download<const N: usize>(count: usize) { … }
/// #[concurrency_limit(3, max_waiting = N)]
/// async fn download<const N: usize>(count: usize) { … }
/// ```
fn check_names(label: &str, expression: &Expr, function: &Signature) -> Result<()> {
    let arguments = argument_names(function);
    let mut visitor = StaticNames { label, function, arguments, errors: Errors::default() };
    visitor.visit_expr(expression);
    visitor.errors.check()
}

/// A search for names that mean nothing in a `static`.
struct StaticNames<'a> {
    /// The option or LIMIT, for messages.
    label: &'a str,
    function: &'a Signature,
    /// The arguments that a name here can mean.
    arguments: Vec<Ident>,
    errors: Errors,
}

impl<'ast> Visit<'ast> for StaticNames<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        let first = path.segments.first().filter(|_| path.leading_colon.is_none());
        if let Some(first) = first {
            self.refuse_generic(&first.ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let Some(name) = path.path.get_ident() {
            self.refuse_argument(name);
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_expr_group(&mut self, group: &'ast ExprGroup) {
        // A fragment of a `macro_rules!` macro may use the same word for another variable, because
        // the names of variables are hygienic. Those of generic parameters are not.
        self.without_arguments(|this| visit::visit_expr_group(this, group));
    }

    fn visit_expr_block(&mut self, block: &'ast ExprBlock) {
        // A block may bind the same name itself.
        self.without_arguments(|this| visit::visit_expr_block(this, block));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        // A closure may bind the same name itself.
        self.without_arguments(|this| visit::visit_expr_closure(this, closure));
    }
}

impl StaticNames<'_> {
    fn without_arguments(&mut self, visit: impl FnOnce(&mut Self)) {
        let arguments = std::mem::take(&mut self.arguments);
        visit(self);
        self.arguments = arguments;
    }

    fn refuse_generic(&mut self, name: &Ident) {
        if name == "Self" {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "{} cannot name `Self`: one limiter serves every type that the method is for; \
                     write the type's own name",
                    self.label
                ),
            ));
            return;
        }
        let parameter =
            self.function.generics.params.iter().find_map(|parameter| match parameter {
                GenericParam::Type(parameter) if parameter.ident == *name => Some("type"),
                GenericParam::Const(parameter) if parameter.ident == *name => Some("const"),
                _ => None,
            });
        if let Some(kind) = parameter {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "{} cannot name the {kind} parameter `{name}`: one limiter serves all \
                     instantiations of the function; write a number or a const",
                    self.label
                ),
            ));
        }
    }

    fn refuse_argument(&mut self, name: &Ident) {
        if name == "self" && self.function.receiver().is_some() {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "{} cannot name `self`: one limiter serves all calls; for a limiter in each \
                     value write `limiter = self.limiter`",
                    self.label
                ),
            ));
        } else if self.arguments.iter().any(|argument| argument.unraw() == name.unraw()) {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "{} cannot name the argument `{name}`: it is evaluated once, not for each \
                     call; write a number, a const or a call without arguments of its own",
                    self.label
                ),
            ));
        }
    }
}
