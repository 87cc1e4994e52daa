//! The states of all keys, and the keys themselves, by number.

#[cfg(feature = "inspect")]
mod shown;

use super::super::deferred::Garbage;
use super::super::lease::KeyLease;
use super::super::pace::{Pace, ToJoin};
use super::super::rate::cooled_at;
use super::super::release_rate::ReleaseRate;
use super::super::shadow::ShadowQueue;
use super::super::slab::{self, Slab};
use super::super::slots::NO_KEY;
use super::super::wait_list::WaitList;
use super::own::{COMMON, OwnLimits};
#[cfg(feature = "inspect")]
pub(super) use shown::Shown;
use std::any::{Any, TypeId, type_name};
use std::collections::VecDeque;
use std::mem;
use std::ops::Range;
use tokio::time::Instant;

/// The state of a key, in one cache line. The parts that few keys need stand apart.
#[derive(Debug)]
#[repr(align(64))]
pub(in super::super) struct KeyState {
    pub(in super::super) list: WaitList,
    /// Permits that are out, and those that cool.
    pub(in super::super) in_use: u32,
    pub(in super::super) waiting: u32,
    /// Calls that were admitted, which wrap at 2³².
    pub(in super::super) admitted: u32,
    /// The limit that the key has in place of that of each; [`COMMON`] if it has none.
    pub(super) own_limit: u32,
    /// It is in the set of the keys that are waited for.
    pub(super) is_waited_for: bool,
    /// A holder of the key waits for more permits.
    pub(in super::super) grows: bool,
    /// Its turn, if it has one.
    pub(super) turn: Option<Turn>,
    rare: Option<Box<Rare>>,
}

/// The links of a key that has a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// The key with the turn before, [`NO_KEY`] at the first.
    pub(super) previous: u32,
    /// The key with the next turn, [`NO_KEY`] at the last.
    pub(super) next: u32,
    /// It was given before all others.
    pub(super) is_first: bool,
}

/// The link of a key in its bucket. It stands apart from the state, so that many links are in the
/// processor's caches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The lower half of the key's hash.
    pub(super) hash: u32,
    /// The next key in this bucket, [`NO_KEY`] after the last.
    pub(super) next: u32,
}

/// The parts of a state that few keys need.
#[derive(Debug, Default)]
struct Rare {
    cooling: u32,
    /// The permits that cool, by the time until which they do, in order.
    cools: VecDeque<(Instant, u32)>,
    release_rate: ReleaseRate,
    pace: Pace,
    shadow_queue: ShadowQueue,
    /// The lease of its permits, if they are a fleet's.
    lease: Option<Box<KeyLease>>,
}

#[derive(Debug)]
pub(super) struct KeyStates {
    /// The states in chunks. Each chunk has keys of one type, and its kind is the number of that
    /// type.
    slab: Slab<StateChunk, KEYS, dyn KeyChunk>,
    types: Vec<(TypeId, &'static str)>,
    length: usize,
}

/// Keys in a chunk: few, because most limiters have few.
const KEYS: u32 = 32;

const _: () = assert!(size_of::<KeyState>() == 64, "it is one cache line");

/// States and links in one piece, so that one look-up finds both.
#[derive(Debug)]
struct StateChunk {
    states: [KeyState; KEYS as usize],
    links: [Link; KEYS as usize],
}

/// The keys of a chunk, whatever their type.
trait KeyChunk: Any + Send + std::fmt::Debug {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    /// Takes a key out. Returns it if it is to be dropped.
    fn take(&mut self, offset: usize) -> Option<Box<dyn Any + Send>>;
    /// Returns a key as text, if that takes no code of the user's. Otherwise returns the name of its
    /// type.
    #[cfg(any(feature = "diagnostics", feature = "fleet", feature = "inspect"))]
    fn name(&self, offset: usize) -> Result<String, &'static str>;
    /// Returns a key, if there is one.
    fn key_as_any(&self, offset: usize) -> Option<&dyn Any>;
}

struct Typed<K>([Option<K>; KEYS as usize]);

impl<K: Send + 'static> KeyChunk for Typed<K> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn take(&mut self, offset: usize) -> Option<Box<dyn Any + Send>> {
        let key = self.0[offset].take()?;
        mem::needs_drop::<K>().then(|| Box::new(key) as Box<dyn Any + Send>)
    }

    #[cfg(any(feature = "diagnostics", feature = "fleet", feature = "inspect"))]
    fn name(&self, offset: usize) -> Result<String, &'static str> {
        let key = self.0[offset].as_ref();
        key.and_then(|key| super::name::name(key)).ok_or(type_name::<K>())
    }

    fn key_as_any(&self, offset: usize) -> Option<&dyn Any> {
        self.0[offset].as_ref().map(|key| key as &dyn Any)
    }
}

impl<K> std::fmt::Debug for Typed<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

impl KeyStates {
    pub(super) fn new() -> Self {
        Self { slab: Slab::new(), types: Vec::new(), length: 0 }
    }

