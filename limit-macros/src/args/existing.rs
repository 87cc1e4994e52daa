//! `limiter = EXPR`: a limiter that exists already, which must outlive the call.

use super::bare;
use super::names::names_in;
use proc_macro2::Ident;
use syn::{
    Block, Error, Expr, ExprCall, ExprPath, FnArg, Item, Member, Pat, Path, Result, Signature,
    Stmt, Type,
};

/// Refuses an expression that can be seen to make a limiter.
pub(super) fn check(limiter: &Expr) -> Result<()> {
    match Search::default().made_in(limiter) {
        None => Ok(()),
        Some(made) => Err(Error::new_spanned(
            made,
            "this makes a new limiter for each call, which limits nothing: keep one in a \
             `static LIMITER: Limiter = …`, or in a field, and write `limiter = LIMITER`",
        )),
    }
}

/// Looks through what only borrows: the limiter is borrowed anyhow.
pub(crate) fn behind_references(mut limiter: &Expr) -> &Expr {
    loop {
        limiter = match bare(limiter) {
            Expr::Reference(reference) if reference.mutability.is_none() => &reference.expr,
            limiter => return limiter,
        };
    }
}

/// How long the limiter lives, as far as the expression's form tells.
pub(crate) enum Lives {
    /// It is a path to an item, or a part of one: in a `static` for ever, in a `const` as long as the
    /// call.
    InAnItem,
    /// It is a place: a variable, a field.
    InAPlace,
    /// It is a value: a reference to a limiter, or a limiter that goes with the call.
    AsAValue,
}

impl Lives {
    /// `function` knows which names are arguments.
    pub(crate) fn of(limiter: &Expr, function: &Signature) -> Self {
        match behind_references(limiter) {
            Expr::Path(path) if is_item(path, function) => Self::InAnItem,
            // What a macro stands for is not known, nor who else is to change what is borrowed for it.
            Expr::Path(_) | Expr::Macro(_) | Expr::Reference(_) => Self::InAPlace,
            // A part of a value may well be a place, behind the reference that the value is.
            Expr::Field(field) => Self::of_part(&field.base, function),
            Expr::Index(index) => Self::of_part(&index.expr, function),
            Expr::Unary(unary) => Self::of_part(&unary.expr, function),
            _ => Self::AsAValue,
        }
    }

    fn of_part(whole: &Expr, function: &Signature) -> Self {
        match Self::of(whole, function) {
            Self::InAnItem => Self::InAnItem,
            Self::InAPlace | Self::AsAValue => Self::InAPlace,
        }
    }
}

/// Whether a path can only be that of a `static` or a `const`.
fn is_item(path: &ExprPath, function: &Signature) -> bool {
    let Some(name) = path.path.get_ident().filter(|_| path.qself.is_none()) else {
        return true;
    };
    let mut arguments = Vec::new();
    for argument in &function.inputs {
        if let FnArg::Typed(argument) = argument {
            names_in(&argument.pat, &mut arguments);
        }
    }
    // A variable before an `async` block is written small.
    let is_written_large = !name.to_string().contains(char::is_lowercase);
    is_written_large && !arguments.contains(name)
}

/// Looks for the expression that makes a limiter.
#[derive(Clone, Default)]
struct Search<'a> {
    /// Variables of the blocks around, and what they are.
    variables: Vec<(&'a Ident, &'a Expr)>,
    /// Constants of the blocks around.
    constants: Vec<&'a Ident>,
}

