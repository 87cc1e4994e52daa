//! Keys, to be looked at.

use super::Keys;
use crate::metrics::KeyReading;
use std::cmp::Reverse;

impl Keys {
    /// Looks among some thousands of the keys for those with the most waiters and holders, beside those
    /// that were found so far, and keeps so many. Says whether there are more to look at.
    pub(in crate::semaphore) fn busiest(
        &self,
        part: usize,
        most: usize,
        busiest: &mut Vec<KeyReading>,
    ) -> bool {
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
            // It may have gone and come back since the others were looked at.
            busiest.retain(|known| known.name != figures.name);
            busiest.push(figures);
        }
        busiest.sort_by_key(|known| Reverse((known.waiting, known.in_use)));
        busiest.truncate(most);
        true
    }
}
