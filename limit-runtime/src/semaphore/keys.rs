//! The keys of a semaphore whose limit holds for each key.
//!
//! Everything about them is under the semaphore's lock: one queue with a line for each key. A key is
//! known by a number for as long as it has holders or waiters (or permits whose window is not over),
//! and then forgotten; its number is another's next.
//!
//! What a caller's key is, only [`KeySource`] and a table for its type know. Its hash is reckoned
//! before locking; its `Eq` and `Clone` run under the lock, where they must not use the limiter.
//! Keys that are forgotten are dropped after unlocking.
//!
//! # Turns
//!
//! A key whose first waiter could run, if only its own limit mattered, *has a turn*. Turns are served
//! in order as far as the total allows, one call each: a key that has been served goes to the end.
//! So while the total is reached, each waiting key gets as many calls as any other, however many of
//! them wait.

#[cfg(feature = "console")]
mod shown;

use super::line::Line;
use super::queue::Queue;
use super::rate::when_so_many;
use super::returns::Returns;
use super::shadow::Shadows;
use super::slots::NO_KEY;
#[cfg(feature = "console")]
pub(crate) use shown::KeyFigures;
use std::any::{Any, TypeId};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use tokio::time::Instant;

/// A caller's key, of whatever type.
pub(crate) trait KeySource {
    /// Its number, if it has one.
    fn find(&self, keys: &mut Keys) -> Option<u32>;
    /// Its number, a new one if it has none.
    fn intern(&self, keys: &mut Keys) -> u32;
}

/// A key and its hash.
#[derive(Clone, Debug)]
pub(crate) struct Hashed<K> {
    pub(crate) hash: u64,
    pub(crate) key: K,
}

impl<K: Eq + Clone + Send + 'static> KeySource for Hashed<K> {
    fn find(&self, keys: &mut Keys) -> Option<u32> {
        let table = keys.table::<K>();
        keys.find(table, self.hash, &self.key)
    }

    fn intern(&self, keys: &mut Keys) -> u32 {
        keys.intern(self.hash, &self.key)
    }
}

#[derive(Debug)]
pub(crate) struct Keys {
    /// The limit of each.
    pub(super) limit: u32,
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// The first number with a hash; [`Entry::next`] leads to the others.
    by_hash: HashMap<u64, u32, BuildHasherDefault<Hashes>>,
    tables: Vec<(TypeId, Box<dyn Table>)>,
    /// The keys that have a turn, by its number.
    turns: BTreeMap<u64, u32>,
    turns_given: u64,
    /// The keys that somebody waits for.
    waited_for: BTreeSet<u32>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: Line,
    /// Permits that are out, and those that cool.
    pub(super) in_use: u32,
    pub(super) cooling: u32,
    /// Until when they cool and how many, the first first.
    cools: VecDeque<(Instant, u32)>,
    pub(super) waiting: u32,
    /// Calls that were let in, wrapping.
    pub(super) admitted: u32,
    pub(super) returns: Returns,
    pub(super) shadows: Shadows,
    turn: Option<u64>,
    hash: u64,
    /// Another key with this hash.
    next: u32,
    table: usize,
}

/// The keys of one type, by number.
trait Table: Any + Send + std::fmt::Debug {
    fn as_any(&mut self) -> &mut dyn Any;
    /// Forgets a key; returns it if there is anything to drop.
    fn forget(&mut self, number: u32) -> Option<Box<dyn Any + Send>>;
    /// What a person may know a key by, if it can be told without the user's own code; else its type.
    #[cfg(feature = "console")]
    fn name(&self, number: u32) -> Result<String, &'static str>;
}

struct Typed<K>(Vec<Option<K>>);

impl<K: Send + 'static> Table for Typed<K> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn forget(&mut self, number: u32) -> Option<Box<dyn Any + Send>> {
        let key = self.0.get_mut(number as usize)?.take()?;
        std::mem::needs_drop::<K>().then(|| Box::new(key) as Box<dyn Any + Send>)
    }

    #[cfg(feature = "console")]
    fn name(&self, number: u32) -> Result<String, &'static str> {
        let key = self.0.get(number as usize).and_then(Option::as_ref);
        key.and_then(|key| shown::name(key)).ok_or(std::any::type_name::<K>())
    }
}

impl<K> std::fmt::Debug for Typed<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Typed").field(&self.0.len()).finish()
    }
}

/// Of what is a hash already.
#[derive(Default)]
struct Hashes(u64);

impl Hasher for Hashes {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Keys {
    /// With this many slots to spare, storage is given back when no key is left.
    const KEPT: usize = 1024;

