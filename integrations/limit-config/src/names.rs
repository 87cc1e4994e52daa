//! Decides which limiters a name in a configuration means.

use std::borrow::Cow;
use wildmatch::WildMatchPattern;

/// Returns whether the name or pattern means the limiter.
pub(crate) fn is_meant(pattern: &str, limiter: &str) -> bool {
    if is_pattern(pattern) { matches(pattern, limiter) } else { pattern == limiter }
}

pub(crate) fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// Returns whether the limiter matches the pattern. `*` stands for any text, and every other character for
/// itself.
fn matches(pattern: &str, limiter: &str) -> bool {
    // wildmatch also needs a character for "any one". NUL is in no path of Rust's, and in hardly any name.
    WildMatchPattern::<'*', '\u{0}'>::new(pattern).matches(limiter)
}

/// Counts the characters besides `*`. The pattern with more of them is closer.
pub(crate) fn closeness(pattern: &str) -> usize {
    pattern.chars().filter(|&character| character != '*').count()
}

/// Returns the limiter that a misspelt name may mean: the most similar one, if it is similar enough. It
/// compares the whole names, then their last path segments.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let Some((start, end)) = name.split_once('*') else {
        // A third of the characters may be wrong, as in the hints of compilers.
        let most = name.chars().count().max(3) / 3;
        let whole = known.iter().map(|&known| (Cow::Borrowed(known), known));
        return most_similar(name, most, whole).or_else(|| nearest_by_last_segment(name, known));
    };
    // The text between two stars has no position, and one or two characters are similar to every name.
    let (start, end) = (start.chars().count(), end.chars().count());
    if name.matches('*').count() > 1 || start + end < 3 {
        return None;
    }
    let own = name.replace('*', "");
    most_similar(
        &own,
        (start + end) / 3,
        known.iter().map(|&known| (ends(known, start, end).into(), known)),
    )
}

/// Finds `payments::charge` for `charge`, or for `billing::charge`.
fn nearest_by_last_segment<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let segment = last_segment(name);
    let length = segment.chars().count();
    // Many functions are called `get` or `new`.
    if length < 4 {
        return None;
    }
    // A segment says less than a whole name, so it has to be more similar.
    let segments = known.iter().map(|&known| (last_segment(known).into(), known));
    most_similar(segment, length / 4, segments)
}

fn last_segment(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// Returns the first `start` and the last `end` characters of a name.
fn ends(name: &str, start: usize, end: usize) -> String {
    let length = name.chars().count();
    let is_at_an_end = |index: usize| index < start || index + end >= length;
    let characters = name.chars().enumerate().filter(|(index, _)| is_at_an_end(*index));
    characters.map(|(_, character)| character).collect()
}

/// Returns the known name whose text is the most similar, if at most `most` edits turn one into the other.
/// Each known name comes after its text that is compared.
fn most_similar<'a>(
    text: &str,
    most: usize,
    known: impl Iterator<Item = (Cow<'a, str>, &'a str)>,
) -> Option<&'a str> {
    let length = text.chars().count();
    known
        // To compare is slow, and a text of another length cannot be similar.
        .filter(|(other, _)| other.chars().count().abs_diff(length) <= most)
        .map(|(other, known)| (strsim::osa_distance(text, &other), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_for_anything() {
        assert!(is_meant("payments::*", "payments::charge"));
        assert!(is_meant("*::charge", "payments::charge"));
        assert!(is_meant("*", ""));
        assert!(!is_meant("payments::*", "payment::charge"));
        assert!(!is_meant("a?c", "abc"));
        assert!(is_meant("a?*", "a?c"));
    }
}
