//! The tokens of the arguments that each call evaluates.

use super::existing;
use super::limiter::duration;
use super::runtime_path::RuntimePath;
use super::tokens::{end_spans, parenthesise, span_at, variable_at};
use crate::args::{DurationArg, PerCall};
use crate::syntax::strip_parens;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Signature, UnOp};

/// The tokens that one argument adds to a call.
pub(super) struct PerCallTokens<'a> {
    /// A `let` that evaluates the argument, or nothing.
    pub(super) statement: TokenStream,
    /// The use of the variable.
    pub(super) usage: Usage<'a>,
}

/// The use that a call makes of an argument.
pub(super) enum Usage<'a> {
    /// A reference to the limiter.
    Limiter(TokenStream),
    /// The variable with the key.
    Key(Ident),
    /// The expression with the name of the share. It is evaluated last, because it needs the limiter.
    Share(&'a Expr),
    /// A method call on the future that waits.
    Setter(TokenStream),
}

impl<'a> PerCallTokens<'a> {
    /// Makes the tokens of one argument.
    ///
    /// ```text
    /// // before
    /// key = tenant, weight = pages.len() as u32, enabled = flag
    ///
    /// // after: the statements
    /// let __key = Clone::clone(&(tenant));
    /// let __weight: u32 = (pages.len() as u32);
    /// let __enabled: bool = (flag);
    ///
    /// // after: the uses
    /// __key
    /// .weight(__weight)
    /// .enabled(__enabled)
    /// ```
    pub(super) fn new(runtime: &RuntimePath, argument: &'a PerCall, function: &Signature) -> Self {
        match argument {
            PerCall::Limiter(limiter) => {
                let variable = Ident::new("__limiter", Span::mixed_site());
                Self {
                    statement: existing::borrow(runtime, &variable, limiter, function),
                    usage: Usage::Limiter(existing::reference(&variable, limiter)),
                }
            }
            PerCall::Key(key) => {
                let value = own_key(strip_parens(key));
                Self {
                    statement: quote_spanned!(Span::mixed_site()=> let __key = #value;),
                    usage: Usage::Key(variable_at("__key", key)),
                }
            }
            PerCall::KeyText(key) => {
                // The call lies at the key: the compiler says there that it has no text.
                let span = end_spans(key).0;
                let value = parenthesise(key);
                let text = quote_spanned!(span=> ::std::string::ToString::to_string(&#value));
                Self {
                    statement: quote_spanned!(Span::mixed_site()=> let __key = #text;),
                    usage: Usage::Key(variable_at("__key", key)),
                }
            }
            PerCall::Share(share) => {
                Self { statement: TokenStream::new(), usage: Usage::Share(share) }
            }
            PerCall::KeyWeight(weight) => Self::new_setter("key_weight", Some("u32"), weight),
            PerCall::Weight(weight) => Self::new_setter("weight", Some("u32"), weight),
            PerCall::Priority(priority) => Self::new_setter("priority", Some("u8"), priority),
            PerCall::MaxWait(DurationArg::Expression(max_wait)) => {
                Self::new_setter("max_wait", None, max_wait)
            }
            PerCall::MaxWait(DurationArg::Literal(max_wait)) => {
                let max_wait = duration(*max_wait);
                Self {
                    statement: TokenStream::new(),
                    usage: Usage::Setter(quote_spanned!(Span::mixed_site()=> .max_wait(#max_wait))),
                }
            }
            PerCall::Enabled(enabled) => Self::new_setter("enabled", Some("bool"), enabled),
        }
    }

    /// Makes the tokens of an argument that the method `name` takes. Without a type, the method
    /// accepts several.
    fn new_setter(name: &str, primitive: Option<&str>, value: &Expr) -> Self {
        let span = Span::mixed_site();
        let method = Ident::new(name, span);
        let variable = format!("__{name}");
        let (declared, used) = (Ident::new(&variable, span), variable_at(&variable, value));
        let type_annotation = primitive.map(|primitive| {
            let primitive = Ident::new(primitive, span);
            quote_spanned!(span=> : ::core::primitive::#primitive)
        });
        let value = parenthesise(value);
        Self {
            statement: quote_spanned!(span=> let #declared #type_annotation = #value;),
            usage: Usage::Setter(quote_spanned!(span=> .#method(#used))),
        }
    }
}

/// Makes an owned value of a key.
///
/// ```text
/// // before
/// tenant, user.id, (tenant, format!("{id}"))
///
/// // after
/// Clone::clone(&(tenant)), Clone::clone(&(user.id)), (Clone::clone(&(tenant)), (format!("{id}")))
/// ```
///
/// A variable or field is cloned, because the body would not have it any more if it were moved. Any
/// other expression makes a value of its own.
fn own_key(key: &Expr) -> TokenStream {
    match key {
        Expr::Unary(unary) if !matches!(unary.op, UnOp::Deref(_)) => {
            parenthesise(key).to_token_stream()
        }
        Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Unary(_) => {
            let span = end_spans(key).0;
            quote_spanned!(span=> ::core::clone::Clone::clone(&(#key)))
        }
        Expr::Tuple(tuple) if tuple.attrs.is_empty() => {
            let elements = tuple.elems.iter().map(|element| own_key(strip_parens(element)));
            quote_spanned!(span_at(None)=> (#(#elements,)*))
        }
        key => parenthesise(key).to_token_stream(),
    }
}
