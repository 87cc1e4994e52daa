//! Paths among the tokens of a macro, where there is no syntax tree.

use crate::tree::line;
use proc_macro2::{TokenStream, TokenTree};

/// A path and the line at which it stands.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// The paths in the tokens, in groups too.
///
/// A single name counts if it can hardly be anything but an item's: it begins with a capital letter.
pub(crate) fn words(tokens: TokenStream) -> Vec<Word> {
    let mut found = Vec::new();
    collect(tokens, &mut found);
    found.retain(|word| word.path.len() > 1 || word.path[0].starts_with(char::is_uppercase));
    found
}

/// The tokens before a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Two colons and a path before them.
    Path,
    /// Two colons and nothing of a path, as in `<T>::NAME` and `::name`.
    Colons,
    /// A point, as before a field and a method.
    Point,
    Other,
}

fn collect(tokens: TokenStream, found: &mut Vec<Word>) {
    let mut before = Before::Other;
    let mut after_ident = false;
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                match before {
                    Before::Path => {
                        found.last_mut().expect("a path is under way").path.push(name);
                        after_ident = true;
                    }
                    Before::Colons | Before::Point => after_ident = false,
                    Before::Other => {
                        found.push(Word { path: vec![name], line: line(ident.span()) });
                        after_ident = true;
                    }
                }
                (before, colons) = (Before::Other, 0);
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                colons += 1;
                if colons == 2 {
                    before = if after_ident { Before::Path } else { Before::Colons };
                    (colons, after_ident) = (0, false);
                }
            }
            TokenTree::Punct(punct) => {
                before = if punct.as_char() == '.' { Before::Point } else { Before::Other };
                (colons, after_ident) = (0, false);
            }
            TokenTree::Group(group) => {
                collect(group.stream(), found);
                (before, colons, after_ident) = (Before::Other, 0, false);
            }
            TokenTree::Literal(_) => (before, colons, after_ident) = (Before::Other, 0, false),
        }
    }
}
