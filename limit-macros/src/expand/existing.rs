//! An existing limiter, borrowed for the call.

use super::runtime_path::RuntimePath;
use super::tokens::end_spans;
use crate::syntax::{argument_names, strip_parens};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Expr, ExprPath, Signature};

/// Makes the statement that borrows the limiter.
///
/// ```text
/// // before
/// limiter = LIMITER
///
/// // after: the compiler says of a `const` that it does not live long enough
/// let __limiter: &'static _ = &LIMITER;
///
/// // before
/// limiter = self.limiter
///
/// // after
/// let __limiter = &(self.limiter);
///
/// // before
/// limiter = limiter_of(tenant)
///
/// // after: the type says whether the value is a limiter, which would end with the call
/// let __limiter = &(limiter_of(tenant));
/// { use IsShared as _; Existing(__limiter).outlives_the_call() };
/// ```
pub(super) fn borrow(
    runtime: &RuntimePath,
    variable: &Ident,
    limiter: &Expr,
    function: &Signature,
) -> TokenStream {
    let span = Span::mixed_site();
    let limiter = strip_references(limiter);
    let start = end_spans(limiter).0;
    match LimiterKind::classify(limiter, function) {
        // Without parentheses the compiler shows the user's tokens alone.
        LimiterKind::Item => quote_spanned!(start=> let #variable: &'static _ = &#limiter;),
        LimiterKind::Variable => quote_spanned!(span=> let #variable = &(#limiter);),
        LimiterKind::Value => {
            let private = runtime.located_at(start).private(start);
            let check = quote_spanned!(start=> #private::Existing(#variable).outlives_the_call());
            let private = runtime.located_at(start).private(span);
            quote_spanned!(span=>
                let #variable = &(#limiter);
                { use #private::IsShared as _; #check };
            )
        }
    }
}

/// Makes the reference to the limiter that `acquire` takes.
///
/// ```text
/// // before
/// limiter = self.limiter
///
/// // after
/// &(*__limiter)
/// ```
///
/// The reference is coerced, so that a `Box`, an `Arc` or another reference will do. It stands
/// apart from the expression, so that the compiler does not expect a block or an `if` to be a
/// `Limiter` itself. It lies at the expression, so that a type error points there.
pub(super) fn reference(variable: &Ident, limiter: &Expr) -> TokenStream {
    let (start, end) = end_spans(limiter);
    let reference = quote_spanned!(start=> &);
    let mut pointee =
        Group::new(Delimiter::Parenthesis, quote_spanned!(Span::mixed_site()=> *#variable));
    pointee.set_span(end);
    quote_spanned!(start=> #reference #pointee)
}

/// Strips `&`, because the output borrows the limiter anyhow.
fn strip_references(mut limiter: &Expr) -> &Expr {
    loop {
        limiter = match strip_parens(limiter) {
            Expr::Reference(reference) if reference.mutability.is_none() => &reference.expr,
            limiter => return limiter,
        };
    }
}

/// The kind of expression that gives the limiter. It tells how long the limiter lives.
enum LimiterKind {
    /// A path to an item, or a part of one. A `static` lives for ever, a `const` as long as the
    /// call.
    Item,
    /// A variable or a field.
    Variable,
    /// A value: a reference to a limiter, or a limiter that ends with the call.
    Value,
}

impl LimiterKind {
    fn classify(limiter: &Expr, function: &Signature) -> Self {
        match strip_references(limiter) {
            Expr::Path(path) if is_item(path, function) => Self::Item,
            // Only the macro knows its expansion, and only the user's code shares a `&mut`.
            Expr::Path(_) | Expr::Macro(_) | Expr::Reference(_) => Self::Variable,
            Expr::Field(field) => Self::classify_part(&field.base, function),
            Expr::Index(index) => Self::classify_part(&index.expr, function),
            Expr::Unary(unary) => Self::classify_part(&unary.expr, function),
            _ => Self::Value,
        }
    }

    fn classify_part(whole: &Expr, function: &Signature) -> Self {
        match Self::classify(whole, function) {
            Self::Item => Self::Item,
            // The value may be a reference, and its part then outlives the call.
            Self::Variable | Self::Value => Self::Variable,
        }
    }
}

/// Returns whether a path can only be that of a `static` or a `const`.
fn is_item(path: &ExprPath, function: &Signature) -> bool {
    let Some(name) = path.path.get_ident().filter(|_| path.qself.is_none()) else {
        return true;
    };
    // Variables before an `async` block are not looked at. Their names have small letters.
    let is_written_large = !name.to_string().contains(char::is_lowercase);
    is_written_large && !argument_names(function).contains(name)
}
