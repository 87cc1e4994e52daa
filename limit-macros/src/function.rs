//! The function that the attribute stands on.

mod borrowed;
mod captures;
mod kind;
mod output;
mod returns;
mod tail;

pub(crate) use self::captures::all_captured_names;
pub(crate) use self::output::body_output;
pub(crate) use self::tail::TailBlock;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Expr, Result, Signature, Token, Visibility};

/// A function that can be limited, in the user's own tokens.
pub(crate) struct Target {
    /// The attributes below ours.
    pub(crate) attributes: TokenStream,
    /// The attributes `#![…]` at the start of the body.
    pub(crate) inner_attributes: TokenStream,
    /// The visibility and the signature. With `blocking`, `async` is already in it.
    pub(crate) head: TokenStream,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// The body, by the part of it that holds the permit.
pub(crate) enum Body {
    /// The whole body of an `async` function. It is never parsed, so that an editor still completes
    /// inside a broken body.
    Async(Group),
    /// The `async` block at the body's end.
    Tail(TailBlock),
    /// The whole body, on the blocking pool. It is never parsed either. With the word `blocking`.
    Blocking(Ident, Group),
}

impl Target {
    /// Takes the item apart, or says why it cannot be limited and what to write instead. `blocking`
    /// is the user's word, if the option is given.
    ///
    /// ```text
    /// // before
    /// #[a] pub async fn f(x: T) -> R { #![allow(b)] body }
    ///
    /// // after
    /// Target {
    ///     attributes: #[a],
    ///     inner_attributes: #![allow(b)],
    ///     head: pub async fn f(x: T) -> R,
    ///     signature: async fn f(x: T) -> R,
    ///     body: Async({ body }),
    /// }
    /// ```
    pub(crate) fn parse(item: TokenStream, blocking: Option<&Ident>) -> Result<Self> {
        let item = strip_invisible_groups(item);
        let (attributes, rest) = split_attributes(&item);
        let parsed = parse_signature.parse2(rest.iter().cloned().collect());
        let Some((signature, body)) = parsed? else {
            return Err(kind::not_a_function(rest));
        };
        if let Some(constness) = signature.constness {
            return Err(Error::new_spanned(
                constness,
                match blocking {
                    None => "a `const fn` cannot wait, so it cannot be limited: write `async fn`",
                    Some(_) => {
                        "a `const fn` cannot wait, so it cannot be limited: leave out `const`"
                    }
                },
            ));
        }
        let Some(body) = body else {
            return Err(Error::new_spanned(
                &signature.ident,
                "a function without a body cannot be limited: put `#[concurrency_limit]` on the \
                 implementation",
            ));
        };
        let mut head = rest[..rest.len() - 1].iter().cloned().collect();
        let attributes = attributes.iter().cloned().collect::<TokenStream>();
        let (inner_attributes, body) = extract_inner_attributes(body);
        if signature.asyncness.is_some() {
            if let Some(blocking) = blocking {
                return Err(kind::not_blocking(blocking, "this one is `async`"));
            }
            let body = Body::Async(body);
            return Ok(Self { attributes, inner_attributes, head, signature, body });
        }
        kind::refuse_below_tokio(&attributes, &signature, &body)?;
        let tail = TailBlock::find(&signature, &body);
        let body = if let Some(blocking) = blocking {
            let is_a_future = tail.as_ref().map_or_else(|tail| tail.is_a_future, |_| true);
            if is_a_future || kind::returns_future(&signature) {
                return Err(kind::not_blocking(blocking, "this one returns a future"));
            }
            head = insert_async(head);
            Body::Blocking(blocking.clone(), body)
        } else {
            Body::Tail(tail.map_err(|tail| tail.error)?)
        };
        Ok(Self { attributes, inner_attributes, head, signature, body })
    }

    /// Refuses arguments that are borrowed, if the body goes to the blocking pool. Types whose form
    /// does not show it are left to the compiler.
    pub(crate) fn check_owns_arguments(&self) -> Result<()> {
        match &self.body {
            Body::Blocking(_, body) => borrowed::check(&self.signature, &body.stream()),
            Body::Async(_) | Body::Tail(_) => Ok(()),
        }
    }

    /// Refuses a function that returns a stream, if its body is dropped when a lease is lost: the stream
    /// runs after the body.
    pub(crate) fn check_is_no_stream(&self) -> Result<()> {
        if kind::returns_stream(&self.signature) {
            return Err(kind::not_cancelled(&self.signature));
        }
        Ok(())
    }

