//! What stands in the parentheses of the attribute.
//!
//! Three stages: [`Written`] is what the user wrote, option by option, each value still an
//! expression; the table in [`options`] says what an option accepts and what it excludes;
//! [`Args`] is the result, in which only what makes sense together can be expressed.

mod errors;
mod limit;
mod options;

pub(crate) use self::errors::Errors;
pub(crate) use self::limit::Limit;
pub(crate) use self::options::bare;

use self::options::{LIMIT, OPTIONS, OptionRule};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Path, Result, Token};

/// The attribute's arguments, checked.
pub(crate) struct Args {
    /// Where the permits come from.
    pub(crate) source: Source,
    /// `crate = path`, if given.
    pub(crate) runtime: Option<Path>,
}

/// Where a limited function's permits come from.
pub(crate) enum Source {
    /// A limiter of the function's own.
    Own(Box<OwnLimiter>),
    /// `limiter = EXPR`: one that exists already.
    Existing(Expr),
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
}

/// What was written, before it is known to make sense together.
#[derive(Default)]
struct Written {
    limit: Option<Limit>,
    name: Option<Expr>,
    shared_by_process: bool,
    limiter: Option<Expr>,
    env: Option<Expr>,
    runtime: Option<Path>,
    /// The options seen so far, and [`LIMIT`] for the limit.
    given: Vec<&'static str>,
}

impl Args {
    /// Reads the tokens between the attribute's parentheses.
    ///
    /// Goes on after a mistake, so that all of them are reported at once.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let (written, errors) = read.parse2(tokens)?;
        // What is missing may be what was mistaken.
        errors.check()?;
        written.normalise()
    }
}

fn read(input: ParseStream) -> Result<(Written, Errors)> {
    let mut written = Written::default();
    let mut errors = Errors::default();
    let mut first = true;
    while !input.is_empty() {
        let read = if at_option(input) {
            written.read_option(input)
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
            return Err(options::unknown(&key));
        };
        let equals = input.parse::<Token![=]>()?;
        self.refuse_repeated_or_excluded(rule.name, rule.excludes, &key)?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(
                equals,
                format!("option `{name}` needs a value: write `{}`", rule.example),
            ));
        }
        let value = input.parse::<Expr>()?;
        (rule.set)(self, value)
    }

    /// Reads LIMIT, or says what is wrong with what stands in its place.
    fn read_limit(&mut self, input: ParseStream, first: bool) -> Result<()> {
        if let Some((rule, key)) = misspelt_option(input) {
            return Err(Error::new_spanned(
                &key,
                format!("option `{key}` is written `{}`", rule.example),
            ));
        }
        let value = input.parse::<Expr>()?;
        if self.given.contains(&LIMIT) {
            return Err(Error::new_spanned(
                value,
                format!(
                    "there is a limit already; what follows it is written `option = value`; {}",
                    options::known()
                ),
            ));
        }
        self.refuse_repeated_or_excluded(LIMIT, &[], &value)?;
        if !first {
            return Err(Error::new_spanned(
                value,
                "the limit goes first, before the options: `#[concurrency_limit(3, name = \"…\")]`",
            ));
        }
        self.limit = Some(Limit::new(&value)?);
        Ok(())
    }

    fn refuse_repeated_or_excluded(
        &mut self,
        name: &'static str,
        excludes: &[&'static str],
        at: &impl quote::ToTokens,
    ) -> Result<()> {
        let earlier = self.given.clone();
        self.given.push(name);
        if earlier.contains(&name) {
            let message = format!("option `{name}` is given twice; leave one of the two out");
            return Err(Error::new_spanned(at, message));
        }
        let clashes = |other: &&&'static str| {
            excludes.contains(other)
                || OPTIONS.iter().any(|rule| rule.name == **other && rule.excludes.contains(&name))
        };
        let Some(other) = earlier.iter().find(clashes) else {
            return Ok(());
        };
        Err(Error::new_spanned(
            at,
            format!(
                "{} cannot stand beside {}: an existing limiter brings its own limit, name, scope \
                 and variable; leave one of the two out",
                options::quoted(name),
                options::quoted(other)
            ),
        ))
    }

    fn normalise(self) -> Result<Args> {
        let source = match (self.limit, self.limiter) {
            (_, Some(limiter)) => Source::Existing(limiter),
            (Some(limit), None) => Source::Own(Box::new(OwnLimiter {
                limit,
                name: self.name,
                shared_by_process: self.shared_by_process,
                env: self.env,
            })),
            (None, None) => return Err(missing_limit(self.env.as_ref())),
        };
        Ok(Args { source, runtime: self.runtime })
    }
}

/// A known option that is not followed by `=`.
fn misspelt_option(input: ParseStream) -> Option<(&'static OptionRule, Ident)> {
    let ahead = input.fork();
    let key = ahead.call(Ident::parse_any).ok()?;
    let name = key.to_string();
    let rule = OPTIONS.iter().find(|rule| rule.name == name)?;
    // `crate::MAX` and `name.len()` are limits.
    let is_path = ahead.peek(Token![::]) || ahead.peek(Token![.]);
    (!is_path).then_some((rule, key))
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
