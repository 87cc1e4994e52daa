//! The names that other libraries have for the limit and for the options.
//!
//! Users of tower, governor, resilience4j, Polly, p-limit and asyncio type them first.

mod table;

use self::table::{End, Here, ROWS, Row};
use super::options::{AttributeOption, Takes};
use super::values::limit_arg::LimitArg;
use crate::syntax::strip_parens;
use quote::ToTokens;
use syn::{Expr, ExprLit, Member, UnOp};

/// Returns what to write instead of `name = value`, if another library has such a name. `has_limit`
/// says whether LIMIT, or an existing limiter, stands before.
pub(super) fn instead_of(name: &str, value: Option<&Expr>, has_limit: bool) -> Option<String> {
    let name: String = name.chars().filter(|&letter| letter != '_').collect();
    let name = name.to_lowercase();
    let rows = || ROWS.iter().filter(|row| row.names.contains(&name.as_str()));
    let is_free = |row: &&Row| !(has_limit && matches!(row.here, Here::Limit));
    let kept = |row: &'static Row| Some((row, row.here.keep(value?)?));
    let (row, written) = rows()
        .filter(is_free)
        .find_map(kept)
        .or_else(|| rows().find(is_free).map(|row| (row, row.here.example(value.is_some()))))
        .or_else(|| rows().next().map(|row| (row, String::new())))?;
    let thing = row.thing;
    Some(match row.here {
        Here::Limit if has_limit => format!("{thing}, and there is one already; leave this out"),
        Here::Limit | Here::Range(_) | Here::Rate(_) => {
            format!("{thing}: write `#[concurrency_limit({written})]`")
        }
        Here::Words(_) if value.and_then(simple_text).is_some_and(|text| text == "false") => {
            format!("{thing} is written `{written}`; in place of `false`, leave it out")
        }
        Here::Option(_) | Here::NotEnabled | Here::Words(_) => {
            format!("{thing} is written `{written}`")
        }
    })
}

impl Here {
    /// Returns the words with the user's value, if it is simple and fits.
    fn keep(self, value: &Expr) -> Option<String> {
        let text = simple_text(value)?;
        match self {
            Self::Limit => is_limit(value).then_some(text),
            Self::Range(end) => {
                let range = match end {
                    End::Low => format!("{text}..=200"),
                    End::High => format!("1..={text}"),
                };
                let is_range = LimitArg::read(&syn::parse_str(&range).ok()?).is_ok();
                (is_limit(value) && is_range).then_some(range)
            }
            Self::Rate(window) => is_limit(value).then(|| format!("{text}, per = \"{window}\"")),
            Self::Option(option) => {
                let Takes::Expression(read) = option.rule().takes else { return None };
                let is_literal = matches!(strip_parens(value), Expr::Lit(_));
                let fits = match option {
                    // A path is more likely to be something else than a constant with a string.
                    AttributeOption::Name => is_literal,
                    AttributeOption::Limiter | AttributeOption::Key => !is_literal,
                    // No permits would be no limit.
                    AttributeOption::Weight => text != "0",
                    _ => true,
                };
                (fits && read(option.rule(), value.clone()).is_ok())
                    .then(|| format!("{} = {text}", option.rule().name))
            }
            Self::NotEnabled => Some(match text.as_str() {
                "true" => String::from("enabled = false"),
                "false" => String::from("enabled = true"),
                _ if matches!(strip_parens(value), Expr::Lit(_)) => return None,
                _ => match text.strip_prefix('!') {
                    Some(opposite) => format!("enabled = {opposite}"),
                    None => format!("enabled = !{text}"),
                },
            }),
            Self::Words(words) => Some(String::from(words)),
        }
    }

