//! What is known of each key, and the keys themselves, by number.

use super::super::rate::when_so_many;
use super::super::release_rate::ReleaseRate;
use super::super::shadow::ShadowQueue;
use super::super::slab::{self, Slab};
use super::super::slots::NO_KEY;
use super::super::wait_list::WaitList;
use super::name;
use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::mem;
use tokio::time::Instant;

/// How a key stands, in one cache line: what few keys have stands apart.
#[derive(Debug)]
#[repr(align(64))]
pub(in super::super) struct KeyState {
    pub(in super::super) list: WaitList,
    /// Permits that are out, and those that cool.
    pub(in super::super) in_use: u32,
    pub(in super::super) waiting: u32,
    /// Calls that were let in, wrapping.
    pub(in super::super) admitted: u32,
    /// The number of its turn, [`NO_TURN`] if it has none.
    pub(super) turn: u64,
    rare: Option<Box<Rare>>,
}

/// By what a key is found. Apart from its state, so that many are in the processor's caches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The lower half of it.
    pub(super) hash: u32,
    /// Another key in this bucket.
    pub(super) next: u32,
}

/// What few keys have.
#[derive(Debug)]
struct Rare {
    cooling: u32,
    /// Until when they cool and how many, the first first.
    cools: VecDeque<(Instant, u32)>,
    release_rate: ReleaseRate,
    shadow_queue: ShadowQueue,
}

/// Of a key that has no turn.
pub(super) const NO_TURN: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct KeyStates {
    /// Each chunk has keys of one type: its kind is the number of that.
    slab: Slab<Chunk, KEYS, dyn Keys>,
    types: Vec<TypeId>,
    length: usize,
}

/// Keys in a chunk: few, because most limiters have few.
const KEYS: u32 = 32;

/// In one piece, so that all that is looked at of a key is found at once.
#[derive(Debug)]
struct Chunk {
    states: [KeyState; KEYS as usize],
    links: [Link; KEYS as usize],
}

/// The keys of a chunk.
trait Keys: Any + Send + std::fmt::Debug {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    /// Takes a key out; returns it if there is anything to drop.
    fn take(&mut self, offset: usize) -> Option<Box<dyn Any + Send>>;
    /// What a person may know a key by, if it can be told without the user's own code; else its type.
    fn name(&self, offset: usize) -> Result<String, &'static str>;
}

struct Typed<K>([Option<K>; KEYS as usize]);

impl<K: Send + 'static> Keys for Typed<K> {
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

    fn name(&self, offset: usize) -> Result<String, &'static str> {
        let key = self.0[offset].as_ref();
        key.and_then(|key| name::name(key)).ok_or(std::any::type_name::<K>())
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

    /// How many keys there are.
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

    /// Whether that number is that of this key; else, the next to look at.
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

    /// Adds a key; its number.
    pub(super) fn add<K: Send + 'static>(&mut self, hash: u32, key: K) -> u32 {
        let of = TypeId::of::<K>();
        let kind = self.types.iter().position(|known| *known == of).unwrap_or_else(|| {
            self.types.push(of);
            self.types.len() - 1
        });
        let number = self.slab.take(kind, Chunk::boxed::<K>);
        self.length += 1;
        let (chunk, offset) = self.slab.get_mut(number);
        chunk.content.states[offset] = KeyState::new();
        chunk.content.links[offset] = Link { hash, next: NO_KEY };
        let keys: Option<&mut Typed<K>> = chunk.besides.as_any_mut().downcast_mut();
        keys.expect("a chunk's kind is the type of its keys").0[offset] = Some(key);
        number
    }

    /// Forgets a key. What is to be dropped after unlocking is added to the rest of it.
    #[inline]
    pub(super) fn remove(&mut self, number: u32, forgotten: &mut Vec<Box<dyn Any + Send>>) {
        let (chunk, offset) = self.slab.get_mut(number);
        let state = &mut chunk.content.states[offset];
        if state.rare.is_some() || state.list.is_ranked() {
            forgotten.push(Box::new(mem::replace(state, KeyState::new())));
        }
        forgotten.extend(chunk.besides.take(offset));
        self.length -= 1;
        let emptied = self.slab.give_back(number);
        forgotten.extend(emptied.map(|emptied| Box::new(emptied) as Box<dyn Any + Send>));
    }

    /// Some thousands of them, for who does not look at all of them under one lock; `None` after the
    /// last. There may be some among them that are no key's, which nobody holds or waits for.
    pub(super) fn part(&self, part: usize) -> Option<impl Iterator<Item = Shown<'_>>> {
        Some(self.slab.part(part)?.flat_map(shown))
    }
}

