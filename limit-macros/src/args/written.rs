//! What was written, before it is known to make sense together.

use super::options::{self, LIMIT, OPTIONS, OptionRule, Value};
use super::unknown;
use super::{Args, Asked, Errors, Keys, Limit, OnReject, OwnLimiter, Per, Refusal, Source};
use proc_macro2::{Ident, Span, TokenTree};
use quote::ToTokens;
use std::time::Duration;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, Lit, Path, Result, Token};

/// The options so far.
#[derive(Default)]
pub(super) struct Written {
    pub(super) limit: Option<Limit>,
    pub(super) name: Option<Expr>,
    pub(super) shared_by_process: bool,
    pub(super) env: Option<Expr>,
    pub(super) max_waiting: Option<Expr>,
    pub(super) newest_first: bool,
    pub(super) per: Option<Per>,
    pub(super) shadow: bool,
    pub(super) total: Option<Expr>,
    pub(super) asked: Vec<Asked>,
    pub(super) on_reject: Option<OnReject>,
    pub(super) permit: Option<Ident>,
    pub(super) runtime: Option<Path>,
    given: Vec<Given>,
}

/// Something that has been given: an option, [`LIMIT`], or what the value of an option means.
struct Given {
    name: &'static str,
    /// The word, `None` for the limit.
    at: Option<Ident>,
}

pub(super) fn read(input: ParseStream) -> Result<(Written, Errors)> {
    let mut written = Written::default();
    let mut errors = Errors::default();
    let mut first = true;
    while !input.is_empty() {
        let read = if at_option(input) {
            written.read_option(input)
        } else if let Some(rule) = at_word(input) {
            written.read_word(rule, input)
        } else {
            written.read_limit(input, first)
        };
        if let Err(error) = read.and_then(|()| expect_comma(input)) {
            errors.push(error);
            skip_past_comma(input)?;
        }
        first = false;
    }
    Ok((written, errors))
}

/// Whether `option = …` comes next.
fn at_option(input: ParseStream) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==])
}

/// The option that is a word alone and comes next.
fn at_word(input: ParseStream) -> Option<&'static OptionRule> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    let rule = OPTIONS.iter().find(|rule| word == rule.name)?;
    let is_alone = ahead.is_empty() || ahead.peek(Token![,]);
    (is_alone && matches!(rule.value, Value::None(_))).then_some(rule)
}

fn expect_comma(input: ParseStream) -> Result<()> {
    if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
        return Ok(());
    }
    Err(input.error("expected `,` before the next option"))
}