    /// Returns the words with a value of ours. `has_value` says whether the user wrote one.
    fn example(self, has_value: bool) -> String {
        match self {
            Self::Limit => String::from("3"),
            Self::Range(_) => String::from("4..=200"),
            Self::Rate(window) => format!("10, per = \"{window}\""),
            Self::Option(option) => String::from(option.rule().example),
            Self::NotEnabled if has_value => String::from("enabled = condition"),
            Self::NotEnabled => String::from("enabled = false"),
            Self::Words(words) => String::from(words),
        }
    }
}

/// Returns whether the value can be LIMIT, as far as its text says: a number or a constant. A name
/// in small letters is more likely an argument.
fn is_limit(value: &Expr) -> bool {
    let is_static = match strip_parens(value) {
        Expr::Lit(_) => true,
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident.to_string().starts_with(|first: char| !first.is_lowercase())
        }),
        _ => false,
    };
    is_static && LimitArg::read(value).is_ok()
}

/// Returns the text of a literal, a path or a field, as the user writes it. Other expressions may
/// be long, and only the compiler has their text.
fn simple_text(value: &Expr) -> Option<String> {
    const LONGEST: usize = 40;
    let text = match strip_parens(value) {
        Expr::Lit(ExprLit { lit, .. }) => lit.to_token_stream().to_string(),
        Expr::Path(path) if path.qself.is_none() => {
            let segments = &path.path.segments;
            if segments.iter().any(|segment| !segment.arguments.is_empty()) {
                return None;
            }
            let names: Vec<_> = segments.iter().map(|segment| segment.ident.to_string()).collect();
            let root = if path.path.leading_colon.is_some() { "::" } else { "" };
            format!("{root}{}", names.join("::"))
        }
        Expr::Field(field) => {
            let base = simple_text(&field.base)?;
            match &field.member {
                Member::Named(name) => format!("{base}.{name}"),
                Member::Unnamed(index) => format!("{base}.{}", index.index),
            }
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
            format!("!{}", simple_text(&unary.expr)?)
        }
        _ => return None,
    };
    (text.chars().count() <= LONGEST).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{ROWS, instead_of};
    use crate::args::options::AttributeOption;

    #[test]
    fn no_option_has_a_name_of_another_library() {
        for name in ROWS.iter().flat_map(|row| row.names) {
            let is_ours = |option: &AttributeOption| option.rule().name.replace('_', "") == **name;
            assert!(!AttributeOption::ALL.iter().any(is_ours), "`{name}` is an option");
            assert!(name.chars().all(|c| c.is_ascii_lowercase()), "`{name}` is never found");
        }
    }

    #[test]
    fn every_name_gets_words_that_the_attribute_takes() {
        for name in ROWS.iter().flat_map(|row| row.names) {
            let message = instead_of(name, None, false).expect("it is in the table");
            let written = message.split('`').rev().nth(1).expect("it quotes what to write");
            let written = written.strip_prefix("#[concurrency_limit(").map_or_else(
                || {
                    let adapts = |known: &&str| written.starts_with(*known);
                    let limit = match written {
                        "4..=200" => "",
                        _ if written.starts_with("limiter") || written.starts_with("all") => "",
                        _ if ["start", "adapt", "favor", "overload"].iter().any(adapts) => {
                            "4..=200, "
                        }
                        _ => "3, ",
                    };
                    let key = match written {
                        _ if written.starts_with("total") => ", key = tenant",
                        _ if written.starts_with("shares =") => ", share = class",
                        _ if written.starts_with("share =") => ", shares = SHARES",
                        _ => "",
                    };
                    let wait = match written {
                        "order = deadline" | "early" => "max_wait = \"1s\", ",
                        _ if written.starts_with("on_reject") => "weight = 2, ",
                        _ => "",
                    };
                    format!("{limit}{wait}{written}{key}")
                },
                |written| written.trim_end_matches(")]").to_owned(),
            );
            let written = written.replace('…', if written.contains('|') { "()" } else { "text" });
            let tokens = written.parse().expect("it is Rust");
            assert!(crate::args::read(tokens).is_ok(), "`{name}`: {written}");
        }
    }
}
