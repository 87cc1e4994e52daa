//! The lists of all variants of an enum.

/// Makes the list of all variants of an enum. Does not compile if one is missing. The variants after
/// `except` are not in the list.
macro_rules! all_variants {
    ($enum:ident: $($variant:ident),+ $(; except $other:pat)?) => {{
        const _: fn($enum) = |variant| match variant {
            $($enum::$variant => {})+
            $($other => {})?
        };
        [$($enum::$variant),+]
    }};
}

pub(crate) use all_variants;
