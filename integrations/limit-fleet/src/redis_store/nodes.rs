//! The servers that have the ledgers: one, or the nodes of a cluster.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Client, Cmd, ConnectionAddr, FromRedisValue};
use tokio::time::Instant;

use super::connection::{Request, SharedConnection};
use super::failure::{Failure, Redirect};
use super::origin::Origin;
use super::slots::Slots;
use crate::{StoreError, StoreErrorKind};

/// The most redirections that one message follows.
const REDIRECTIONS: usize = 5;

/// The servers that have the ledgers.
#[derive(Debug)]
pub(super) struct Nodes {
    /// The servers of the address, and those that a cluster has told of.
    known: Mutex<Vec<Arc<SharedConnection>>>,
    slots: Slots,
    /// Counts the known servers that could not be reached, so that the next message begins with another.
    turn: AtomicUsize,
}

impl Nodes {
    pub(super) fn new(origins: Vec<Origin>) -> Self {
        let known = origins.into_iter().map(SharedConnection::new).collect();
        Self { known: Mutex::new(known), slots: Slots::new(), turn: AtomicUsize::new(0) }
    }

    /// Returns the known servers, beginning with the one whose turn it is.
    pub(super) fn known(&self) -> Vec<Arc<SharedConnection>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let turn = self.turn.load(Ordering::Relaxed) % known.len().max(1);
        known.rotate_left(turn);
        known
    }

    /// Begins with another server the next time.
    pub(super) fn pass_turn(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// Sends a command to the server that has the key, and returns its answer, or fails after `limit`.
    ///
    /// It follows a redirection, and tries another node if no connection can be made. In both cases nothing was
    /// executed. It never sends the command again in any other case. That is why the cluster client of `redis` is not
    /// used: it does all three, or none.
    pub(super) async fn query<T: FromRedisValue>(
        &self,
        key: &str,
        command: &Cmd,
        limit: Duration,
    ) -> Result<T, StoreError> {
        let deadline = Instant::now() + limit;
        let mut others = self.known().into_iter();
        let Some(mut node) = self.slots.find(key).or_else(|| others.next()) else {
            return Err(StoreError::new(StoreErrorKind::Address, "the address names no server"));
        };
        let mut request = Request::One(command);
        let mut redirections = 0;
        loop {
            let failure = match node.query(request, deadline, limit).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match &failure.redirect {
                Some(redirect) if redirections < REDIRECTIONS => {
                    redirections += 1;
                    node = self.follow(redirect, &node);
                    request = if redirect.asking {
                        Request::Asking(command)
                    } else {
                        Request::One(command)
                    };
                }
                _ => {
                    if failure.closes {
                        self.slots.forget(&node);
                    }
                    let next = if failure.unsent { self.next(&mut others, &node) } else { None };
                    let Some(next) = next.filter(|_| Instant::now() < deadline) else {
                        return Err(failure.error);
                    };
                    node = next;
                    request = Request::One(command);
                }
            }
        }
    }

    /// Returns the next known server after one that could not be reached.
    fn next(
        &self,
        others: &mut impl Iterator<Item = Arc<SharedConnection>>,
        unreachable: &Arc<SharedConnection>,
    ) -> Option<Arc<SharedConnection>> {
        self.pass_turn();
        others.find(|other| !Arc::ptr_eq(other, unreachable))
    }

    /// Returns the node that a redirection leads to.
    fn follow(&self, redirect: &Redirect, from: &Arc<SharedConnection>) -> Arc<SharedConnection> {
        let node = self.node(&redirect.address, from);
        // While a slot moves, the old node still answers for it.
        if !redirect.asking {
            self.slots.set(redirect.slot, &node);
        }
        node
    }

    /// Returns the node at `host:port`. `from`, which told of it, gives the user, the password and TLS.
    pub(super) fn node(
        &self,
        address: &str,
        from: &Arc<SharedConnection>,
    ) -> Arc<SharedConnection> {
        let Some(client) = client_at(address, from.origin()) else { return Arc::clone(from) };
        let origin = Origin::server(client);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_same = |node: &&Arc<SharedConnection>| node.origin().address() == origin.address();
        if let Some(node) = known.iter().find(of_same) {
            return Arc::clone(node);
        }
        let node = SharedConnection::new(origin);
        known.push(Arc::clone(&node));
        node
    }

    /// Asks the server for a command of which a repetition does no harm, or another one if it cannot be reached.
    pub(super) async fn query_any<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<(Arc<SharedConnection>, T), StoreError> {
        let mut last = None;
        for node in self.known() {
            match node.ask(command).await {
                Ok(answer) => return Ok((node, answer)),
                Err(Failure { error, unsent: true, .. }) => last = last.or(Some(error)),
                Err(failure) => return Err(failure.error),
            }
            self.pass_turn();
        }
        let none = || StoreError::new(StoreErrorKind::Address, "the address names no server");
        Err(last.unwrap_or_else(none))
    }
}

/// Returns a client for the node of a cluster at `host:port`.
fn client_at(address: &str, from: &Origin) -> Option<Client> {
    #[cfg_attr(not(feature = "sentinel"), expect(irrefutable_let_patterns, reason = "one variant"))]
    let Origin::Server { client, .. } = from else { return None };
    let info = client.get_connection_info().clone();
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let addr = match info.addr() {
        ConnectionAddr::Tcp(own, _) => ConnectionAddr::Tcp(named(host, own), port),
        ConnectionAddr::TcpTls { host: own, insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host: named(host, own),
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => return None,
    };
    Client::open(info.set_addr(addr)).ok()
}

/// Returns the host of a redirection. Without one it is the host of the node that redirects.
fn named(host: &str, own: &str) -> String {
    if matches!(host, "" | "?") { own.to_owned() } else { host.to_owned() }
}
