//! The macro behind the list of options, and the table in the attribute's documentation.

/// Makes the types and the documentation from the rows.
macro_rules! options {
    ($(
        $(#[doc = $documentation:literal])+
        $option:ident {
            name: $name:literal,
            example: $example:literal $((in a table: $in_table:literal))?,
            $($rule:tt)+
        }
    )+) => {
        /// An option of the attribute.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(super) enum AttributeOption {
            $($(#[doc = $documentation])+ $option,)+
        }

        impl AttributeOption {
            /// All options, in the order in which messages list them.
            pub(super) const ALL: &'static [Self] = &[$(Self::$option),+];

            /// Returns the option's row.
            pub(super) const fn rule(self) -> &'static OptionRule {
                match self {
                    $(Self::$option => &const {
                        OptionRule { name: $name, example: $example, $($rule)+ }
                    },)+
                }
            }
        }

        /// Expands to the rows of the table of options in Markdown, as a string literal.
        macro_rules! options_table {
            () => {
                concat!($(
                    "| [`", $crate::args::first!($($in_table,)? $example), "`][option-", $name, "] |",
                    $($documentation,)+ " |\n",
                )+)
            };
        }
        pub(crate) use options_table;

        /// Expands to the targets of the table's links, as a string literal. They are absolute: this
        /// crate's page, and an editor, have no `limit_runtime` beside them. The page of
        /// `limit_runtime` has its own targets for the same links, which come first and so win.
        macro_rules! options_links {
            () => {
                $crate::args::links_to_guide!["limit" $($name)+]
            };
        }
        pub(crate) use options_links;
    };
}

/// Expands to the targets of the links `option-…`: headings of the guide of `limit-runtime`.
macro_rules! links_to_guide {
    ($($name:literal)+) => {
        concat!($(
            "[option-", $name, "]: https://docs.rs/limit-runtime/", env!("CARGO_PKG_VERSION"),
            "/limit_runtime/guide/options/index.html#", $name, "\n",
        )+)
    };
}

/// Expands to the first of its arguments.
macro_rules! first {
    ($first:literal $(, $other:literal)?) => {
        $first
    };
}

pub(super) use options;
pub(crate) use {first, links_to_guide};