impl<'a> Search<'a> {
    /// What makes the limiter that the expression gives.
    fn made_in(&self, expression: &'a Expr) -> Option<&'a Expr> {
        let expression = bare(expression);
        match expression {
            Expr::Call(call) => match constructor(call)? {
                Constructor::OfALimiter => Some(expression),
                Constructor::Around => self.made_in(call.args.first()?),
            },
            // A setter; whatever else it is, all it has is the limiter that was made.
            Expr::MethodCall(call) => self.made_in(&call.receiver).map(|_| expression),
            Expr::Reference(reference) => self.made_in(&reference.expr),
            Expr::Unary(unary) => self.made_in(&unary.expr),
            Expr::Block(block) => self.made_in_block(&block.block),
            Expr::Unsafe(block) => self.made_in_block(&block.block),
            Expr::If(branch) => self
                .made_in_block(&branch.then_branch)
                .or_else(|| self.made_in(&branch.else_branch.as_ref()?.1)),
            Expr::Match(choice) => choice.arms.iter().find_map(|arm| self.made_in(&arm.body)),
            Expr::Field(field) => self.made_in_part(&field.base, &field.member),
            Expr::Index(index) => match bare(&index.expr) {
                Expr::Array(array) => array.elems.iter().find_map(|element| self.made_in(element)),
                _ => None,
            },
            Expr::Path(path) => {
                let name = path.path.get_ident()?;
                if self.constants.contains(&name) {
                    return Some(expression);
                }
                let place = self.variables.iter().rposition(|(of, _)| *of == name)?;
                // What it is knows only the variables before it, of which one may have its name.
                let variables = self.variables[..place].to_vec();
                Self { variables, ..self.clone() }.made_in(self.variables[place].1)
            }
            _ => None,
        }
    }

    fn made_in_block(&self, block: &'a Block) -> Option<&'a Expr> {
        let mut inside = self.clone();
        for statement in &block.stmts {
            match statement {
                Stmt::Local(local) => {
                    if let (Some(name), Some(init)) = (variable(&local.pat), &local.init) {
                        inside.variables.push((name, &init.expr));
                    }
                }
                Stmt::Item(Item::Const(item)) if is_limiter(&item.ty) => {
                    inside.constants.push(&item.ident);
                }
                _ => {}
            }
        }
        match block.stmts.last() {
            Some(Stmt::Expr(end, None)) => inside.made_in(end),
            _ => None,
        }
    }

    /// In the part of a value that is written out.
    fn made_in_part(&self, whole: &'a Expr, part: &Member) -> Option<&'a Expr> {
        match (bare(whole), part) {
            (Expr::Struct(literal), part) => {
                let field = literal.fields.iter().find(|field| field.member == *part)?;
                self.made_in(&field.expr)
            }
            (Expr::Tuple(tuple), Member::Unnamed(index)) => {
                self.made_in(tuple.elems.iter().nth(usize::try_from(index.index).ok()?)?)
            }
            _ => None,
        }
    }
}

/// What a call to an associated function makes.
enum Constructor {
    OfALimiter,
    /// `Box::new` and the like: what its argument is.
    Around,
}

fn constructor(call: &ExprCall) -> Option<Constructor> {
    let Expr::Path(function) = bare(&call.func) else {
        return None;
    };
    if function.qself.as_ref().is_some_and(|of| is_limiter(&of.ty)) {
        return Some(Constructor::OfALimiter);
    }
    let type_of = function.path.segments.iter().rev().nth(1)?;
    if is_name_of_a_limiter(&type_of.ident) {
        return Some(Constructor::OfALimiter);
    }
    let is_around = ["Arc", "Box", "Pin", "Rc"].iter().any(|known| type_of.ident == known);
    (is_around && call.args.len() == 1).then_some(Constructor::Around)
}

fn variable(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(pattern) => Some(&pattern.ident),
        Pat::Type(typed) => variable(&typed.pat),
        _ => None,
    }
}

fn is_limiter(of: &Type) -> bool {
    matches!(of, Type::Path(path) if last_is_a_limiter(&path.path))
}

fn last_is_a_limiter(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| is_name_of_a_limiter(&last.ident))
}

fn is_name_of_a_limiter(name: &Ident) -> bool {
    ["Limiter", "KeyedLimiter"].iter().any(|known| name == known)
}