/// An state, and how to name it.
pub(super) struct Shown<'a> {
    pub(super) state: &'a KeyState,
    hash: u32,
    keys: &'a dyn Keys,
    offset: usize,
}

impl Shown<'_> {
    /// The key itself if it is a text, a number or an address, else its type and its hash.
    pub(super) fn name(&self) -> String {
        let name = self.keys.name(self.offset);
        name.unwrap_or_else(|of| format!("{of} #{:08x}", self.hash))
    }
}

impl Chunk {
    /// One for keys of that type.
    #[cold]
    fn boxed<K: Send + 'static>() -> Box<slab::Chunk<Self, dyn Keys>> {
        let states = [const { KeyState::new() }; KEYS as usize];
        let links = [Link { hash: 0, next: NO_KEY }; KEYS as usize];
        let keys = Typed::<K>([const { None }; KEYS as usize]);
        slab::Chunk::new(Self { states, links }, keys)
    }
}

impl dyn Keys {
    #[inline]
    fn key<K: 'static>(&self, offset: usize) -> Option<&K> {
        self.as_any().downcast_ref::<Typed<K>>()?.0[offset].as_ref()
    }
}

fn shown(chunk: &slab::Chunk<Chunk, dyn Keys>) -> impl Iterator<Item = Shown<'_>> {
    let slab::Chunk { content: Chunk { states, links }, besides: keys, .. } = chunk;
    let all = states.iter().zip(links).enumerate();
    all.map(move |(offset, (state, link))| Shown { state, hash: link.hash, keys, offset })
}

impl KeyState {
    const fn new() -> Self {
        Self {
            list: WaitList::new(),
            in_use: 0,
            waiting: 0,
            admitted: 0,
            turn: NO_TURN,
            rare: None,
        }
    }

    /// Permits that are out.
    pub(in super::super) fn held(&self) -> u32 {
        self.in_use - self.cooling()
    }

    /// Permits that cool.
    pub(in super::super) fn cooling(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.cooling)
    }

    /// At what rate its permits have come back.
    pub(in super::super) fn release_rate(&mut self) -> &mut ReleaseRate {
        &mut self.rare().release_rate
    }

    /// Who would wait for it.
    pub(in super::super) fn shadow_queue(&mut self) -> &mut ShadowQueue {
        &mut self.rare().shadow_queue
    }

    /// So many permits are out over the limit, see [`ShadowQueue::settle`].
    pub(super) fn settle(&mut self, excess: u32) {
        if let Some(rare) = &mut self.rare {
            rare.shadow_queue.settle(excess);
        }
    }

    /// Permits that were out cool.
    pub(in super::super) fn cool(&mut self, over: Instant, weight: u32) {
        let rare = self.rare();
        rare.cooling += weight;
        let place = rare.cools.partition_point(|&(earlier, _)| earlier <= over);
        rare.cools.insert(place, (over, weight));
    }

    /// The first of them have cooled.
    pub(in super::super) fn cooled(&mut self, weight: u32) {
        let rare = self.rare();
        rare.cooling -= weight;
        rare.cools.pop_front();
    }

    /// When so many permits have cooled.
    pub(in super::super) fn cooled_at(&self, permits: u64) -> Option<Instant> {
        when_so_many(permits, self.rare.iter().flat_map(|rare| rare.cools.iter().copied()))
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(|| {
            Box::new(Rare {
                cooling: 0,
                cools: VecDeque::new(),
                release_rate: ReleaseRate::new(),
                shadow_queue: ShadowQueue::default(),
            })
        })
    }
}
