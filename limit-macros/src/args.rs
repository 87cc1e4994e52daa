//! What stands in the parentheses of the attribute.
//!
//! Three stages: [`Written`] is what the user wrote, option by option, each value still an
//! expression or what a first look has made of it; the table in [`options`] says what an option
//! accepts and what it excludes; [`Args`] is the result, in which only what makes sense together can
//! be expressed.

mod count;
mod duration;
mod errors;
mod existing;
mod limit;
mod names;
mod on_reject;
mod options;
mod unknown;
mod values;
mod written;

pub(crate) use self::errors::Errors;
pub(crate) use self::existing::{Lives, behind_references};
pub(crate) use self::limit::Limit;
pub(crate) use self::names::names_in;
pub(crate) use self::on_reject::OnReject;
pub(crate) use self::values::bare;

use self::written::Written;
use proc_macro2::{Ident, TokenStream, TokenTree};
use std::time::Duration;
use syn::parse::Parser;
use syn::{Expr, Path, Result, Signature};

/// The attribute's arguments, checked.
pub(crate) struct Args {
    /// Where the permits come from.
    pub(crate) source: Source,
    /// What is asked anew for each call, in the order written.
    pub(crate) asked: Vec<Asked>,
    pub(crate) refusal: Refusal,
    /// `permit = ident`: what the body calls its permit.
    pub(crate) permit: Option<Ident>,
    /// `blocking`, the word itself.
    pub(crate) blocking: Option<Ident>,
    /// `crate = path`, if given.
    pub(crate) runtime: Option<Path>,
}

/// Where a limited function's permits come from.
pub(crate) enum Source {
    /// A limiter of the function's own.
    Own(Box<OwnLimiter>),
    /// `limiter = EXPR`: one that exists already. The expression is the first of its kind in
    /// [`Args::asked`].
    Existing,
}

/// The limiter that the attribute makes for the function.
pub(crate) struct OwnLimiter {
    pub(crate) limit: Limit,
    /// `name = "…"`, a string literal or a macro that makes one.
    pub(crate) name: Option<Expr>,
    /// `scope = process`.
    pub(crate) shared_by_process: bool,
    /// `env = "VAR"`, a string literal or a macro that makes one.
    pub(crate) env: Option<Expr>,
    /// `max_waiting = N`, of type `usize`, which a `static` can name.
    pub(crate) max_waiting: Option<Expr>,
    /// `max_wait = "…"`. An expression is asked anew for each call.
    pub(crate) max_wait: Option<Duration>,
    /// `order = lifo`.
    pub(crate) newest_first: bool,
    pub(crate) per: Option<Per>,
    /// `shadow`: no call waits, none is refused.
    pub(crate) shadow: bool,
    /// `key = …`: the limit holds for each.
    pub(crate) keys: Option<Keys>,
}

/// What a limiter knows of its keys.
pub(crate) struct Keys {
    /// `total = N`, of type `usize`, which a `static` can name.
    pub(crate) total: Option<Expr>,
}

/// `per = …`: the window.
pub(crate) enum Per {
    Literal(Duration),
    /// Of type `Duration`, which a `static` can name.
    Expression(Expr),
}

/// What is asked anew for each call.
pub(crate) enum Asked {
    /// `limiter = EXPR`.
    Limiter(Expr),
    /// `key = expr`.
    Key(Expr),
    /// `weight = expr`, of type `u32`.
    Weight(Expr),
    /// `priority = expr`, of type `u8`.
    Priority(Expr),
    /// `max_wait = "…"`, of an existing limiter.
    MaxWaitOf(Duration),
    /// `max_wait = expr`, of a type that is `Into<MaxWait>`.
    MaxWait(Expr),
    /// `enabled = expr`, of type `bool`.
    Enabled(Expr),
}

/// What becomes of a call that is refused.
pub(crate) enum Refusal {
    /// There is none, and the types say so.
    None,
    /// The limiter's type says whether there are any. If so they are returned: the function's type
    /// must be able to carry them. With the word `limiter`, for messages.
    Unknown(Ident),
    /// It is returned: the function's type must be able to carry it. With the first option that can
    /// refuse, for messages.
    Returned(Ident),
    /// `on_reject = |rejected| expr`.
    Handled(Box<OnReject>),
}

impl Args {
    /// Reads the tokens between the attribute's parentheses.
    ///
    /// Goes on after a mistake, so that all of them are reported at once.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let (written, errors) = written::read.parse2(tokens)?;
        // What is missing may be what was mistaken.
        errors.check()?;
        Written::normalise(written)
    }

    /// Refuses what the function knows and a `static` inside it does not, and keys that are not owned.
    pub(crate) fn check(&self, function: &Signature) -> Result<()> {
        let mut errors = Errors::default();
        for asked in &self.asked {
            if let Asked::Key(key) = asked {
                errors.take(names::check_owned(key, function));
            }
        }
        if let Source::Own(own) = &self.source {
            errors.take(own.check(function));
        }
        errors.check()
    }
}

impl OwnLimiter {
    fn check(&self, function: &Signature) -> Result<()> {
        let own = self;
        let mut errors = Errors::default();
        if let Limit::Expression(limit) = &own.limit {
            errors.take(names::check("a limit", limit, function));
        }
        let per = match &own.per {
            Some(Per::Expression(per)) => Some(per),
            _ => None,
        };
        let options = [
            ("`max_waiting`", own.max_waiting.as_ref()),
            ("`total`", own.keys.as_ref().and_then(|keys| keys.total.as_ref())),
            ("`per`", per),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                errors.take(names::check(option, value, function));
            }
        }
        errors.check()
    }
}

/// The word `blocking` in arguments that are mistaken elsewhere: what is said of the function should
/// not be wrong because of that.
pub(crate) fn blocking_in(tokens: &TokenStream) -> Option<Ident> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "blocking" => Some(word),
        _ => None,
    })
}
