//! The servers of a cluster.

use std::sync::Arc;

use redis::{InfoDict, Value};

use super::connection::SharedConnection;
use super::nodes::Nodes;
use crate::{StoreError, StoreErrorKind};

/// Returns whether the server belongs to a cluster. This is an error without the feature.
pub(super) fn is_cluster(address: &str, info: &InfoDict) -> Result<bool, StoreError> {
    let cluster = info.get::<u8>("cluster_enabled") == Some(1);
    if cluster && !cfg!(feature = "cluster") {
        let message = format!(
            "redis at {address} is a node of a cluster: build limit-fleet with its feature `cluster`"
        );
        return Err(StoreError::new(StoreErrorKind::Address, message));
    }
    Ok(cluster)
}

/// Returns the servers that have ledgers: the one there is, or the masters of the cluster.
///
/// From now on a message may begin with each of them, so that the cluster is found when the servers of the address are
/// gone.
pub(super) async fn masters(nodes: &Nodes) -> Result<Vec<Arc<SharedConnection>>, StoreError> {
    let mut command = redis::cmd("INFO");
    command.arg("cluster");
    let (node, info): (_, InfoDict) = nodes.query_any(&command).await?;
    if !is_cluster(node.origin().address(), &info)? {
        return Ok(vec![node]);
    }
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    let (node, slots): (_, Vec<Vec<Value>>) = nodes.query_any(&command).await?;
    let mut masters: Vec<Arc<SharedConnection>> = Vec::new();
    for address in slots.iter().filter_map(|range| master(range)) {
        let master = nodes.node(&address, &node);
        if !masters.iter().any(|known| Arc::ptr_eq(known, &master)) {
            masters.push(master);
        }
    }
    Ok(masters)
}

/// Reads the master of a range of slots: first slot, last slot, master, replicas.
fn master(range: &[Value]) -> Option<String> {
    let [_, _, Value::Array(master), ..] = range else { return None };
    match &**master {
        [Value::BulkString(host), Value::Int(port), ..] => {
            Some(format!("{}:{port}", std::str::from_utf8(host).ok()?))
        }
        // The node does not know the host under which it is reached.
        [Value::Nil, Value::Int(port), ..] => Some(format!(":{port}")),
        _ => None,
    }
}
