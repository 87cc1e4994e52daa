//! States with the names of their keys.

use super::{KeyChunk, KeyState, KeyStates, StateChunk, slab};

impl KeyStates {
    /// Returns some thousands of the states, so that a caller need not look at all of them under one
    /// lock. `None` after the last part. Free numbers are among them, which nobody holds or waits
    /// for.
    pub(in super::super) fn part(&self, part: usize) -> Option<impl Iterator<Item = Shown<'_>>> {
        Some(self.slab.part(part)?.flat_map(shown))
    }
}

/// A state, and how to name its key.
pub(in super::super) struct Shown<'a> {
    pub(in super::super) state: &'a KeyState,
    hash: u32,
    keys: &'a dyn KeyChunk,
    offset: usize,
}

impl Shown<'_> {
    /// Returns the key itself if it is a text, a number or an address. Otherwise returns its type and
    /// its hash.
    pub(in super::super) fn name(&self) -> String {
        let name = self.keys.name(self.offset);
        name.unwrap_or_else(|type_name| format!("{type_name} #{:08x}", self.hash))
    }
}

fn shown(chunk: &slab::Chunk<StateChunk, dyn KeyChunk>) -> impl Iterator<Item = Shown<'_>> {
    let slab::Chunk { content: StateChunk { states, links }, besides: keys, .. } = chunk;
    let all = states.iter().zip(links).enumerate();
    all.map(move |(offset, (state, link))| Shown { state, hash: link.hash, keys, offset })
}