    pub(super) fn new() -> Self {
        Self {
            limit: 0,
            entries: Vec::new(),
            free: Vec::new(),
            by_hash: HashMap::default(),
            tables: Vec::new(),
            turns: BTreeMap::new(),
            turns_given: 0,
            waited_for: BTreeSet::new(),
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) fn entry(&mut self, number: u32) -> &mut Entry {
        &mut self.entries[number as usize]
    }

    /// Whether permits are free for one of a key who comes now. (If the total lets it.)
    pub(super) fn has_room(&self, number: u32, weight: u32, lifo: bool) -> bool {
        let entry = &self.entries[number as usize];
        let is_next = entry.line.is_empty() || lifo;
        is_next && self.limit.saturating_sub(entry.in_use) >= weight
    }

    /// A call of a key is let in.
    pub(super) fn take(&mut self, number: u32, weight: u32) {
        let entry = self.entry(number);
        entry.in_use += weight;
        entry.admitted = entry.admitted.wrapping_add(1);
    }

    /// Whether permits are free for one of a key that has no number yet. (If the total lets it.)
    pub(super) fn has_room_for_new(&self, weight: u32) -> bool {
        self.limit >= weight
    }

    /// Whether keys wait for nothing but the total.
    pub(super) fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Whose turn it is.
    pub(super) fn next(&self) -> Option<u32> {
        self.turns.first_key_value().map(|(_, &number)| number)
    }

    /// A key's turn is over.
    pub(super) fn end_turn(&mut self, number: u32) {
        if let Some(turn) = self.entry(number).turn.take() {
            self.turns.remove(&turn);
        }
    }

    /// Something about a key has changed: gives it a turn, or takes it away.
    pub(super) fn refresh(&mut self, queue: &mut Queue, number: u32) {
        let limit = self.limit;
        let entry = &mut self.entries[number as usize];
        if entry.line.is_empty() {
            self.waited_for.remove(&number);
        } else {
            self.waited_for.insert(number);
        }
        let weight = queue.head_weight(&entry.line);
        let ready = weight.is_some_and(|weight| limit.saturating_sub(entry.in_use) >= weight);
        match entry.turn {
            None if ready => {
                entry.turn = Some(self.turns_given);
                self.turns.insert(self.turns_given, number);
                self.turns_given += 1;
            }
            Some(_) if !ready => self.end_turn(number),
            _ => {}
        }
    }

    /// The keys that somebody waits for.
    pub(super) fn waited_for(&self) -> &BTreeSet<u32> {
        &self.waited_for
    }

    fn find<K: Eq + Send + 'static>(&mut self, table: usize, hash: u64, key: &K) -> Option<u32> {
        let mut number = self.by_hash.get(&hash).copied().unwrap_or(NO_KEY);
        while number != NO_KEY {
            let entry = &self.entries[number as usize];
            let next = entry.next;
            if entry.table == table
                && typed::<K>(&mut self.tables[table].1).0[number as usize].as_ref() == Some(key)
            {
                return Some(number);
            }
            number = next;
        }
        None
    }

    fn intern<K: Eq + Clone + Send + 'static>(&mut self, hash: u64, key: &K) -> u32 {
        let table = self.table::<K>();
        if let Some(number) = self.find(table, hash, key) {
            return number;
        }
        let first = self.by_hash.get(&hash).copied().unwrap_or(NO_KEY);
        // Foreign code, which may panic: before anything is changed.
        let key = key.clone();
        let entry = Entry {
            line: Line::new(),
            in_use: 0,
            cooling: 0,
            cools: VecDeque::new(),
            waiting: 0,
            admitted: 0,
            returns: Returns::new(),
            shadows: Shadows::default(),
            turn: None,
            hash,
            next: first,
            table,
        };
        let number = if let Some(number) = self.free.pop() {
            self.entries[number as usize] = entry;
            number
        } else {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).expect("fewer than 2^32 keys are in use")
        };
        self.by_hash.insert(hash, number);
        let keys = &mut typed::<K>(&mut self.tables[table].1).0;
        if keys.len() <= number as usize {
            keys.resize_with(number as usize + 1, || None);
        }
        keys[number as usize] = Some(key);
        number
    }

    fn table<K: Send + 'static>(&mut self) -> usize {
        let of = TypeId::of::<K>();
        if let Some(known) = self.tables.iter().position(|(id, _)| *id == of) {
            return known;
        }
        self.tables.push((of, Box::new(Typed::<K>(Vec::new()))));
        self.tables.len() - 1
    }

    /// Forgets a key if it has neither holders nor waiters. What is to be dropped comes back.
    pub(super) fn forget_if_idle(&mut self, number: u32) -> Option<Box<dyn Any + Send>> {
        let entry = &mut self.entries[number as usize];
        if entry.in_use > 0 || !entry.line.is_empty() {
            return None;
        }
        let (hash, next, table) = (entry.hash, entry.next, entry.table);
        let first = self.by_hash.get(&hash).copied().unwrap_or(NO_KEY);
        if first == number {
            if next == NO_KEY {
                self.by_hash.remove(&hash);
            } else {
                self.by_hash.insert(hash, next);
            }
        } else {
            let mut before = first;
            while self.entries[before as usize].next != number {
                before = self.entries[before as usize].next;
            }
            self.entries[before as usize].next = next;
        }
        let key = self.tables[table].1.forget(number);
        self.free.push(number);
        if self.len() == 0 && self.entries.len() > Self::KEPT {
            *self = Self { limit: self.limit, turns_given: self.turns_given, ..Self::new() };
        }
        key
    }
}

impl Entry {
    /// Permits that are out.
    pub(super) fn held(&self) -> u32 {
        self.in_use - self.cooling
    }

    /// Permits that were out cool.
    pub(super) fn cool(&mut self, over: Instant, weight: u32) {
        self.cooling += weight;
        let place = self.cools.partition_point(|&(earlier, _)| earlier <= over);
        self.cools.insert(place, (over, weight));
    }

    /// The first of them have cooled.
    pub(super) fn cooled(&mut self, weight: u32) {
        self.cooling -= weight;
        self.cools.pop_front();
    }

    /// When so many permits have cooled.
    pub(super) fn cooled_at(&self, permits: u64) -> Option<Instant> {
        when_so_many(permits, self.cools.iter().copied())
    }
}

fn typed<K: 'static>(table: &mut Box<dyn Table>) -> &mut Typed<K> {
    (**table).as_any().downcast_mut().expect("a table is found by its type")
}
