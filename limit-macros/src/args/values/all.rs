//! The value of `all(…)`: the limiters whose permits a call takes as one.

use super::super::options::AttributeOption;
use super::existing;
use crate::syntax::strip_parens;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, Lit, Result, Token, parenthesized, token};

/// The most limiters: see `acquire_all`.
const MOST: usize = 8;

/// The limiters.
pub(crate) struct AllArg {
    /// The user's word `all`, for spans.
    pub(crate) word: Ident,
    pub(crate) limits: Vec<OneLimitArg>,
}

/// One of the limiters.
pub(crate) enum OneLimitArg {
    /// An expression that gives a limiter.
    Limiter(Expr),
    /// A call of a limiter that has been given a key or options, such as `TENANTS.key(tenant)`.
    Call(Expr),
}

impl OneLimitArg {
    pub(crate) fn expression(&self) -> &Expr {
        match self {
            Self::Limiter(expression) | Self::Call(expression) => expression,
        }
    }
}

/// Returns whether `all(…)` comes next.
pub(in crate::args) fn is_next(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_all = ahead.call(Ident::parse_any).is_ok_and(|word| word == "all");
    is_all
        && ahead.peek(token::Paren)
        && ahead.parse::<TokenTree>().is_ok()
        && (ahead.is_empty() || ahead.peek(Token![,]))
}

/// Reads `all(…)`.
///
/// ```text
/// // before
/// all(DB, TENANTS.key(tenant), limiter = self.disk)
///
/// // after
/// AllArg { limits: [Limiter(DB), Call(TENANTS.key(tenant)), Limiter(self.disk)], … }
/// ```
pub(in crate::args) fn read(input: ParseStream) -> Result<AllArg> {
    let word = input.call(Ident::parse_any)?;
    let content;
    let parentheses = parenthesized!(content in input).span;
    let limits = read_limits(&content);
    if limits.is_err() {
        // The parser would say of the tokens after the mistake that they are unexpected, and nothing else.
        content.parse::<TokenStream>()?;
    }
    let limits = limits?;
    if limits.is_empty() {
        let span: Span = parentheses.join();
        return Err(Error::new(span, "all of which limiters? write `all(LIMITER, OTHER)`"));
    }
    Ok(AllArg { word, limits })
}

fn read_limits(content: ParseStream) -> Result<Vec<OneLimitArg>> {
    let mut limits: Vec<OneLimitArg> = Vec::new();
    while !content.is_empty() {
        let limit = read_limit(content)?;
        let text = |limit: &OneLimitArg| {
            without_reference(limit.expression()).to_token_stream().to_string()
        };
        let expression = limit.expression();
        if limits.iter().any(|other| text(other) == text(&limit)) {
            return Err(Error::new_spanned(
                expression,
                "this limiter is named twice, and would count once; leave one of the two out",
            ));
        }
        if limits.len() == MOST {
            return Err(Error::new_spanned(
                expression,
                format!("a call takes the permits of {MOST} limiters at most; leave this one out"),
            ));
        }
        limits.push(limit);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(limits)
}

fn read_limit(input: ParseStream) -> Result<OneLimitArg> {
    let is_option =
        input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    if is_option {
        let option = input.call(Ident::parse_any)?;
        if option != AttributeOption::Limiter.rule().name {
            return Err(Error::new_spanned(
                &option,
                format!(
                    "only limiters stand in `all(…)`: write `{option}` after it, or at the limiter that it is \
                     meant for, such as `LIMITER.key(…)` or `LIMITER.acquire().weight(2)`"
                ),
            ));
        }
        input.parse::<Token![=]>()?;
        return existing::read(input.parse()?).map(OneLimitArg::Limiter);
    }
    let value: Expr = input.parse()?;
    match strip_parens(&value) {
        Expr::Lit(literal) if matches!(literal.lit, Lit::Int(_)) => Err(Error::new_spanned(
            &value,
            "this limit has no limiter that other calls could name: make a \
             `static LIMITER: Limiter = Limiter::new(…)`, and write its name",
        )),
        Expr::Range(_) => Err(Error::new_spanned(
            &value,
            "this limit has no limiter that other calls could name: make a \
             `static LIMITER: Limiter = Limiter::adaptive(…)`, and write its name",
        )),
        Expr::MethodCall(call) if is_of_call(&call.method) => Ok(OneLimitArg::Call(value)),
        _ => existing::read(value).map(OneLimitArg::Limiter),
    }
}

/// Returns whether a method gives a call of a limiter, not a limiter.
fn is_of_call(method: &Ident) -> bool {
    const METHODS: &[&str] =
        &["key", "share", "acquire", "acquire_many", "weight", "priority", "max_wait", "enabled"];
    METHODS.iter().any(|known| method == known)
}

fn without_reference(expression: &Expr) -> &Expr {
    match strip_parens(expression) {
        Expr::Reference(reference) => without_reference(&reference.expr),
        expression => expression,
    }
}
