//! A function that is not `async` itself but ends with an `async` block.

use super::kind;
use proc_macro2::{Delimiter, Group, Ident};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Block, Error, Expr, ExprCall, Signature, Stmt};

/// A function's body whose last expression holds an `async` block.
pub(crate) struct TailBlock {
    statements: Vec<Stmt>,
    /// The body as the user wrote it.
    body: Group,
}

/// The error for a body that does not end with an `async` block, or ends with more than that.
pub(super) struct NoTail {
    pub(super) error: Error,
    /// `true` if the function returns a future all the same.
    pub(super) is_a_future: bool,
}

impl TailBlock {
    /// Reads the body, or says why it does not end with an `async` block.
    pub(super) fn find(signature: &Signature, body: &Group) -> std::result::Result<Self, NoTail> {
        let mut statements = Block::parse_within.parse2(body.stream()).map_err(|error| {
            let message = format!("cannot read the body to find the `async` block in it: {error}");
            NoTail { error: Error::new(error.span(), message), is_a_future: false }
        })?;
        match find_in_statements(&mut statements) {
            Ok(_) => Ok(Self { statements, body: body.clone() }),
            Err(NoBlock::HandedTo(method)) if !drives_future(&method) => {
                Err(NoTail { error: kind::goes_on_after_block(&method), is_a_future: true })
            }
            Err(_) => {
                let end = statements.last().map(|end| end as &dyn ToTokens);
                Err(NoTail { error: kind::not_async(signature, end), is_a_future: false })
            }
        }
    }

    /// Returns the body with the inside of the `async` block that `change` returns.
    ///
    /// ```text
    /// // before
    /// { statements; Box::pin(async move { inside }) }
    ///
    /// // after
    /// { statements; Box::pin(async move { changed }) }
    /// ```
    pub(crate) fn rewrite(mut self, change: impl FnOnce(Group) -> Group) -> Group {
        if let Ok(block) = find_in_statements(&mut self.statements) {
            let statements = &block.stmts;
            let mut inside = Group::new(Delimiter::Brace, quote!(#(#statements)*));
            inside.set_span(block.brace_token.span.join());
            let changed = change(inside).stream();
            block.stmts = vec![Stmt::Expr(Expr::Verbatim(changed), None)];
        }
        let statements = &self.statements;
        let mut body = Group::new(Delimiter::Brace, quote!(#(#statements)*));
        body.set_span(self.body.span());
        body
    }
}

type BlockResult<'a> = std::result::Result<&'a mut Block, NoBlock>;

/// The reason why there is no block.
enum NoBlock {
    /// The body ends with something else.
    Missing,
    /// The block is handed to this method, which may do more than the block does, or drives it.
    HandedTo(Ident),
}

/// Finds the block in `…; TAIL` and in `…; return TAIL;`.
fn find_in_statements(statements: &mut [Stmt]) -> BlockResult<'_> {
    match statements.last_mut() {
        Some(Stmt::Expr(Expr::Return(returned), _)) => match returned.expr.as_deref_mut() {
            Some(returned) => find_in_expression(returned),
            None => Err(NoBlock::Missing),
        },
        Some(Stmt::Expr(expression, None)) => find_in_expression(expression),
        _ => Err(NoBlock::Missing),
    }
}

/// Finds the block in an expression whose value is the block's future, perhaps wrapped.
fn find_in_expression(expression: &mut Expr) -> BlockResult<'_> {
    match expression {
        Expr::Async(block) => Ok(&mut block.block),
        Expr::Group(group) => find_in_expression(&mut group.expr),
        Expr::Paren(paren) => find_in_expression(&mut paren.expr),
        Expr::Cast(cast) => find_in_expression(&mut cast.expr),
        Expr::Block(block) if block.label.is_none() => find_in_statements(&mut block.block.stmts),
        Expr::Unsafe(block) => find_in_statements(&mut block.block.stmts),
        Expr::Call(call) => find_in_call(call),
        Expr::MethodCall(call) => {
            let block = find_in_expression(&mut call.receiver)?;
            if keeps_block_whole(&call.method) {
                return Ok(block);
            }
            Err(NoBlock::HandedTo(call.method.clone()))
        }
        _ => Err(NoBlock::Missing),
    }
}

/// Finds the block in `Box::pin(…)`, `Instrument::instrument(…, span)` and the like.
fn find_in_call(call: &mut ExprCall) -> BlockResult<'_> {
    let is_alone = call.args.len() == 1;
    let function = match &*call.func {
        Expr::Path(path) => path.path.segments.last().map(|function| &function.ident),
        _ => None,
    };
    let is_wrapper = function.is_some_and(|function| {
        is_alone && ["pin", "new", "from"].iter().any(|known| function == known)
            || keeps_block_whole(function)
    });
    match call.args.first_mut() {
        Some(first) if is_wrapper => find_in_expression(first),
        _ => Err(NoBlock::Missing),
    }
}

/// Returns whether the method's future does no more than the block does: nothing goes on after the
/// block, with or without its value, and nothing goes on beside it.
fn keeps_block_whole(method: &Ident) -> bool {
    KEEP_THE_BLOCK_WHOLE.iter().any(|(_, known)| known.iter().any(|known| method == known))
}

/// The methods that keep the block whole, by the crate that they come from.
const KEEP_THE_BLOCK_WHOLE: [(&str, &[&str]); 8] = [
    ("std", &["into_future"]),
    (
        "futures",
        &["boxed", "boxed_local", "catch_unwind", "fuse", "never_error", "shared", "unit_error"],
    ),
    ("tracing", &["in_current_span", "instrument", "with_current_subscriber", "with_subscriber"]),
    (
        "tokio-util",
        &["timeout", "timeout_at", "with_cancellation_token", "with_cancellation_token_owned"],
    ),
    ("async-compat", &["compat"]),
    ("opentelemetry", &["with_context", "with_current_context"]),
    ("fastrace", &["enter_on_poll", "in_span"]),
    ("sentry", &["bind_hub"]),
];

/// Returns whether the method runs the future to its end, as in `async { … }.block_on()`, so that
/// the function returns none.
fn drives_future(method: &Ident) -> bool {
    ["block_on", "now_or_never"].iter().any(|driver| method == driver)
}
