//! The macro behind the list of options.

/// Makes the types and the documentation from the rows.
macro_rules! options {
    ($(
        $(#[doc = $documentation:literal])+
        $option:ident {
            name: $name:literal,
            example: $example:literal,
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

        /// Expands to the list of the options in Markdown, as a string literal.
        macro_rules! options_list {
            () => {
                concat!($("* `", $example, "`:", $($documentation,)+ "\n",)+)
            };
        }
        pub(crate) use options_list;
    };
}

pub(super) use options;
