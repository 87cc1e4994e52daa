//! LIMIT: what can be known about it without knowing types.

use super::Errors;
use super::options::bare;
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Error, Expr, ExprBlock, ExprClosure, ExprGroup, ExprLit, ExprPath, FnArg, GenericParam, Lit,
    LitInt, Pat, Path, Result, Signature, UnOp,
};

/// How many permits there are.
pub(crate) enum Limit {
    /// A number from 1 up.
    Literal(LitInt),
    /// Anything of type `usize` that a `static` can name, evaluated on first use.
    Expression(Expr),
}

impl Limit {
    /// Refuses what can be seen not to be a limit.
    pub(super) fn new(value: &Expr) -> Result<Self> {
        let problem = match bare(value) {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
                return literal(number).map(Self::Literal);
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                "a limit is not negative: write a number from 1 up"
            }
            Expr::Lit(ExprLit { lit, .. }) => match lit {
                Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_) => {
                    "a limit is a number, not a string: write it without quotes; for the \
                     limiter's name write `name = \"…\"`"
                }
                Lit::Float(_) => "a limit is a whole number: write `3`, not `3.0`",
                Lit::Bool(_) => "a limit is a number, not a `bool`: write a number from 1 up",
                _ => "a limit is a number, not a character: write a number from 1 up",
            },
            Expr::Tuple(tuple) if tuple.elems.is_empty() => {
                "a limit is a number, not `()`: write a number from 1 up"
            }
            Expr::Tuple(_) | Expr::Array(_) | Expr::Repeat(_) | Expr::Range(_) => {
                "a limit is a single number: write a number from 1 up"
            }
            Expr::Reference(_) => "a limit is a `usize`, not a reference: leave out the `&`",
            Expr::Closure(_) => {
                "a limit is a number, not a closure: write the expression alone, it is evaluated \
                 on first use"
            }
            Expr::Async(_) | Expr::Await(_) => {
                "a limit is known without waiting: write an expression of type `usize`"
            }
            Expr::Infer(_) => "a limit is a number: write a number from 1 up",
            _ => return Ok(Self::Expression(value.clone())),
        };
        Err(Error::new_spanned(bare(value), problem))
    }

    /// Refuses what the function knows and a `static` inside it does not.
    pub(crate) fn check(&self, function: &Signature) -> Result<()> {
        let Self::Expression(limit) = self else {
            return Ok(());
        };
        let mut arguments = Vec::new();
        for argument in &function.inputs {
            if let FnArg::Typed(argument) = argument {
                names_in(&argument.pat, &mut arguments);
            }
        }
        let mut search = Search { function, arguments, errors: Errors::default() };
        search.visit_expr(limit);
        search.errors.check()
    }
}

fn literal(number: &LitInt) -> Result<LitInt> {
    let refuse = |message: String| Err(Error::new_spanned(number, message));
    if !matches!(number.suffix(), "" | "usize") {
        return refuse(format!(
            "a limit is a `usize`, not `{}`: write `{}`",
            number.suffix(),
            number.base10_digits()
        ));
    }
    match number.base10_parse::<usize>() {
        Ok(0) => refuse(String::from(
            "a limit of 0 would let no call in, ever: write a number from 1 up; to pause a \
             limiter while running, call its `set_limit(0)`",
        )),
        // A 32-bit target's compiler is to see it, and to complain.
        Ok(value) if u32::try_from(value).is_err() => Ok(number.clone()),
        Ok(value) => {
            // A token of ours: the digits of an attribute are not for lints about literals.
            let span = number.span().resolved_at(Span::mixed_site());
            Ok(LitInt::new(&format!("{value}usize"), span))
        }
        Err(_) => refuse(format!("this limit is too large: the largest is {}", usize::MAX)),
    }
}

/// The names that an argument's pattern binds.
fn names_in(pattern: &Pat, names: &mut Vec<Ident>) {
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
                "a limit cannot name `Self`: one limiter serves every type that the method is \
                 for; write the type's own name",
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
                    "a limit cannot name the {kind} parameter `{name}`: one limiter serves all \
                     instantiations of the function; write a number or a const",
                ),
            ));
        }
    }

    fn refuse_argument(&mut self, name: &Ident) {
        if name == "self" && self.function.receiver().is_some() {
            self.errors.push(Error::new_spanned(
                name,
                "a limit cannot name `self`: one limiter serves all calls; for a limiter in each \
                 value write `limiter = self.limiter`",
            ));
        } else if self.arguments.iter().any(|argument| argument.unraw() == name.unraw()) {
            self.errors.push(Error::new_spanned(
                name,
                format!(
                    "a limit cannot name the argument `{name}`: it is evaluated once, not for \
                     each call; write a number, a const or a call without arguments of its own",
                ),
            ));
        }
    }
}