    /// Returns how many keys there are.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &KeyState {
        let (chunk, offset) = self.slab.get(number);
        &chunk.content.states[offset]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> &mut KeyState {
        let (chunk, offset) = self.slab.get_mut(number);
        &mut chunk.content.states[offset]
    }

    #[inline]
    pub(super) fn link(&self, number: u32) -> Link {
        let (chunk, offset) = self.slab.get(number);
        chunk.content.links[offset]
    }

    #[inline]
    pub(super) fn link_mut(&mut self, number: u32) -> &mut Link {
        let (chunk, offset) = self.slab.get_mut(number);
        &mut chunk.content.links[offset]
    }

    /// Returns whether a number is that of this key. Otherwise returns the next number to look at.
    #[inline]
    pub(super) fn check<K: Eq + 'static>(
        &self,
        number: u32,
        hash: u32,
        key: &K,
    ) -> Result<(), u32> {
        let (chunk, offset) = self.slab.get(number);
        let link = chunk.content.links[offset];
        let is_it = link.hash == hash && chunk.besides.key::<K>(offset) == Some(key);
        if is_it { Ok(()) } else { Err(link.next) }
    }

    /// Does the same, and returns the state of the key if it is this one.
    #[inline]
    pub(super) fn check_mut<K: Eq + 'static>(
        &mut self,
        number: u32,
        hash: u32,
        key: &K,
    ) -> Result<&mut KeyState, u32> {
        let (chunk, offset) = self.slab.get_mut(number);
        let link = chunk.content.links[offset];
        let is_it = link.hash == hash && chunk.besides.key::<K>(offset) == Some(key);
        if is_it { Ok(&mut chunk.content.states[offset]) } else { Err(link.next) }
    }

    /// Returns the numbers of the first chunk that is there, from a chunk on.
    pub(super) fn chunk_of_numbers(&self, from: u32) -> Option<Range<u32>> {
        let chunk = self.slab.chunk_from(from)?;
        Some(chunk * KEYS..(chunk + 1) * KEYS)
    }

    /// Returns the chunk after the one with these numbers.
    pub(super) fn chunk_after(numbers: &Range<u32>) -> u32 {
        numbers.end / KEYS
    }

    /// Looks up the own limit of the key with a number. `None` if no key has it.
    pub(super) fn find_own_limit(&self, number: u32, own: Option<&OwnLimits>) -> Option<u32> {
        let (chunk, offset) = self.slab.get(number);
        let key = chunk.besides.key_as_any(offset)?;
        let hash = chunk.content.links[offset].hash;
        Some(own.map_or(COMMON, |own| own.find(hash, key)))
    }

    /// Returns the types of all keys that there have been, with their names.
    pub(super) fn types(&self) -> &[(TypeId, &'static str)] {
        &self.types
    }

    /// Returns the numbers of all keys with holders, waiters or a lease. It looks at all keys.
    #[cfg(feature = "fleet")]
    pub(super) fn numbers_in_use(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        let mut next = 0;
        while let Some(all) = self.chunk_of_numbers(next) {
            next = Self::chunk_after(&all);
            numbers.extend(all.filter(|&number| !self.get(number).is_unused()));
        }
        numbers
    }

    /// Returns a key as text, if that takes no code of the user's.
    #[cfg(feature = "diagnostics")]
    pub(super) fn text(&self, number: u32) -> Option<String> {
        let (chunk, offset) = self.slab.get(number);
        chunk.besides.name(offset).ok()
    }

    /// Returns the text of a key, or if it has none, the name of its type.
    #[cfg(feature = "fleet")]
    pub(super) fn name(&self, number: u32) -> String {
        let (chunk, offset) = self.slab.get(number);
        chunk.besides.name(offset).unwrap_or_else(str::to_owned)
    }

    /// Adds a key. Returns its number.
    pub(super) fn add<K: Send + 'static>(&mut self, hash: u32, key: K, own_limit: u32) -> u32 {
        let type_id = TypeId::of::<K>();
        let known = self.types.iter().position(|(known, _)| *known == type_id);
        let kind = known.unwrap_or_else(|| {
            self.types.push((type_id, type_name::<K>()));
            self.types.len() - 1
        });
        let number = self.slab.take(kind, StateChunk::boxed::<K>);
        self.length += 1;
        let (chunk, offset) = self.slab.get_mut(number);
        chunk.content.states[offset] = KeyState { own_limit, ..KeyState::new() };
        chunk.content.links[offset] = Link { hash, next: NO_KEY };
        let keys: Option<&mut Typed<K>> = chunk.besides.as_any_mut().downcast_mut();
        keys.expect("a chunk's kind is the type of its keys").0[offset] = Some(key);
        number
    }

    /// Removes a key. Adds what is to be dropped after unlocking to the garbage.
    #[inline]
    pub(super) fn remove(&mut self, number: u32, garbage: &mut Garbage) {
        let (chunk, offset) = self.slab.get_mut(number);
        let state = &mut chunk.content.states[offset];
        if state.rare.is_some() || state.list.is_ranked() {
            garbage.push(Box::new(mem::replace(state, KeyState::new())));
        }
        garbage.extend(chunk.besides.take(offset));
        self.length -= 1;
        let emptied = self.slab.give_back(number);
        garbage.extend(emptied.map(|emptied| Box::new(emptied) as _));
    }
}