fn skip_past_comma(input: ParseStream) -> Result<()> {
    while !input.is_empty() {
        if input.parse::<Option<Token![,]>>()?.is_some() {
            break;
        }
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

impl Written {
    /// Reads `option = value`.
    fn read_option(&mut self, input: ParseStream) -> Result<()> {
        let key = input.call(Ident::parse_any)?;
        let name = key.to_string();
        let Some(rule) = OPTIONS.iter().find(|rule| rule.name == name) else {
            return Err(unknown::option(&key));
        };
        let equals = input.parse::<Token![=]>()?;
        self.refuse_repeated_or_excluded(rule.name, Some(&key), &key)?;
        let Value::Expression(set) = rule.value else {
            return Err(Error::new_spanned(
                equals,
                format!("option `{name}` is a word alone: leave out `= …`"),
            ));
        };
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(
                equals,
                format!("option `{name}` needs a value: write `{}`", rule.example),
            ));
        }
        let value = input.parse::<Expr>().map_err(|error| {
            let message = format!("{error}; option `{name}` is written `{}`", rule.example);
            Error::new(error.span(), message)
        })?;
        if let Some(meaning) = set(self, value)? {
            self.refuse_repeated_or_excluded(meaning, Some(&key), &key)?;
        }
        Ok(())
    }

    /// Reads an option that is a word alone.
    fn read_word(&mut self, rule: &'static OptionRule, input: ParseStream) -> Result<()> {
        let word = input.call(Ident::parse_any)?;
        self.refuse_repeated_or_excluded(rule.name, Some(&word), &word)?;
        if let Value::None(set) = rule.value {
            set(self);
        }
        Ok(())
    }

    /// Reads LIMIT, or says what is wrong with what stands in its place.
    fn read_limit(&mut self, input: ParseStream, first: bool) -> Result<()> {
        if let Some((rule, key)) = misspelt_option(input, first) {
            return Err(Error::new_spanned(
                &key,
                format!("option `{key}` is written `{}`", rule.example),
            ));
        }
        let value = input.parse::<Expr>()?;
        if self.has(LIMIT) {
            if let Some(error) = unknown::word(&value) {
                return Err(error);
            }
            return Err(Error::new_spanned(
                value,
                format!(
                    "there is a limit already; what follows it is written `option = value`; {}",
                    unknown::known()
                ),
            ));
        }
        self.refuse_repeated_or_excluded(LIMIT, None, &value)?;
        if !first {
            return Err(Error::new_spanned(
                value,
                "the limit goes first, before the options: `#[concurrency_limit(3, name = \"…\")]`",
            ));
        }
        self.limit = Some(Limit::new(&value)?);
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.given.iter().any(|given| given.name == name)
    }

    /// Where an option stands.
    fn at(&self, name: &str) -> Option<Ident> {
        self.given.iter().find(|given| given.name == name)?.at.clone()
    }

    fn refuse_repeated_or_excluded(
        &mut self,
        name: &'static str,
        word: Option<&Ident>,
        at: &impl ToTokens,
    ) -> Result<()> {
        let repeated = self.has(name);
        let excluded = self
            .given
            .iter()
            .find_map(|other| Some((other.name, options::contradiction(name, other.name)?)));
        self.given.push(Given { name, at: word.cloned() });
        if repeated {
            let message = format!("option `{name}` is given twice; leave one of the two out");
            return Err(Error::new_spanned(at, message));
        }
        let Some((other, reason)) = excluded else {
            return Ok(());
        };
        Err(Error::new_spanned(
            at,
            format!(
                "{} cannot stand beside {}: {reason}",
                options::quoted(name),
                options::quoted(other)
            ),
        ))
    }

    /// Puts together what has been given. What is missing is known only now.
    pub(super) fn normalise(mut self) -> Result<Args> {
        let keyed = self.has("key");
        if let (Some(total), false) = (self.at("total"), keyed) {
            return Err(Error::new_spanned(
                total,
                "`total` caps all keys together, and there are none: add `key = …`, or leave it out",
            ));
        }
        let refusal = self.refusal()?;
        let (permit, runtime, blocking) =
            (self.permit.clone(), self.runtime.clone(), self.at("blocking"));
        let source = match (self.limit, self.asked.iter().any(is_limiter)) {
            (_, true) => Source::Existing,
            (Some(limit), false) => Source::Own(Box::new(OwnLimiter {
                limit,
                name: self.name,
                shared_by_process: self.shared_by_process,
                env: self.env,
                max_waiting: self.max_waiting,
                max_wait: take_max_wait(&mut self.asked),
                newest_first: self.newest_first,
                per: self.per,
                shadow: self.shadow,
                keys: keyed.then_some(Keys { total: self.total }),
            })),
            (None, false) => return Err(missing_limit(self.env.as_ref())),
        };
        Ok(Args { source, asked: self.asked, refusal, permit, blocking, runtime })
    }

    /// What becomes of a call that is refused, if one can be.
    fn refusal(&self) -> Result<Refusal> {
        let can_refuse = ["max_waiting", "max_wait", "weight"];
        // In the order written: the first of them is the one to name.
        let refusing = self.given.iter().find(|given| can_refuse.contains(&given.name));
        let refusing = refusing.and_then(|given| given.at.clone()).filter(|_| !self.shadow);
        match (&self.on_reject, refusing, self.at("limiter")) {
            (Some(on_reject), Some(_), _) | (Some(on_reject), _, Some(_)) => {
                Ok(Refusal::Handled(Box::new(on_reject.clone())))
            }
            (Some(_), None, None) => {
                let at = self.at("on_reject").map(ToTokens::into_token_stream).unwrap_or_default();
                Err(Error::new_spanned(
                    at,
                    "nothing here can refuse a call, so `on_reject` would never be evaluated: \
                     leave it out, or add `max_waiting`, `max_wait` or `weight`",
                ))
            }
            (None, Some(refusing), _) => Ok(Refusal::Returned(refusing)),
            (None, None, Some(limiter)) => Ok(Refusal::Unknown(limiter)),
            (None, None, None) => Ok(Refusal::None),
        }
    }
}

/// A span of time that is written as such is the limiter's: so it can be set while the program runs.
fn take_max_wait(asked: &mut Vec<Asked>) -> Option<Duration> {
    let place = asked.iter().position(|asked| matches!(asked, Asked::MaxWaitOf(_)))?;
    match asked.remove(place) {
        Asked::MaxWaitOf(max_wait) => Some(max_wait),
        _ => None,
    }
}

fn is_limiter(asked: &Asked) -> bool {
    matches!(asked, Asked::Limiter(_))
}

/// A known option that is not followed by `=`.
fn misspelt_option(input: ParseStream, first: bool) -> Option<(&'static OptionRule, Ident)> {
    let ahead = input.fork();
    let key = ahead.call(Ident::parse_any).ok()?;
    let name = key.to_string();
    let rule = OPTIONS.iter().find(|rule| rule.name == name)?;
    // `crate::MAX` and `name.len()` are limits; in the first place so are `total()` and `total * 2`.
    let is_mistake = ahead.is_empty()
        || ahead.peek(Token![,])
        || ahead.peek(Token![=])
        || ahead.peek(Token![:]) && !ahead.peek(Token![::])
        || ahead.peek(Lit);
    let is_limit = ahead.peek(Token![::]) || ahead.peek(Token![.]) || first && !is_mistake;
    (!is_limit).then_some((rule, key))
}

fn missing_limit(env: Option<&Expr>) -> Error {
    match env {
        Some(env) => Error::new_spanned(
            env,
            "`env` needs a limit to fall back on: write `#[concurrency_limit(3, env = \"…\")]`",
        ),
        None => Error::new(
            Span::call_site(),
            "how many at once? write `#[concurrency_limit(3)]`, or \
             `#[concurrency_limit(limiter = LIMITER)]` to use an existing limiter",
        ),
    }
}
