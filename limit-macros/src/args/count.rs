//! Options that are numbers: what can be known about them without knowing types.

use super::bare;
use proc_macro2::Span;
use syn::{Error, Expr, ExprLit, Lit, LitInt, Result, UnOp};

/// What an option that is a number accepts.
pub(super) struct Count {
    option: &'static str,
    type_name: &'static str,
    largest: u64,
    /// Why it is not zero, if it must not be.
    not_zero: Option<&'static str>,
    /// A closure, or what has to wait, is not evaluated here; this says when the expression is.
    evaluated: &'static str,
}

pub(super) const MAX_WAITING: Count = Count {
    option: "max_waiting",
    type_name: "usize",
    largest: u64::MAX,
    not_zero: None,
    evaluated: "once",
};

pub(super) const TOTAL: Count = Count {
    option: "total",
    type_name: "usize",
    largest: u64::MAX,
    not_zero: Some("a total of 0 would let no call in, ever: write a number from 1 up"),
    evaluated: "once",
};

pub(super) const WEIGHT: Count = Count {
    option: "weight",
    type_name: "u32",
    largest: u32::MAX as u64,
    not_zero: None,
    evaluated: "for each call",
};

pub(super) const PRIORITY: Count = Count {
    option: "priority",
    type_name: "u8",
    largest: u8::MAX as u64,
    not_zero: None,
    evaluated: "for each call",
};

impl Count {
    /// Refuses what can be seen not to be such a number.
    pub(super) fn check(&self, value: &Expr) -> Result<Expr> {
        let Self { option, type_name, evaluated, .. } = self;
        let problem = match bare(value) {
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => return self.literal(number),
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
        Err(Error::new_spanned(bare(value), problem))
    }

    fn literal(&self, number: &LitInt) -> Result<Expr> {
        let Self { option, type_name, largest, .. } = *self;
        let refuse = |message: String| Err(Error::new_spanned(number, message));
        if !number.suffix().is_empty() && number.suffix() != type_name {
            return refuse(format!(
                "`{option}` is a `{type_name}`, not `{}`: write `{}`",
                number.suffix(),
                number.base10_digits()
            ));
        }
        let value = number.base10_parse::<u64>().ok().filter(|&value| value <= largest);
        match (value, self.not_zero) {
            (None, _) => refuse(format!("`{option}` is too large: the largest is {largest}")),
            (Some(0), Some(why)) => refuse(String::from(why)),
            (Some(value), _) => {
                // A token of ours: the digits of an attribute are not for lints about literals. And
                // without a suffix: a 32-bit target's compiler is to see what is too large there.
                let span = number.span().resolved_at(Span::mixed_site());
                let lit = Lit::Int(LitInt::new(&value.to_string(), span));
                Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit }))
            }
        }
    }
}

/// Whether this is the number 0, written as such.
pub(super) fn is_zero(value: &Expr) -> bool {
    let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = bare(value) else {
        return false;
    };
    number.base10_parse::<u64>().is_ok_and(|value| value == 0)
}
