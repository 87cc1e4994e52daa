//! Names in an expression that the attribute puts into a `static`.

use super::Errors;
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Error, Expr, ExprBlock, ExprClosure, ExprGroup, ExprPath, FnArg, GenericParam, Pat, Path,
    Result, Signature, Type,
};

/// Refuses what the function knows and a `static` inside it does not. `what` is where the expression
/// stands.
pub(super) fn check(what: &str, expression: &Expr, function: &Signature) -> Result<()> {
    let mut arguments = Vec::new();
    for argument in &function.inputs {
        if let FnArg::Typed(argument) = argument {
            names_in(&argument.pat, &mut arguments);
        }
    }
    let mut search = Search { what, function, arguments, errors: Errors::default() };
    search.visit_expr(expression);
    search.errors.check()
}

/// Refuses a key that is an argument which is a reference: keys are kept beyond the call.
pub(super) fn check_owned(key: &Expr, function: &Signature) -> Result<()> {
    let Expr::Path(path) = key else { return Ok(()) };
    let Some(name) = path.path.get_ident() else { return Ok(()) };
    let borrowed = function.inputs.iter().any(|argument| {
        let FnArg::Typed(argument) = argument else { return false };
        let Pat::Ident(pattern) = &*argument.pat else { return false };
        let Type::Reference(reference) = &*argument.ty else { return false };
        let lives_on = reference.lifetime.as_ref().is_some_and(|of| of.ident == "static");
        pattern.ident == *name && !lives_on
    });
    if !borrowed {
        return Ok(());
    }
    let message = format!(
        "a key is owned, and `{name}` is a reference: write `key = {name}.to_owned()`, or what \
         of it tells callers apart, such as `key = {name}.id`"
    );
    Err(Error::new_spanned(key, message))
}

/// The names that an argument's pattern binds.
pub(crate) fn names_in(pattern: &Pat, names: &mut Vec<Ident>) {
    struct Names<'a>(&'a mut Vec<Ident>);
    impl<'ast> Visit<'ast> for Names<'_> {
        fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
            self.0.push(pattern.ident.clone());
            visit::visit_pat_ident(self, pattern);
        }
    }
    Names(names).visit_pat(pattern);
}

/// Looks for names that mean nothing in a `static`.
struct Search<'a> {
    /// Where, for messages.
    what: &'a str,
    function: &'a Signature,
    arguments: Vec<Ident>,
    errors: Errors,
}

impl<'ast> Visit<'ast> for Search<'_> {
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
        // A fragment of a `macro_rules!` macro was written elsewhere, where the same word may be
        // another name: an argument's name is hygienic, a generic parameter's is not.
        let arguments = std::mem::take(&mut self.arguments);
        visit::visit_expr_group(self, group);
        self.arguments = arguments;
    }

    fn visit_expr_block(&mut self, block: &'ast ExprBlock) {
        // A block may bind the same name itself.
        let arguments = std::mem::take(&mut self.arguments);
        visit::visit_expr_block(self, block);
        self.arguments = arguments;
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        // So may a closure.
        let arguments = std::mem::take(&mut self.arguments);
        visit::visit_expr_closure(self, closure);
        self.arguments = arguments;
    }
}

impl Search<'_> {
    fn refuse_generic(&mut self, name: &Ident) {
        if name == "Self" {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "{} cannot name `Self`: one limiter serves every type that the method is for; \
                     write the type's own name",
                    self.what
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
                    self.what
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
                    self.what
                ),
            ));
        } else if self.arguments.iter().any(|argument| argument.unraw() == name.unraw()) {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "{} cannot name the argument `{name}`: it is evaluated once, not for each \
                     call; write a number, a const or a call without arguments of its own",
                    self.what
                ),
            ));
        }
    }
}
