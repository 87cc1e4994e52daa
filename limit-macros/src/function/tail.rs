//! A function that is not `async` itself but ends with an `async` block.

use super::kind;
use proc_macro2::{Delimiter, Group, Ident};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Block, Error, Expr, ExprCall, Signature, Stmt};

/// A function's body, in whose last expression there is an `async` block.
pub(crate) struct TailBlock {
    statements: Vec<Stmt>,
    braces: Group,
}

/// That a body does not end with an `async` block, or with more than that.
pub(super) struct NoTail {
    pub(super) error: Error,
    /// Whether a future is returned all the same.
    pub(super) is_a_future: bool,
}

impl TailBlock {
    /// Reads the body, or says why it does not end with an `async` block.
    pub(super) fn find(signature: &Signature, body: &Group) -> std::result::Result<Self, NoTail> {
        let braces = body.clone();
        let mut statements = Block::parse_within.parse2(body.stream()).map_err(|error| {
            let message = format!("cannot read the body to find the `async` block in it: {error}");
            NoTail { error: Error::new(error.span(), message), is_a_future: false }
        })?;
        match in_statements(&mut statements) {
            Ok(_) => Ok(Self { statements, braces }),
            Err(NoBlock::Handed(method)) if !drives_a_future(&method) => {
                Err(NoTail { error: kind::goes_on(&method), is_a_future: true })
            }
            Err(_) => {
                let end = statements.last().map(|end| end as &dyn ToTokens);
                Err(NoTail { error: kind::not_async(signature, end), is_a_future: false })
            }
        }
    }

    /// The body again, the inside of the `async` block as `change` makes it.
    pub(crate) fn rewrite(mut self, change: impl FnOnce(Group) -> Group) -> Group {
        if let Ok(block) = in_statements(&mut self.statements) {
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

type Found<'a> = std::result::Result<&'a mut Block, NoBlock>;

/// Why there is no block.
enum NoBlock {
    /// The end is something else.
    None,
    /// It is handed to a method that may do more than the block does, or that drives it.
    Handed(Ident),
}

/// Finds the block in `…; TAIL` and in `…; return TAIL;`.
fn in_statements(statements: &mut [Stmt]) -> Found<'_> {
    match statements.last_mut() {
        Some(Stmt::Expr(Expr::Return(returned), _)) => match returned.expr.as_deref_mut() {
            Some(returned) => in_expression(returned),
            None => Err(NoBlock::None),
        },
        Some(Stmt::Expr(expression, None)) => in_expression(expression),
        _ => Err(NoBlock::None),
    }
}

/// Finds the block in an expression whose value is the block's future, perhaps wrapped.
fn in_expression(expression: &mut Expr) -> Found<'_> {
    match expression {
        Expr::Async(block) => Ok(&mut block.block),
        Expr::Group(group) => in_expression(&mut group.expr),
        Expr::Paren(paren) => in_expression(&mut paren.expr),
        Expr::Cast(cast) => in_expression(&mut cast.expr),
        Expr::Block(block) if block.label.is_none() => in_statements(&mut block.block.stmts),
        Expr::Unsafe(block) => in_statements(&mut block.block.stmts),
        Expr::Call(call) => in_call(call),
        Expr::MethodCall(call) => {
            let found = in_expression(&mut call.receiver)?;
            if keeps_the_block_whole(&call.method) {
                return Ok(found);
            }
            Err(NoBlock::Handed(call.method.clone()))
        }
        _ => Err(NoBlock::None),
    }
}

/// Finds the block in `Box::pin(…)`, `Instrument::instrument(…, span)` and the like.
fn in_call(call: &mut ExprCall) -> Found<'_> {
    let is_alone = call.args.len() == 1;
    let function = match &*call.func {
        Expr::Path(path) => path.path.segments.last().map(|function| &function.ident),
        _ => None,
    };
    let is_wrapper = function.is_some_and(|function| {
        is_alone && ["pin", "new", "from"].iter().any(|known| function == known)
            || keeps_the_block_whole(function)
    });
    match call.args.first_mut() {
        Some(first) if is_wrapper => in_expression(first),
        _ => Err(NoBlock::None),
    }
}

/// Whether all that the future does is what the block does: nothing goes on after it, with or without
/// its value, and nothing is done beside it.
fn keeps_the_block_whole(method: &Ident) -> bool {
    KEEP_THE_BLOCK_WHOLE.iter().any(|(_, known)| known.iter().any(|known| method == known))
}

/// By the crates that they come from.
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

/// `async { … }.block_on()`.
fn drives_a_future(method: &Ident) -> bool {
    ["block_on", "now_or_never"].iter().any(|driver| method == driver)
}
