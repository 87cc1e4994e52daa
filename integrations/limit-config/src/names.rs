//! Which names of a configuration mean a limiter.

use std::borrow::Cow;
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
    let Some((start, end)) = name.split_once('*') else {
        return most_like(name, known.map(|known| (Cow::Borrowed(known), known)));
    };
    // What is between two stars may be anywhere, and of a letter or two every name has something.
    let (start, end) = (start.chars().count(), end.chars().count());
    if name.matches('*').count() > 1 || start + end < 3 {
        return None;
    }
    let own = name.replace('*', "");
    most_like(&own, known.map(|known| (ends(known, start, end).into(), known)))
}

/// So many of a name's first and last characters.
fn ends(name: &str, start: usize, end: usize) -> String {
    let length = name.chars().count();
    let is_of_the_ends = |place: usize| place < start || place + end >= length;
    name.chars().enumerate().filter(|(place, _)| is_of_the_ends(*place)).map(|(_, it)| it).collect()
}

/// Of names, each with what is to be compared of it.
fn most_like<'a>(
    text: &str,
    known: impl Iterator<Item = (Cow<'a, str>, &'a str)>,
) -> Option<&'a str> {
    // As compilers do it: a third of the letters may be wrong.
    let length = text.chars().count();
    let most = length.max(3) / 3;
    known
        // The others cannot be near, and to compare is slow.
        .filter(|(like, _)| like.chars().count().abs_diff(length) <= most)
        .map(|(like, known)| (strsim::osa_distance(text, &like), known))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known)
}
