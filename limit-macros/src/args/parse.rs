//! The tokens of the arguments, read into [`RawArgs`].

use super::contradictions::find_contradiction;
use super::options::{AttributeOption, MakeValue, Takes, Term};
use super::raw_args::{RawArgs, RawOption};
use super::unknown;
use super::values::all;
use super::values::limit_arg::LimitArg;
use crate::errors::Errors;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Lit, Result, Token};

/// Parses the tokens between the attribute's parentheses.
///
/// The parser goes on after a mistake, so that the compiler reports all of them at once.
///
/// ```text
/// // before
/// 3, order = lifo, max_waiting = 10
///
/// // after
/// RawArgs { limit: Some(3usize), options: [Order: Setter(Lifo), MaxWaiting: Setter(10)] }
/// ```
pub(super) fn parse(tokens: TokenStream) -> Result<RawArgs> {
    let mut parser = ArgsParser::default();
    Parser::parse2(|input: ParseStream| parser.read_all(input), tokens)?;
    parser.errors.check()?;
    Ok(parser.args)
}

/// Finds the word `blocking` in arguments that are mistaken elsewhere. Without it the errors about
/// the function would be wrong.
pub(crate) fn find_blocking(tokens: &TokenStream) -> Option<Ident> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == AttributeOption::Blocking.rule().name => Some(word),
        _ => None,
    })
}

#[derive(Default)]
struct ArgsParser {
    /// The arguments so far.
    args: RawArgs,
    /// The terms so far, also those of arguments whose value is mistaken.
    terms: Vec<Term>,
    errors: Errors,
}

impl ArgsParser {
    fn read_all(&mut self, input: ParseStream) -> Result<()> {
        let mut is_first = true;
        while !input.is_empty() {
            let read = if all::is_next(input) {
                self.read_all_of(input, is_first)
            } else if at_option(input) {
                self.read_option(input)
            } else if let Some((option, make)) = at_word(input) {
                self.read_word(option, make, input)
            } else {
                self.read_limit(input, is_first)
            };
            if let Err(error) = read.and_then(|()| expect_comma(input)) {
                self.errors.push(error);
                skip_past_comma(input)?;
            }
            is_first = false;
        }
        Ok(())
    }

    /// Reads `option = value`.
    fn read_option(&mut self, input: ParseStream) -> Result<()> {
        let word = input.call(Ident::parse_any)?;
        let Some(option) = find_option(&word) else {
            return Err(self.unknown_option(&word, input));
        };
        let rule = option.rule();
        let equals = input.parse::<Token![=]>()?;
        self.admit(Term::Option(option), &word)?;
        let Takes::Expression(read) = rule.takes else {
            return Err(Error::new_spanned(
                equals,
                format!("option `{word}` is a word alone: leave out `= …`"),
            ));
        };
        if input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(
                equals,
                format!("option `{word}` needs a value: write `{}`", rule.example),
            ));
        }
        // Ahead of it: a mistake inside of brackets is otherwise reported by the parser, without what is added here.
        if let Err(error) = input.fork().parse::<Expr>() {
            let (example, instead) = (rule.example, how_instead(option, input));
            let message = format!("{error}; option `{word}` is written `{example}`{instead}");
            return Err(Error::new(error.span(), message));
        }
        let value = input.parse::<Expr>()?;
        let value = read(rule, value)?;
        if let Some(term) = Term::from_value(option, &value) {
            self.admit(term, &word)?;
        }
        self.args.options.push(RawOption { option, word, value });
        Ok(())
    }

    /// Reads an option that is a word alone.
    fn read_word(
        &mut self,
        option: AttributeOption,
        make: MakeValue,
        input: ParseStream,
    ) -> Result<()> {
        let word = input.call(Ident::parse_any)?;
        self.admit(Term::Option(option), &word)?;
        self.args.options.push(RawOption { option, word, value: make() });
        Ok(())
    }

    /// Reads `all(…)`.
    fn read_all_of(&mut self, input: ParseStream, is_first: bool) -> Result<()> {
        let all = all::read(input)?;
        self.admit(Term::All, &all.word)?;
        if !is_first {
            return Err(Error::new_spanned(
                all.word,
                "`all(…)` goes first, before the options: `#[concurrency_limit(all(A, B), permit = permit)]`",
            ));
        }
        self.args.all = Some(all);
        Ok(())
    }

    /// Reads LIMIT, or says what is wrong with the tokens that stand where it could.
    fn read_limit(&mut self, input: ParseStream, is_first: bool) -> Result<()> {
        if let Some((option, word)) = misspelt_option(input, is_first) {
            return Err(Error::new_spanned(
                &word,
                format!("option `{word}` is written `{}`", option.rule().example),
            ));
        }
        if at_name(input) {
            return Err(self.unknown_option(&input.parse()?, input));
        }
        let value = input.parse::<Expr>()?;
        if self.terms.contains(&Term::Limit) {
            if let Some(error) = unknown::unknown_word(&value) {
                return Err(error);
            }
            return Err(Error::new_spanned(
                value,
                format!(
                    "there is a limit already; what follows it is written `option = value`; {}",
                    unknown::list_known()
                ),
            ));
        }
        self.admit(Term::Limit, &value)?;
        if !is_first {
            return Err(Error::new_spanned(
                value,
                "the limit goes first, before the options: `#[concurrency_limit(3, name = \"…\")]`",
            ));
        }
        let limit = LimitArg::read(&value)?;
        if let LimitArg::Range(_) = limit {
            self.admit(Term::AdaptiveLimit, &value)?;
        }
        self.args.limit = Some(limit);
        Ok(())
    }

    /// Returns the error for the option `word`, which does not exist. Its value comes next.
    fn unknown_option(&self, word: &Ident, input: ParseStream) -> Error {
        let limits = [Term::Limit, Term::All, Term::Option(AttributeOption::Limiter)];
        let has_limit = limits.iter().any(|limit| self.terms.contains(limit));
        unknown::unknown_option(word, peek_value(input).as_ref(), has_limit)
    }

    /// Adds `term` to the terms, or refuses it because it repeats or contradicts an earlier one.
    fn admit(&mut self, term: Term, tokens: &impl ToTokens) -> Result<()> {
        let is_repeated = self.terms.contains(&term);
        let contradicted =
            self.terms.iter().find_map(|&other| Some((other, find_contradiction(term, other)?)));
        // A refused term counts as well: what contradicts it is a mistake of its own.
        self.terms.push(term);
        let message = match (is_repeated, contradicted) {
            (true, _) => {
                format!("option {} is given twice; leave one of the two out", term.quote())
            }
            (false, Some((other, reason))) => {
                format!("{} cannot stand beside {}: {reason}", term.quote(), other.quote())
            }
            (false, None) => return Ok(()),
        };
        Err(Error::new_spanned(tokens, message))
    }
}

