//! Which names of a configuration mean a limiter.

use wildmatch::WildMatchPattern;

/// `*` stands for any text, and nothing else for anything but itself.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    // No character for "any one": the one given here is in no name of Rust's, nor likely in others.
    WildMatchPattern::<'*', '\u{0}'>::new(pattern).matches(name)
}

pub(super) fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// How closely a name or pattern means a limiter: the more of its own text, the closer; a name without
/// a wildcard is the closest.
pub(super) fn closeness(pattern: &str) -> (bool, usize) {
    let own = pattern.chars().filter(|&character| character != '*').count();
    (!is_pattern(pattern), own)
}

/// The name most like one that is nobody's, if it may be meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // As compilers do it: a third of the letters may be wrong.
    let length = name.chars().count();
    let most = length.max(3) / 3;
    known
        // The others cannot be near, and to compare is slow.
        .filter(|known| known.chars().count().abs_diff(length) <= most)
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}
