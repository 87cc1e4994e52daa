//! Figures of single keys.

use super::super::permits::Semaphore;
use super::Keys;
use crate::metrics::KeyReading;
use std::cmp::Reverse;

impl Semaphore {
    /// Returns up to `most` keys, those with the most waiters and holders first.
    pub(crate) fn busiest_keys(&self, most: usize) -> Vec<KeyReading> {
        let mut busiest = Vec::new();
        let mut part = 0;
        // Part by part, so that the lock is not held for as long as there are keys.
        while self.lock().keys().is_some_and(|keys| keys.busiest(part, most, &mut busiest)) {
            part += 1;
        }
        busiest
    }
}

impl Keys {
    /// Looks for the keys with the most waiters and holders among some thousands of them and those
    /// found so far. Keeps `most` of them. Returns whether there are more keys to look at.
    fn busiest(&self, part: usize, most: usize, busiest: &mut Vec<KeyReading>) -> bool {
        let Some(shown) = self.states.part(part) else { return false };
        let mut busy: Vec<_> = shown
            .map(|shown| ((shown.state.waiting, shown.state.held()), shown))
            .filter(|(busy, _)| *busy > (0, 0))
            .collect();
        if busy.len() > most {
            busy.select_nth_unstable_by(most, |(one, _), (other, _)| other.cmp(one));
            busy.truncate(most);
        }
        for ((waiting, in_use), shown) in busy {
            let figures = KeyReading::new(shown.name(), in_use as usize, waiting as usize);
            // The key may have gone and come back since another part was looked at.
            busiest.retain(|known| known.name != figures.name);
            busiest.push(figures);
        }
        busiest.sort_by_key(|known| Reverse((known.waiting, known.in_use)));
        busiest.truncate(most);
        true
    }
}
