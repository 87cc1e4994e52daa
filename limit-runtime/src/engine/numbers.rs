//! The numbers of limiters that were made with one name.

use std::collections::BTreeMap;

/// The lowest number. The first limiter has the name without a number.
const LOWEST: u64 = 2;

/// The free numbers. Their memory grows with the gaps between taken numbers, and with nothing else.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Spans of free numbers: the key is the first number of a span, the value the last.
    free: BTreeMap<u64, u64>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { free: BTreeMap::from([(LOWEST, u64::MAX)]) }
    }
}

impl Numbers {
    /// Takes the smallest free number.
    pub(super) fn take(&mut self) -> u64 {
        let (number, last) = self.free.pop_first().expect("fewer than 2^64 limiters");
        if number < last {
            self.free.insert(number + 1, last);
        }
        number
    }

    /// Frees a number, unless it is free already.
    pub(super) fn give_back(&mut self, number: u64) {
        let before = self.free.range(..=number).next_back().map(|(&first, &last)| (first, last));
        if number < LOWEST || before.is_some_and(|(_, last)| last >= number) {
            return;
        }
        // The span grows by the free spans next to it.
        let first = match before {
            Some((first, last)) if last + 1 == number => first,
            _ => number,
        };
        let last = self.free.remove(&(number + 1)).unwrap_or(number);
        self.free.insert(first, last);
    }
}

#[cfg(all(test, not(limit_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_taken_and_spans_that_touch_are_one() {
        let mut numbers = Numbers::default();
        let taken: Vec<_> = (0..9).map(|_| numbers.take()).collect();
        assert_eq!(taken, (2..11).collect::<Vec<_>>());
        for number in [5, 3, 9, 4, 9, 11, 1_000, 1, 0] {
            numbers.give_back(number);
        }
        assert_eq!(numbers.free, BTreeMap::from([(3, 5), (9, 9), (11, u64::MAX)]));
        numbers.give_back(10);
        assert_eq!(numbers.free, BTreeMap::from([(3, 5), (9, u64::MAX)]));
        assert_eq!([(); 5].map(|()| numbers.take()), [3, 4, 5, 9, 10]);
        (2..11).rev().for_each(|number| numbers.give_back(number));
        assert_eq!(numbers.free, Numbers::default().free);
    }

    /// Holds for any numbers taken before, and for any order of giving them back.
    #[test]
    fn what_is_kept_is_no_more_than_the_gaps_between_those_that_are_taken() {
        let mut numbers = Numbers::default();
        let mut taken: Vec<_> = (0..10_000).map(|_| numbers.take()).collect();
        let mut index = 0;
        while taken.len() > 2 {
            index = (index + 7_919) % taken.len();
            numbers.give_back(taken.swap_remove(index));
            assert!(numbers.free.len() <= taken.len() + 1);
        }
        assert_eq!(numbers.take(), 2);
    }
}
