//! Calls that would wait, if anybody did.

use std::collections::VecDeque;

/// The weights of the calls that were let in over the limit and would not have been by now.
///
/// In pieces, which go when they have been passed: no call copies all of them, and nothing is kept of
/// many.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    pieces: VecDeque<Vec<u32>>,
    /// How many of the first piece have been passed.
    passed: usize,
    length: usize,
    sum: u64,
}

impl Shadows {
    /// Calls in a piece.
    const PIECE: usize = 1024;

    /// How many calls would wait.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// One more would.
    pub(super) fn join(&mut self, weight: u32) {
        match self.pieces.back_mut().filter(|last| last.len() < Self::PIECE) {
            Some(last) => last.push(weight),
            None => self.pieces.push_back(vec![weight]),
        }
        self.length += 1;
        self.sum += u64::from(weight);
    }

    /// So many permits are out over the limit: whoever has room now would have been let in.
    pub(super) fn settle(&mut self, excess: u32) {
        while let Some(piece) = self.pieces.front() {
            let first = u64::from(piece[self.passed]);
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
        self.pieces = VecDeque::new();
    }
}
