//! Errors about items that cannot be limited: each says what to write instead.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Abi, Attribute, Error, Ident, Result, Signature, Token};

/// Returns whether a function comes next. Its visibility has been read.
pub(super) fn at_function(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<Option<Token![const]>>().is_ok()
        && ahead.parse::<Option<Token![async]>>().is_ok()
        && ahead.parse::<Option<Token![unsafe]>>().is_ok()
        && ahead.parse::<Option<Abi>>().is_ok()
        && ahead.peek(Token![fn])
}

/// Returns the error for an item that is not a function.
pub(super) fn not_a_function(item: &[TokenTree]) -> Error {
    let words = item.iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let qualifiers = ["pub", "unsafe", "default", "async", "auto", "static", "move", "for"];
    let is_closure = item.iter().take(4).any(is_bar)
        && item.iter().take_while(|token| !is_bar(token)).all(|token| match token {
            TokenTree::Ident(word) => qualifiers.contains(&word.to_string().as_str()),
            _ => false,
        });
    let word = words.clone().find(|word| !qualifiers.contains(&word.as_str()));
    let (kind, instead) = match word.as_deref() {
        _ if is_closure => {
            ("a closure", "give the work a name: write an `async fn` and call it in the closure")
        }
        Some("struct" | "enum" | "union") => {
            ("a type", "put it on the async functions that do the work")
        }
        Some("impl") => ("an `impl` block", "put it on each async method in it"),
        Some("trait") => ("a trait", "put it on its default methods or on the implementations"),
        Some("mod") => ("a module", "put it on each async function in it"),
        _ => ("this", "put it on an `async fn`"),
    };
    let item: TokenStream = item.iter().cloned().collect();
    Error::new_spanned(
        first_token(&item),
        format!("`#[concurrency_limit]` cannot stand on {kind}: {instead}"),
    )
}

fn is_bar(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '|')
}

fn first_token(tokens: &TokenStream) -> TokenStream {
    tokens.clone().into_iter().next().into_token_stream()
}

/// Refuses a function that `#[test]` or `#[tokio::main]` has already made of an async one.
pub(super) fn refuse_below_tokio(
    attributes: &TokenStream,
    signature: &Signature,
    body: &Group,
) -> Result<()> {
    let attributes = Attribute::parse_outer.parse2(attributes.clone()).unwrap_or_default();
    let is_test = attributes.iter().any(|attribute| {
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
    });
    let starts_runtime = starts_runtime(body.stream());
    let below = match (is_test, starts_runtime) {
        (true, true) if attributes.iter().any(is_from_test_case) => {
            "with two `#[test_case]`s above it this comes below `#[tokio::test]`, which makes the \
             function synchronous: move `#[concurrency_limit]` above the first `#[test_case]`"
        }
        (true, true) => {
            "this is below `#[tokio::test]`, which makes the function synchronous: \
             move `#[concurrency_limit]` above `#[tokio::test]`"
        }
        (true, false) => {
            "this test is not async: write `#[concurrency_limit]`, below it \
             `#[tokio::test]`, and then an `async fn`"
        }
        (false, true) => {
            "this is below `#[tokio::main]`, which makes the function synchronous: \
             move `#[concurrency_limit]` above `#[tokio::main]`"
        }
        (false, false) => return Ok(()),
    };
    Err(Error::new_spanned(&signature.ident, below))
}

/// Returns whether the attribute is from the crate `test-case`, which writes
/// `#[allow(clippy::bool_assert_comparison)]` at each test that it makes.
fn is_from_test_case(attribute: &Attribute) -> bool {
    attribute.path().is_ident("allow")
        && attribute.to_token_stream().to_string().contains("bool_assert_comparison")
}