impl StateChunk {
    /// Makes a chunk for keys of a type.
    #[cold]
    fn boxed<K: Send + 'static>() -> Box<slab::Chunk<Self, dyn KeyChunk>> {
        let states = [const { KeyState::new() }; KEYS as usize];
        let links = [Link { hash: 0, next: NO_KEY }; KEYS as usize];
        let keys = Typed::<K>([const { None }; KEYS as usize]);
        slab::Chunk::new(Self { states, links }, keys)
    }
}

impl dyn KeyChunk {
    #[inline]
    fn key<K: 'static>(&self, offset: usize) -> Option<&K> {
        self.as_any().downcast_ref::<Typed<K>>()?.0[offset].as_ref()
    }
}

impl KeyState {
    const fn new() -> Self {
        Self {
            list: WaitList::new(),
            in_use: 0,
            waiting: 0,
            admitted: 0,
            own_limit: COMMON,
            is_waited_for: false,
            grows: false,
            turn: None,
            rare: None,
        }
    }

    /// Returns the key's limit: its own, if it has one, or else `common`.
    #[inline]
    pub(super) fn limit(&self, common: u32) -> u32 {
        if self.own_limit == COMMON { common } else { self.own_limit }
    }

    /// Returns whether it has neither holders nor waiters, nor permits that cool.
    pub(in super::super) fn is_idle(&self) -> bool {
        // A waiter that is away counts as one that waits, and is in no list.
        self.in_use == 0 && self.waiting == 0 && self.list.is_empty()
    }

    /// Returns whether it is idle and has no lease.
    #[inline]
    pub(super) fn is_unused(&self) -> bool {
        self.is_idle() && self.rare.as_ref().is_none_or(|rare| rare.lease.is_none())
    }

    /// Returns whether it has a turn that was given before all others.
    pub(super) fn is_first(&self) -> bool {
        self.turn.is_some_and(|turn| turn.is_first)
    }

    /// Returns the lease of its permits, if it has one.
    #[cfg(feature = "fleet")]
    pub(super) fn lease(&self) -> Option<&KeyLease> {
        self.rare.as_ref()?.lease.as_deref()
    }

    /// Returns the lease of its permits, to be changed.
    #[cfg(feature = "fleet")]
    pub(in super::super) fn lease_mut(&mut self) -> &mut Option<Box<KeyLease>> {
        &mut self.rare().lease
    }

    /// Returns the permits that are out.
    pub(in super::super) fn held(&self) -> u32 {
        self.in_use - self.cooling()
    }

    /// Takes permits for a call that is admitted.
    #[inline]
    pub(in super::super) fn take(&mut self, weight: u32) {
        self.in_use += weight;
        self.admitted = self.admitted.wrapping_add(1);
    }

    /// Returns the permits that cool.
    pub(in super::super) fn cooling(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.cooling)
    }

    /// Returns the rate at which its permits have come back.
    pub(in super::super) fn release_rate(&mut self) -> &mut ReleaseRate {
        &mut self.rare().release_rate
    }

    /// Returns its queue.
    pub(in super::super) fn queue_to_join(&mut self) -> ToJoin<'_> {
        ToJoin {
            list: &self.list,
            waiting: self.waiting as usize,
            out: self.in_use,
            served: self.admitted,
            pace: &mut self.rare.get_or_insert_default().pace,
        }
    }

    /// Forgets the pace of its queue.
    pub(in super::super) fn forget_pace(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.pace.forget();
        }
    }

    /// Returns the calls that would wait for it, if its limit is a shadow.
    pub(in super::super) fn shadow_queue(&mut self) -> &mut ShadowQueue {
        &mut self.rare().shadow_queue
    }

    /// Removes the calls that would have been admitted by now: see [`ShadowQueue::settle`].
    pub(super) fn settle(&mut self, excess: u32) {
        if let Some(rare) = &mut self.rare {
            rare.shadow_queue.settle(excess);
        }
    }

    /// Notes that permits that were out cool until a time.
    pub(in super::super) fn cool(&mut self, over: Instant, weight: u32) {
        let rare = self.rare();
        rare.cooling += weight;
        let position = rare.cools.partition_point(|&(earlier, _)| earlier <= over);
        rare.cools.insert(position, (over, weight));
    }

    /// Notes that the first permits of those that cool have cooled.
    pub(in super::super) fn cooled(&mut self, weight: u32) {
        let rare = self.rare();
        rare.cooling -= weight;
        rare.cools.pop_front();
    }

    /// Returns the time at which so many permits have cooled.
    pub(in super::super) fn cooled_at(&self, permits: u64) -> Option<Instant> {
        cooled_at(permits, self.rare.iter().flat_map(|rare| rare.cools.iter().copied()))
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}
