//! Figures of single keys.

use super::super::permits::Semaphore;
use super::Keys;
use super::states::{KeyState, Shown};
use crate::metrics::{KeyReading, KeyUse, KeysReading};
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

    /// Returns whether a call waits whose key is not paused: neither by the limit of each nor by one of its own. In a
    /// fleet, whose key has a share.
    pub(crate) fn has_key_to_move(&self) -> bool {
        let mut part = 0;
        loop {
            match self.lock().keys().and_then(|keys| keys.is_to_move(part)) {
                Some(false) => part += 1,
                found => return found.is_some(),
            }
        }
    }

    /// Adds its keys to a reading of a limiter's keys.
    pub(crate) fn read_keys(&self, reading: &mut KeysReading) {
        let mut part = 0;
        while self.lock().keys().is_some_and(|keys| keys.read(part, reading)) {
            part += 1;
        }
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
        for (_, shown) in busy {
            let figures = KeyReading::new(shown.name(), self.usage(shown.state));
            // The key may have gone and come back since another part was looked at.
            busiest.retain(|known| known.name != figures.name);
            busiest.push(figures);
        }
        busiest.sort_by_key(|known| Reverse((known.waiting, known.in_use)));
        busiest.truncate(most);
        true
    }

    /// Returns whether a call waits for one of some thousands of the keys that is not paused. `None` after the last part.
    fn is_to_move(&self, part: usize) -> Option<bool> {
        let mut shown = self.states.part(part)?;
        Some(shown.any(|Shown { state, .. }| state.waiting > 0 && self.limit_of_state(state) > 0))
    }

    /// Looks at some thousands of the keys. Returns whether there are more.
    fn read(&self, part: usize, reading: &mut KeysReading) -> bool {
        let Some(shown) = self.states.part(part) else { return false };
        let mut worst: Option<(KeyUse, Shown<'_>)> = None;
        for shown in shown.filter(|shown| !shown.state.is_idle()) {
            let usage = self.usage(shown.state);
            // A key that is paused has no permits.
            let is_paused = shown.state.limit(self.limit) == 0;
            reading.full += usize::from(!is_paused && shown.state.in_use as usize >= usage.limit);
            if worst.as_ref().is_none_or(|(worst, _)| usage.compare(worst).is_gt()) {
                worst = Some((usage, shown));
            }
        }
        // Only the worst of a part gets a name, because a name is a copy.
        if let Some((usage, shown)) = worst {
            if reading.worst.as_ref().is_none_or(|(worst, _)| usage.compare(worst).is_gt()) {
                reading.worst = Some((usage, shown.name()));
            }
        }
        true
    }

    fn usage(&self, state: &KeyState) -> KeyUse {
        KeyUse {
            waiting: state.waiting as usize,
            in_use: state.held() as usize,
            limit: self.limit_of_state(state) as usize,
        }
    }
}
