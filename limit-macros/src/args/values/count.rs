//! Values that are whole numbers: what can be known about them without types.

use crate::syntax::strip_parens;
use proc_macro2::Span;
use syn::{Error, Expr, ExprLit, Lit, LitInt, Result, UnOp};

/// The numbers that an option accepts.
pub(in crate::args) struct CountRule {
    type_name: &'static str,
    largest: u64,
    /// The reason why 0 is refused, if it is.
    zero_refused: Option<&'static str>,
    /// The moments at which the expression is evaluated, for the error that a closure is not needed.
    evaluated: &'static str,
}

impl CountRule {
    /// A `usize` of the limiter.
    pub(in crate::args) const USIZE_ONCE: Self = Self {
        type_name: "usize",
        // The largest `usize` is the target's, which only the compiler knows.
        largest: u64::MAX,
        zero_refused: None,
        evaluated: "once",
    };

    /// A `u32` of the limiter.
    pub(in crate::args) const U32_ONCE: Self =
        Self { type_name: "u32", largest: u32::MAX as u64, zero_refused: None, evaluated: "once" };

    /// A `u32` of each call.
    pub(in crate::args) const U32_PER_CALL: Self = Self {
        type_name: "u32",
        largest: u32::MAX as u64,
        zero_refused: None,
        evaluated: "for each call",
    };

    /// A `u8` of each call.
    pub(in crate::args) const U8_PER_CALL: Self = Self {
        type_name: "u8",
        largest: u8::MAX as u64,
        zero_refused: None,
        evaluated: "for each call",
    };

    /// Returns the rule that also refuses 0, for this reason.
    pub(in crate::args) const fn without_zero(self, reason: &'static str) -> Self {
        Self { zero_refused: Some(reason), ..self }
    }

    /// Returns the value of `option`, or an error if its form alone shows that it is no such
    /// number.
    ///
    /// ```text
    /// // before
    /// 1_000
    ///
    /// // after
    /// 1000
    /// ```
    pub(in crate::args) fn read(&self, option: &str, value: &Expr) -> Result<Expr> {
        let Self { type_name, evaluated, .. } = self;
        let problem = match strip_parens(value) {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
                return self.read_literal(option, number);
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                format!("`{option}` is not negative: it is a `{type_name}`")
            }
            Expr::Lit(ExprLit { lit, .. }) => match lit {
                Lit::Str(_) => format!("`{option}` is a number: write it without quotes"),
                Lit::Float(_) => format!("`{option}` is a whole number: it is a `{type_name}`"),
                _ => format!("`{option}` is a number: it is a `{type_name}`"),
            },
            Expr::Tuple(_) | Expr::Array(_) | Expr::Range(_) => {
                format!("`{option}` is a single number: it is a `{type_name}`")
            }
            Expr::Closure(_) => format!(
                "`{option}` is a number, not a closure: write the expression alone, it is \
                 evaluated {evaluated}"
            ),
            Expr::Infer(_) => format!("`{option}` is a number: it is a `{type_name}`"),
            _ => return Ok(value.clone()),
        };
        Err(Error::new_spanned(strip_parens(value), problem))
    }

    fn read_literal(&self, option: &str, number: &LitInt) -> Result<Expr> {
        let Self { type_name, largest, zero_refused, .. } = *self;
        let refuse = |message: String| Err(Error::new_spanned(number, message));
        if !number.suffix().is_empty() && number.suffix() != type_name {
            return refuse(format!(
                "`{option}` is a `{type_name}`, not `{}`: write `{}`",
                number.suffix(),
                number.base10_digits()
            ));
        }
        let value = number.base10_parse::<u64>().ok().filter(|&value| value <= largest);
        match (value, zero_refused) {
            (None, _) => refuse(format!("`{option}` is too large: the largest is {largest}")),
            (Some(0), Some(why)) => refuse(String::from(why)),
            (Some(value), _) => {
                // The token resolves as ours, because lints about literals do not mean an
                // attribute. It has no suffix, so that the compiler of a 32-bit target reports a
                // number that is too large there.
                let span = number.span().resolved_at(Span::mixed_site());
                let lit = Lit::Int(LitInt::new(&value.to_string(), span));
                Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit }))
            }
        }
    }
}

/// Returns whether `value` is the literal 0.
pub(in crate::args) fn is_zero(value: &Expr) -> bool {
    let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = strip_parens(value) else {
        return false;
    };
    number.base10_parse::<u64>().is_ok_and(|value| value == 0)
}
