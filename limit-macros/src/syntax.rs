//! Questions about the user's syntax that every layer asks.

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Expr, FnArg, Pat, PatIdent, Signature};

/// Strips parentheses, and the invisible groups that `macro_rules!` puts around fragments.
pub(crate) fn strip_parens(mut value: &Expr) -> &Expr {
    loop {
        value = match value {
            Expr::Group(group) if group.attrs.is_empty() => &group.expr,
            Expr::Paren(paren) if paren.attrs.is_empty() => &paren.expr,
            value => return value,
        };
    }
}

/// Returns the names that the function's arguments bind, without `self`.
pub(crate) fn argument_names(function: &Signature) -> Vec<Ident> {
    let mut names = Vec::new();
    for argument in &function.inputs {
        if let FnArg::Typed(argument) = argument {
            collect_names(&argument.pat, &mut names);
        }
    }
    names
}

/// Adds the names that `pattern` binds to `names`.
pub(crate) fn collect_names(pattern: &Pat, names: &mut Vec<Ident>) {
    struct BoundNames<'a>(&'a mut Vec<Ident>);
    impl<'ast> Visit<'ast> for BoundNames<'_> {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.0.push(pattern.ident.clone());
            visit::visit_pat_ident(self, pattern);
        }
    }
    BoundNames(names).visit_pat(pattern);
}
