//! A reading of the queues of a semaphore.

/// The waiters of a semaphore.
#[derive(Debug)]
pub(crate) struct QueueReading {
    /// The limit over all keys, if there are keys.
    pub(crate) total: Option<u32>,
    /// The queue; with keys, one for each key with waiters.
    pub(crate) queues: Vec<KeyQueue>,
    /// The keys of the calls that were asked for. Without keys it has no meaning.
    pub(crate) holders: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct KeyQueue {
    /// The number of the key. Without keys it has no meaning.
    pub(crate) key: u32,
    /// The text of the key, if it has one.
    pub(crate) name: Option<String>,
    pub(crate) limit: u32,
    /// The waiters in order: slot, weight, and whether it is a holder that waits to grow in the queue of another key, and
    /// keeps those behind it waiting here.
    pub(crate) waiters: Vec<(u32, u32, bool)>,
}