    /// Refuses a function that never returns, if its output is to be judged. `overload` is the user's
    /// expression.
    pub(crate) fn check_has_output(&self, overload: &Expr) -> Result<()> {
        if output::never_returns(&self.signature, matches!(self.body, Body::Tail(_))) {
            return Err(Error::new_spanned(
                overload,
                "this function never returns, so it has no output to look at: leave `overload` out",
            ));
        }
        Ok(())
    }

    /// Refuses a return type whose form shows that it cannot carry a refusal. `option` is the word
    /// because of which calls can be refused. Other types are left to the compiler.
    pub(crate) fn check_carries_refusal(&self, option: &Ident) -> Result<()> {
        match self.body {
            Body::Async(_) | Body::Blocking(..) => {
                returns::check_carries_refusal(&self.signature.output, option)
            }
            // The output of the returned future counts, and a name may hide it.
            Body::Tail(_) => Ok(()),
        }
    }
}

/// Inserts `async` after the visibility and `default`.
///
/// ```text
/// // before
/// pub unsafe fn f(x: T) -> R
///
/// // after
/// pub async unsafe fn f(x: T) -> R
/// ```
///
/// The word has the span of the word after it. If the signature began with a token of ours, lints
/// that leave macros alone would leave out the function.
fn insert_async(head: TokenStream) -> TokenStream {
    let mut with_async = TokenStream::new();
    let mut is_inserted = false;
    for token in head {
        let is_qualifier = match &token {
            TokenTree::Ident(word) => {
                ["unsafe", "extern", "fn"].iter().any(|keyword| word == keyword)
            }
            _ => false,
        };
        if is_qualifier && !is_inserted {
            with_async.extend([TokenTree::Ident(Ident::new("async", token.span()))]);
            is_inserted = true;
        }
        with_async.extend([token]);
    }
    with_async
}

/// Strips the groups without delimiters that a macro puts around its `$item`.
fn strip_invisible_groups(tokens: TokenStream) -> Vec<TokenTree> {
    let mut tokens: Vec<_> = tokens.into_iter().collect();
    loop {
        match tokens.as_slice() {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => {
                tokens = group.stream().into_iter().collect();
            }
            _ => return tokens,
        }
    }
}

/// Splits the tokens into the attributes at the start and the rest.
fn split_attributes(item: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    let is_attribute = |pair: &&[TokenTree]| match pair {
        [TokenTree::Punct(hash), TokenTree::Group(group)] => {
            hash.as_char() == '#' && group.delimiter() == Delimiter::Bracket
        }
        _ => false,
    };
    let attributes = item.chunks(2).take_while(is_attribute).count();
    item.split_at(2 * attributes)
}

/// Parses a function's signature and body. Returns `None` if the item is not a function.
fn parse_signature(input: ParseStream) -> Result<Option<(Signature, Option<Group>)>> {
    let ahead = input.fork();
    let is_function = ahead.parse::<Visibility>().is_ok() && {
        ahead.parse::<Option<Token![default]>>()?;
        kind::at_function(&ahead)
    };
    if !is_function {
        input.parse::<TokenStream>()?;
        return Ok(None);
    }
    input.parse::<Visibility>()?;
    input.parse::<Option<Token![default]>>()?;
    let signature = input.parse::<Signature>()?;
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok(Some((signature, None)));
    }
    let body = input.parse::<TokenTree>()?;
    match find_braces(&body) {
        Some(body) if input.is_empty() => Ok(Some((signature, Some(body)))),
        _ => Err(Error::new_spanned(body, "expected the body of the function in braces")),
    }
}

/// Returns the braces of the body, also if they come from a macro's `$body:block`.
fn find_braces(body: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = body else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => match strip_invisible_groups(group.stream()).as_slice() {
            [only] => find_braces(only),
            _ => None,
        },
        _ => None,
    }
}

/// Moves `#![…]` out of the body, because the block that the rest becomes cannot have them.
fn extract_inner_attributes(body: Group) -> (TokenStream, Group) {
    let split = |input: ParseStream| {
        let attributes = input.call(Attribute::parse_inner)?;
        Ok((attributes, input.parse::<TokenStream>()?))
    };
    match split.parse2(body.stream()) {
        Ok((attributes, rest)) if !attributes.is_empty() => {
            let mut stripped = Group::new(Delimiter::Brace, rest);
            stripped.set_span(body.span());
            (quote::quote!(#(#attributes)*), stripped)
        }
        _ => (TokenStream::new(), body),
    }
}
