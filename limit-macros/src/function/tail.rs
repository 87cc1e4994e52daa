//! A function that is not `async` itself but ends with an `async` block.

use super::kind;
use proc_macro2::{Delimiter, Group};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Block, Error, Expr, ExprCall, ExprMethodCall, Result, Signature, Stmt};

/// A function's body, in whose last expression there is an `async` block.
pub(crate) struct TailBlock {
    statements: Vec<Stmt>,
    braces: Group,
}

impl TailBlock {
    /// Reads the body, or says that it does not end with an `async` block.
    pub(super) fn find(signature: &Signature, body: &Group) -> Result<Self> {
        let braces = body.clone();
        let mut statements = Block::parse_within.parse2(body.stream()).map_err(|error| {
            let message = format!("cannot read the body to find the `async` block in it: {error}");
            Error::new(error.span(), message)
        })?;
        if in_statements(&mut statements).is_none() {
            let end = statements.last().map(|end| end as &dyn ToTokens);
            return Err(kind::not_async(signature, end));
        }
        Ok(Self { statements, braces })
    }

    /// The body again, the inside of the `async` block as `change` makes it.
    pub(crate) fn rewrite(mut self, change: impl FnOnce(Group) -> Group) -> Group {
        if let Some(block) = in_statements(&mut self.statements) {
            let statements = &block.stmts;
            let mut inside = Group::new(Delimiter::Brace, quote!(#(#statements)*));
            inside.set_span(block.brace_token.span.join());
            let changed = change(inside).stream();
            block.stmts = vec![Stmt::Expr(Expr::Verbatim(changed), None)];
        }
        let statements = &self.statements;
        let mut body = Group::new(Delimiter::Brace, quote!(#(#statements)*));
        body.set_span(self.braces.span());
        body
    }
}

/// Finds the block in `…; TAIL` and in `…; return TAIL;`.
fn in_statements(statements: &mut [Stmt]) -> Option<&mut Block> {
    match statements.last_mut()? {
        Stmt::Expr(Expr::Return(returned), _) => in_expression(returned.expr.as_deref_mut()?),
        Stmt::Expr(expression, None) => in_expression(expression),
        _ => None,
    }
}

/// Finds the block in an expression whose value is the block's future, perhaps wrapped.
fn in_expression(expression: &mut Expr) -> Option<&mut Block> {
    match expression {
        Expr::Async(block) => Some(&mut block.block),
        Expr::Group(group) => in_expression(&mut group.expr),
        Expr::Paren(paren) => in_expression(&mut paren.expr),
        Expr::Cast(cast) => in_expression(&mut cast.expr),
        Expr::Block(block) if block.label.is_none() => in_statements(&mut block.block.stmts),
        Expr::Unsafe(block) => in_statements(&mut block.block.stmts),
        Expr::Call(call) if wraps_a_future(call) => in_expression(call.args.first_mut()?),
        Expr::MethodCall(call) if !drives_a_future(call) => in_expression(&mut call.receiver),
        _ => None,
    }
}

/// `Box::pin(…)`, `Box::new(…)`, `Pin::from(…)`, `Instrument::instrument(…, span)`.
fn wraps_a_future(call: &ExprCall) -> bool {
    let Expr::Path(path) = &*call.func else {
        return false;
    };
    let function = path.path.segments.last();
    function.is_some_and(|function| {
        ["pin", "new", "from", "boxed", "instrument"].iter().any(|known| function.ident == known)
    })
}

/// `async { … }.block_on()`, unlike `.boxed()`, `.instrument(span)` and the like.
fn drives_a_future(call: &ExprMethodCall) -> bool {
    ["block_on", "now_or_never"].iter().any(|driver| call.method == driver)
}
