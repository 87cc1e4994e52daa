//! Values that are words: one of a few, a name, a path, `true` and `false`.

use super::count::CountRule;
use crate::syntax::strip_parens;
use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, Path, Result};

/// The value of `scope`.
#[derive(Clone, Copy)]
pub(crate) enum ScopeArg {
    Runtime,
    Process,
    /// With the place of the word.
    Fleet(Span),
}

/// The value of `on_unavailable`.
pub(crate) enum OnUnavailableArg {
    Wait,
    Refuse,
    /// `local(k)`, with the number.
    Local(Expr),
}

/// The value of `on_lease_lost`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnLeaseLostArg {
    Finish,
    Cancel,
}

/// The value of `on_deadlock`.
#[derive(Clone, Copy)]
pub(crate) enum OnDeadlockArg {
    Warn,
    Refuse,
}

/// The value of `order`.
#[derive(Clone, Copy)]
pub(crate) enum OrderArg {
    Fifo,
    Lifo,
    Deadline,
}

/// The value of `favor`.
#[derive(Clone, Copy)]
pub(crate) enum FavorArg {
    Latency,
    Throughput,
}

/// Reads `runtime`, `process` or `fleet`.
pub(in crate::args) fn read_scope(value: &Expr) -> Result<ScopeArg> {
    let fleet = ScopeArg::Fleet(value.span());
    let scopes = [("runtime", ScopeArg::Runtime), ("process", ScopeArg::Process), ("fleet", fleet)];
    read_word(
        value,
        scopes,
        "a scope is written `scope = runtime`, `scope = process` or `scope = fleet`",
    )
}

/// Reads `wait`, `refuse` or `local(k)`.
pub(in crate::args) fn read_on_unavailable(option: &str, value: &Expr) -> Result<OnUnavailableArg> {
    if let Expr::Call(call) = strip_parens(value) {
        let is_local = matches!(&*call.func, Expr::Path(path) if path.path.is_ident("local"));
        if let (true, Some(permits), 1) = (is_local, call.args.first(), call.args.len()) {
            let zero = "`local(0)` lets no call in: write `on_unavailable = refuse` or \
                        `on_unavailable = wait`";
            let permits = CountRule::U32_ONCE.without_zero(zero).read(option, permits)?;
            return Ok(OnUnavailableArg::Local(permits));
        }
    }
    let words = [("wait", false), ("refuse", true)];
    let expected = "it is written `on_unavailable = wait`, `on_unavailable = refuse`, or \
                    `on_unavailable = local(2)` with a number of permits";
    let refuses = read_word(value, words, expected)?;
    Ok(if refuses { OnUnavailableArg::Refuse } else { OnUnavailableArg::Wait })
}

/// Reads `finish` or `cancel`.
pub(in crate::args) fn read_on_lease_lost(value: &Expr) -> Result<OnLeaseLostArg> {
    let words = [("finish", OnLeaseLostArg::Finish), ("cancel", OnLeaseLostArg::Cancel)];
    read_word(value, words, "it is written `on_lease_lost = finish` or `on_lease_lost = cancel`")
}

/// Reads `warn` or `refuse`.
pub(in crate::args) fn read_on_deadlock(value: &Expr) -> Result<OnDeadlockArg> {
    let words = [("warn", OnDeadlockArg::Warn), ("refuse", OnDeadlockArg::Refuse)];
    read_word(value, words, "it is written `on_deadlock = warn` or `on_deadlock = refuse`")
}

/// Reads `fifo`, `lifo` or `deadline`.
pub(in crate::args) fn read_order(value: &Expr) -> Result<OrderArg> {
    let orders =
        [("fifo", OrderArg::Fifo), ("lifo", OrderArg::Lifo), ("deadline", OrderArg::Deadline)];
    read_word(
        value,
        orders,
        "an order is written `order = fifo`, `order = lifo` or `order = deadline`",
    )
}

/// Reads `latency` or `throughput`.
pub(in crate::args) fn read_favor(value: &Expr) -> Result<FavorArg> {
    let words = [("latency", FavorArg::Latency), ("throughput", FavorArg::Throughput)];
    read_word(value, words, "it is written `favor = latency` or `favor = throughput`")
}

/// Reads `advise`.
pub(in crate::args) fn read_adapt(value: &Expr) -> Result<()> {
    read_word(
        value,
        [("advise", ())],
        "it is written `adapt = advise`, which leaves the limit at its start; without the option a range \
         adapts, and a number does not",
    )
}

/// Returns the meaning of the word, or an error with `expected`.
fn read_word<T, const N: usize>(value: &Expr, words: [(&str, T); N], expected: &str) -> Result<T> {
    if let Expr::Path(path) = strip_parens(value) {
        for (word, meaning) in words {
            if path.path.is_ident(word) {
                return Ok(meaning);
            }
        }
    }
    Err(Error::new_spanned(value, expected))
}

/// Reads the path of the runtime crate.
pub(in crate::args) fn read_crate_path(value: &Expr) -> Result<Path> {
    match strip_parens(value) {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(Error::new_spanned(
            text,
            format!("a path is written without quotes: `crate = {}`", text.value()),
        )),
        value => Err(Error::new_spanned(
            value,
            "expected the path of the `limit_runtime` crate: write `crate = path`",
        )),
    }
}

/// Reads the name that the body gives its permit.
pub(in crate::args) fn read_permit_name(value: &Expr) -> Result<Ident> {
    let problem = match strip_parens(value) {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => {
            match path.path.get_ident() {
                Some(name) if !is_path_keyword(name) => return Ok(name.clone()),
                _ => "the permit is given a name of its own: write `permit = permit`",
            }
        }
        Expr::Infer(_) => {
            "the permit needs a name, by which the body can move it: write `permit = permit`; to \
             hold it while the body runs, leave the option out"
        }
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => {
            "a name is written without quotes: `permit = permit`"
        }
        _ => "the permit is given a name: write `permit = permit`",
    };
    Err(Error::new_spanned(value, problem))
}

/// Returns whether `name` cannot name a variable, not even as `r#…`.
fn is_path_keyword(name: &Ident) -> bool {
    ["self", "Self", "super", "crate"].iter().any(|keyword| name == keyword)
}

/// Returns the value of `option`, which each call evaluates to a `bool`.
pub(in crate::args) fn read_bool(option: &str, value: Expr) -> Result<Expr> {
    match strip_parens(&value) {
        Expr::Lit(ExprLit { lit: Lit::Bool(_), .. }) => Ok(value),
        Expr::Lit(literal) => Err(Error::new_spanned(
            literal,
            format!("`{option}` is `true` or `false`: write an expression of type `bool`"),
        )),
        Expr::Closure(closure) => Err(Error::new_spanned(
            closure,
            format!(
                "`{option}` is a `bool`, not a closure: write the expression alone, it is \
                 evaluated for each call"
            ),
        )),
        _ => Ok(value),
    }
}