fn find_option(word: &Ident) -> Option<AttributeOption> {
    AttributeOption::ALL.iter().copied().find(|option| word == option.rule().name)
}

/// Returns whether `option = …` comes next.
fn at_option(input: ParseStream) -> bool {
    input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==])
}

/// Returns the option that comes next, if it is a word alone.
fn at_word(input: ParseStream) -> Option<(AttributeOption, MakeValue)> {
    let ahead = input.fork();
    let option = find_option(&ahead.call(Ident::parse_any).ok()?)?;
    let Takes::Nothing(make) = option.rule().takes else {
        return None;
    };
    let is_alone = ahead.is_empty() || ahead.peek(Token![,]);
    is_alone.then_some((option, make))
}

/// Returns the option that comes next without the `=` that it needs.
fn misspelt_option(input: ParseStream, is_first: bool) -> Option<(AttributeOption, Ident)> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    let option = find_option(&word)?;
    let is_mistake = ahead.is_empty()
        || ahead.peek(Token![,])
        || ahead.peek(Token![=])
        || ahead.peek(Token![:]) && !ahead.peek(Token![::])
        || ahead.peek(Lit);
    // `crate::MAX` and `name.len()` are limits, and so are `total()` and `total * 2` if they come
    // first.
    let is_limit = ahead.peek(Token![::]) || ahead.peek(Token![.]) || is_first && !is_mistake;
    (!is_limit).then_some((option, word))
}

/// Returns whether a name comes next, with its value after it but without the `=`, as in `limit: 3`.
/// The names of options have been looked for before.
fn at_name(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_name = ahead.parse::<Ident>().is_ok();
    is_name && (ahead.peek(Token![:]) && !ahead.peek(Token![::]) || ahead.peek(Lit))
}

/// Returns the value after `=` or `:`, if it can be read. Reads no token of `input`.
fn peek_value(input: ParseStream) -> Option<Expr> {
    let ahead = input.fork();
    let equals = ahead.parse::<Option<Token![=]>>().ok()?;
    if equals.is_none() {
        ahead.parse::<Option<Token![:]>>().ok()?;
    }
    ahead.parse().ok()
}

/// Returns what belongs to the words that the attribute takes, for values that users of other attributes write.
fn how_instead(option: AttributeOption, value: ParseStream) -> &'static str {
    match option {
        AttributeOption::Permit if value.peek(Token![mut]) => {
            ", with `let mut permit = permit;` in the body"
        }
        AttributeOption::Shares => ", with `const SHARES: &[Share] = &[Share::new(\"live\", 60)];`",
        _ => "",
    }
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