/// Returns whether the body holds `use …::runtime::Builder; return Builder…block_on(…)`. Tokio's
/// attributes write this, and hardly anybody else does.
fn starts_runtime(body: TokenStream) -> bool {
    body.into_iter().any(|token| {
        let TokenTree::Group(group) = token else {
            return false;
        };
        let words: Vec<_> = group
            .stream()
            .into_iter()
            .filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.unraw().to_string()),
                _ => None,
            })
            .collect();
        let expected = ["runtime", "Builder", "return", "Builder"];
        words.windows(expected.len()).any(|window| window == expected)
            && words.iter().any(|word| word == "block_on")
    })
}

/// Returns the error for a function that is not `async` and does not end with an `async` block.
pub(super) fn not_async(signature: &Signature, end: Option<&dyn ToTokens>) -> Error {
    if !returns_future(signature) {
        if returns_stream(signature) {
            return Error::new_spanned(
                signature.fn_token,
                format!(
                    "the limit holds until a function returns, and this one returns a stream: write \
                     `async fn {}`, add `permit = permit`, and move `permit` into the stream",
                    signature.ident
                ),
            );
        }
        return Error::new_spanned(
            signature.fn_token,
            format!(
                "a call over the limit waits, so the function must be async: write `async fn {}`, \
                 or add `blocking` to run it on tokio's blocking pool",
                signature.ident
            ),
        );
    }
    let instead = "the limit goes into the future that this function returns, which must be an \
         `async` block at its end: end with `async move { … }` or `Box::pin(async move { … })`, \
         or write `async fn`";
    match end {
        Some(end) => Error::new_spanned(end, instead),
        None => Error::new_spanned(&signature.ident, instead),
    }
}

/// Returns the error for a function that hands the `async` block at its end to a method which may
/// go on after the block.
pub(super) fn goes_on_after_block(method: &Ident) -> Error {
    Error::new_spanned(
        method,
        format!(
            "the permit is held while the `async` block runs, and what `.{method}(…)` does may come \
             after that: write `async fn` and `.await` each step in it, or do all of them in one \
             `async` block"
        ),
    )
}

/// Returns whether the return type names a future.
pub(super) fn returns_future(signature: &Signature) -> bool {
    words(signature.output.to_token_stream()).iter().any(|word| word.ends_with("Future"))
}

/// Returns whether the signature's output is a stream by its name: `impl Stream<…>`, `dyn Stream<…>`
/// or `BoxStream<…>`. A `Stream` without `impl` or `dyn` is a type of that name.
pub(super) fn returns_stream(signature: &Signature) -> bool {
    let mut after_trait_word = false;
    words(signature.output.to_token_stream()).iter().any(|word| match word.as_str() {
        "impl" | "dyn" => {
            after_trait_word = true;
            false
        }
        "Stream" | "TryStream" => after_trait_word,
        "BoxStream" | "LocalBoxStream" => true,
        // Modules may stand between: `impl futures::Stream`.
        word => {
            after_trait_word &= word.starts_with(|first: char| first.is_lowercase());
            false
        }
    })
}

/// Returns the error for a function that returns a stream, beside `on_lease_lost = cancel`.
pub(super) fn not_cancelled(signature: &Signature) -> Error {
    Error::new_spanned(
        &signature.output,
        "`on_lease_lost = cancel` drops the body of a function, and this one returns a stream, which \
         runs after that: leave the option out, take the permit (`permit = permit`), and end the \
         stream when `permit.lease_lost()` is ready",
    )
}

/// Returns all words of these tokens in their order.
fn words(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(word) => vec![word.to_string()],
        TokenTree::Group(group) => words(group.stream()),
        _ => Vec::new(),
    });
    words.flatten().collect()
}

/// Returns the error for `blocking` on a function that does not block, for this reason.
pub(super) fn not_blocking(blocking: &Ident, reason: &str) -> Error {
    Error::new_spanned(
        blocking,
        format!(
            "`blocking` is for a function that blocks its thread, and {reason}: leave the option \
             out, or make it a plain `fn` that does not await"
        ),
    )
}
