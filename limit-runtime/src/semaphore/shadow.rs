//! The mode in which a limit is a shadow: calls that would wait are admitted, and counted.

use std::collections::VecDeque;

/// The weights of the calls that were admitted over the limit and would still wait.
///
/// The weights lie in pieces, and a piece goes when all its calls have been passed. So no call copies
/// all of them, and no memory is kept of a long queue.
#[derive(Debug, Default)]
pub(super) struct ShadowQueue {
    pieces: VecDeque<Vec<u32>>,
    /// The calls of the first piece that have been passed.
    passed: usize,
    length: usize,
    /// The permits of all calls that would wait.
    sum: u64,
}

impl ShadowQueue {
    /// Calls in a piece.
    const PIECE: usize = 1024;

    /// Returns the number of calls that would wait.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Adds a call that would wait.
    pub(super) fn join(&mut self, weight: u32) {
        match self.pieces.back_mut().filter(|last| last.len() < Self::PIECE) {
            Some(last) => last.push(weight),
            None => self.pieces.push_back(vec![weight]),
        }
        self.length += 1;
        self.sum += u64::from(weight);
    }

    /// Removes the calls that would have been admitted by now, given how many permits are out over the
    /// limit.
    pub(super) fn settle(&mut self, excess: u32) {
        while let Some(piece) = self.pieces.front() {
            let first = u64::from(piece[self.passed]);
            // The first call has room when the excess is no more than what those behind it took.
            if self.sum - first < u64::from(excess) {
                return;
            }
            self.passed += 1;
            self.length -= 1;
            self.sum -= first;
            if self.passed == piece.len() {
                self.pieces.pop_front();
                self.passed = 0;
            }
        }
        // All have been passed: the table of pieces goes too.
        self.pieces = VecDeque::new();
    }
}
