//! Which node of a cluster has which slot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use redis::cluster_routing::Slot;

use super::connection::SharedConnection;

/// The slots of a cluster, as far as its nodes have told by redirections.
#[derive(Debug, Default)]
pub(super) struct Slots {
    nodes: Mutex<HashMap<Slot, Arc<SharedConnection>>>,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Returns the node that has the key, if it is known.
    pub(super) fn find(&self, key: &str) -> Option<Arc<SharedConnection>> {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if nodes.is_empty() {
            return None;
        }
        nodes.get(&Slot::for_key(key)).cloned()
    }

    /// Notes that a node has a slot.
    pub(super) fn set(&self, slot: u16, node: &Arc<SharedConnection>) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.extend(Slot::new(slot).map(|slot| (slot, Arc::clone(node))));
    }

    /// Forgets a node that cannot be reached: others may have its slots.
    pub(super) fn forget(&self, node: &Arc<SharedConnection>) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.retain(|_, other| !Arc::ptr_eq(other, node));
    }
}
