//! The value of `limiter`: an expression that gives an existing limiter.

use crate::syntax::strip_parens;
use proc_macro2::Ident;
use syn::{Block, Error, Expr, ExprCall, Item, Member, Pat, Path, Result, Stmt, Type};

/// Returns the value, or an error if its form alone shows that it makes a limiter.
///
/// ```text
/// // refused
/// Limiter::new("database", 10).max_waiting(5)
/// Arc::new(Limiter::new("database", 10))
/// { let limiter = Limiter::new("database", 10); limiter }
/// ```
pub(in crate::args) fn read(limiter: Expr) -> Result<Expr> {
    if let Some(made) = MadeLimiter::default().find(&limiter) {
        return Err(Error::new_spanned(
            made,
            "this makes a new limiter for each call, which limits nothing: keep one in a \
             `static LIMITER: Limiter = …`, or in a field, and write `limiter = LIMITER`",
        ));
    }
    Ok(limiter)
}

/// A search for the expression that makes a limiter.
#[derive(Clone, Default)]
struct MadeLimiter<'a> {
    /// The variables of the blocks around, with their values.
    variables: Vec<(&'a Ident, &'a Expr)>,
    /// The constants of type `Limiter` in the blocks around.
    constants: Vec<&'a Ident>,
}

impl<'a> MadeLimiter<'a> {
    /// Finds the part of `expression` that makes the limiter which is its value.
    fn find(&self, expression: &'a Expr) -> Option<&'a Expr> {
        let expression = strip_parens(expression);
        match expression {
            Expr::Call(call) => match classify_constructor(call)? {
                Constructor::Limiter => Some(expression),
                Constructor::Pointer => self.find(call.args.first()?),
            },
            // A setter takes the limiter and returns it. Any other method has nothing but the
            // limiter that was made for it.
            Expr::MethodCall(call) => self.find(&call.receiver).map(|_| expression),
            Expr::Reference(reference) => self.find(&reference.expr),
            Expr::Unary(unary) => self.find(&unary.expr),
            Expr::Block(block) => self.find_in_block(&block.block),
            Expr::Unsafe(block) => self.find_in_block(&block.block),
            Expr::If(branch) => self
                .find_in_block(&branch.then_branch)
                .or_else(|| self.find(&branch.else_branch.as_ref()?.1)),
            Expr::Match(choice) => choice.arms.iter().find_map(|arm| self.find(&arm.body)),
            Expr::Field(field) => self.find_in_field(&field.base, &field.member),
            Expr::Index(index) => match strip_parens(&index.expr) {
                Expr::Array(array) => array.elems.iter().find_map(|element| self.find(element)),
                _ => None,
            },
            Expr::Path(path) => {
                let name = path.path.get_ident()?;
                if self.constants.contains(&name) {
                    return Some(expression);
                }
                let index = self.variables.iter().rposition(|(variable, _)| *variable == name)?;
                // The value of a variable sees only the variables before it. One of those may have
                // the same name.
                let variables = self.variables[..index].to_vec();
                Self { variables, ..self.clone() }.find(self.variables[index].1)
            }
            _ => None,
        }
    }

    /// Finds the expression in the value of a block.
    fn find_in_block(&self, block: &'a Block) -> Option<&'a Expr> {
        let mut inside = self.clone();
        for statement in &block.stmts {
            match statement {
                Stmt::Local(local) => {
                    if let (Some(name), Some(init)) = (variable_name(&local.pat), &local.init) {
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
            Some(Stmt::Expr(end, None)) => inside.find(end),
            _ => None,
        }
    }

    /// Finds the expression in one field of a struct or tuple that is written out.
    fn find_in_field(&self, whole: &'a Expr, field: &Member) -> Option<&'a Expr> {
        match (strip_parens(whole), field) {
            (Expr::Struct(literal), member) => {
                let field = literal.fields.iter().find(|field| field.member == *member)?;
                self.find(&field.expr)
            }
            (Expr::Tuple(tuple), Member::Unnamed(index)) => {
                self.find(tuple.elems.iter().nth(usize::try_from(index.index).ok()?)?)
            }
            _ => None,
        }
    }
}

/// The result of a call to an associated function.
enum Constructor {
    /// The call makes a limiter.
    Limiter,
    /// The call puts its argument behind a pointer, as `Box::new` does.
    Pointer,
}

fn classify_constructor(call: &ExprCall) -> Option<Constructor> {
    let Expr::Path(function) = strip_parens(&call.func) else {
        return None;
    };
    if function.qself.as_ref().is_some_and(|qself| is_limiter(&qself.ty)) {
        return Some(Constructor::Limiter);
    }
    let self_type = &function.path.segments.iter().rev().nth(1)?.ident;
    if is_limiter_name(self_type) {
        return Some(Constructor::Limiter);
    }
    let is_pointer = ["Arc", "Box", "Pin", "Rc"].iter().any(|known| self_type == known);
    (is_pointer && call.args.len() == 1).then_some(Constructor::Pointer)
}

/// Returns the name of the variable, if the pattern is one name.
fn variable_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(pattern) => Some(&pattern.ident),
        Pat::Type(typed) => variable_name(&typed.pat),
        _ => None,
    }
}

fn is_limiter(declared: &Type) -> bool {
    matches!(declared, Type::Path(path) if ends_in_limiter(&path.path))
}

fn ends_in_limiter(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| is_limiter_name(&last.ident))
}

fn is_limiter_name(name: &Ident) -> bool {
    ["Limiter", "KeyedLimiter"].iter().any(|known| name == known)
}
