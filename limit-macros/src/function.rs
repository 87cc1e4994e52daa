//! The function that the attribute stands on.

mod kind;
mod returns;
mod tail;

pub(crate) use self::tail::TailBlock;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Result, Signature, Token, Visibility};

/// A function that can be limited, in the user's own tokens.
pub(crate) struct Target {
    /// The attributes below ours.
    pub(crate) attributes: TokenStream,
    /// Those inside the body, `#![…]`, at its start.
    pub(crate) inner_attributes: TokenStream,
    /// Visibility and signature.
    pub(crate) head: TokenStream,
    pub(crate) signature: Signature,
    pub(crate) body: Body,
}

/// Where in the body the permit is held.
pub(crate) enum Body {
    /// In all of it: the function is `async`. Never parsed, so that an editor still completes
    /// inside a broken body.
    Async(Group),
    /// In the `async` block at its end.
    Tail(TailBlock),
    /// On the blocking pool: the function is not `async`, and is made so. Not parsed either. With the
    /// word `blocking`.
    Blocking(Ident, Group),
}

impl Target {
    /// Takes the item apart, or says why it cannot be limited and what to write instead. `blocking` is
    /// that word, if it was given.
    pub(crate) fn parse(item: TokenStream, blocking: Option<&Ident>) -> Result<Self> {
        let item = without_invisible_group(item);
        let (attributes, rest) = split_attributes(&item);
        let signature = signature.parse2(rest.iter().cloned().collect());
        let Some((signature, body)) = signature? else {
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
        let (inner_attributes, body) = lift_inner_attributes(body);
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
            head = made_async(head);
            Body::Blocking(blocking.clone(), body)
        } else {
            Body::Tail(tail.map_err(|tail| tail.error)?)
        };
        Ok(Self { attributes, inner_attributes, head, signature, body })
    }

    /// Refuses a return type that can be seen not to be able to carry a refusal. `option` is why one
    /// may come. What cannot be seen is left to the types.
    pub(crate) fn check_carries_refusal(&self, option: &Ident) -> Result<()> {
        match self.body {
            Body::Async(_) | Body::Blocking(..) => {
                returns::check_carries_refusal(&self.signature.output, option)
            }
            // It is the future's output that counts, and it may be hidden behind a name.
            Body::Tail(_) => Ok(()),
        }
    }
}

/// Puts `async` where it belongs: after the visibility and `default`, before everything else.
///
/// It stands where the word does that it is put before: a signature that began with a token of ours
/// would count as a macro's, and lints that leave macros alone would leave out the function.
fn made_async(head: TokenStream) -> TokenStream {
    let mut made = TokenStream::new();
    let mut is_made = false;
    for token in head {
        let goes_before = match &token {
            TokenTree::Ident(word) => {
                ["unsafe", "extern", "fn"].iter().any(|keyword| word == keyword)
            }
            _ => false,
        };
        if goes_before && !is_made {
            made.extend([TokenTree::Ident(Ident::new("async", token.span()))]);
            is_made = true;
        }
        made.extend([token]);
    }
    made
}

/// A macro's `$item` comes in a group that is not in the source.
fn without_invisible_group(tokens: TokenStream) -> Vec<TokenTree> {
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

/// The attributes at the start, and what follows them.
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

/// A function's signature and body, `None` for what is not a function.
fn signature(input: ParseStream) -> Result<Option<(Signature, Option<Group>)>> {
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
    match body_group(&body) {
        Some(body) if input.is_empty() => Ok(Some((signature, Some(body)))),
        _ => Err(Error::new_spanned(body, "expected the body of the function in braces")),
    }
}

/// The braces of the body, also if a macro was given them as a `$body:block`.
fn body_group(body: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = body else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => match without_invisible_group(group.stream()).as_slice() {
            [only] => body_group(only),
            _ => None,
        },
        _ => None,
    }
}

/// Takes `#![…]` out of the body: on the block that the rest becomes they would not be allowed.
fn lift_inner_attributes(body: Group) -> (TokenStream, Group) {
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
