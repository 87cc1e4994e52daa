//! Limiters that are nested in two orders.

mod graph;
mod nesting;

use crate::engine::catalog;
use crate::logging::{self, TARGET};
use crate::recorder::Record;
use crate::recorder::{self, Arrival, Hooks, moved};
use crate::unwind::quietly;
use graph::{Graph, Nest, Order};
use nesting::Nesting;
use once_cell::sync::Lazy;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Relaxed: no other data depends on it.
static IS_ON: AtomicBool = AtomicBool::new(true);

static ORDERS: Lazy<Mutex<Orders>> = Lazy::new(Mutex::default);

/// The orders in which limiters are nested, as far as they are known.
#[derive(Debug, Default)]
struct Orders {
    nesting: Nesting,
    graph: Graph,
}

/// Locks what is known. The holder of the guard calls nothing but the collections in it.
fn lock() -> MutexGuard<'static, Orders> {
    ORDERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Switches the warning about limiters that are nested in two orders on or off. In debug builds it is on at the start.
/// In release builds (without `debug_assertions` for this crate) there is no such warning, and this does nothing.
///
/// A call that comes to limiter `b` while its task holds a permit of `a` shows the order "`a`, then `b`". If the
/// orders that were shown lead from `b` back to `a`, directly or by other limiters, then calls can wait for each other
/// for ever. The log says so, once for each pair of limiters. It does so when the order is shown, whether any call
/// waits or not: one run of each piece of code is enough.
///
/// ```text
/// limiters are nested in two orders, so their calls can wait for each other: take them in one order
///   here: `book` at src/main.rs:10:1, then `author` at src/main.rs:3:1
///   elsewhere: `author` at src/main.rs:3:1, then `book` at src/main.rs:10:1
/// ```
///
/// # Rules
///
/// - Only [recorded](super::record) calls count.
/// - The order is one of limiters, whatever their keys and runtimes. A limiter inside itself shows no order.
/// - A call that never waits (`try_acquire`) shows no order as the inner one. Calls with a `max_wait` do. But there
///   is no warning if each of the calls in question gives up after a time.
/// - A permit that goes to another task shows no order. A permit is known to have gone there when it is dropped there,
///   and then all permits of its place are taken to do so.
/// - Calls side by side in one task (`join!`, `FuturesUnordered`) show no order if this is known of them: they are
///   polled with different wakers, one of them waits when the other comes, this crate polls the future that has the
///   permit ([`run`](crate::Acquire::run)), or the first has been seen to end before the second. What is left looks
///   like nesting: a future of a `join!` takes a permit while the other future has one. If the same happens
///   elsewhere in the opposite order, the warning is wrong.
/// - At most 4,096 orders are kept. Those of dropped limiters are forgotten.
///
/// # Examples
///
/// ```
/// use limit_runtime::{Limiter, diagnostics};
///
/// static AUTHOR: Limiter = Limiter::new("order-author", 1);
/// static BOOK: Limiter = Limiter::new("order-book", 1);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// diagnostics::record(true);
/// diagnostics::warn_of_order(true);
///
/// let author = AUTHOR.acquire().await;
/// drop(BOOK.acquire().await);
/// drop(author);
///
/// let book = BOOK.acquire().await;
/// drop(AUTHOR.acquire().await); // In a debug build the log has the warning.
/// drop(book);
/// # }
/// ```
pub fn warn_of_order(on: bool) {
    IS_ON.store(on, Ordering::Relaxed);
}

/// Looks at the order of calls from now on, in debug builds.
pub(super) fn start() {
    recorder::on_each(Hooks { begin, end });
}

fn begin(call: Record, arrival: Arrival) {
    if !IS_ON.load(Ordering::Relaxed) {
        return;
    }
    let around = {
        let mut orders = lock();
        // A call that has waited showed its order when it came.
        let around = match arrival {
            Arrival::Now { .. } => orders.nesting.around(&call),
            Arrival::No | Arrival::Earlier => Vec::new(),
        };
        orders.nesting.begin(call);
        around
    };
    let Arrival::Now { gives_up } = arrival else { return };
    for hold in around {
        let Some((outer, inner)) = name(&hold).zip(name(&call)) else { continue };
        let nest = Nest { outer: hold.info.site, inner: call.info.site, gives_up };
        show(&Order { outer, inner, nest });
    }
}

fn end(id: u64) {
    lock().nesting.end(id);
}

/// Returns the name of a call's limiter. The call must be there: until it has ended, no other limiter has the index.
fn name(call: &Record) -> Option<Arc<str>> {
    let limiter = catalog::at_index(call.info.limiter? as usize)?;
    Some(Arc::clone(&limiter.name))
}

/// Notes an order, and tells of the circle that it closes. The caller holds no lock.
fn show(order: &Order) {
    let wants_room = {
        let mut orders = lock();
        if orders.has(order) {
            return;
        }
        orders.graph.wants_room()
    };
    if wants_room {
        forget_dropped();
    }
    let mut circle = lock().add(order);
    // Nobody can take a limiter any more that was dropped.
    while circle.as_ref().is_some_and(|circle| circle.iter().any(|order| is_dropped(&order.inner)))
    {
        forget_dropped();
        circle = lock().circle(order);
    }
    let Some(circle) = circle else { return };
    if lock().graph.tell_once(order) {
        tell(&circle);
    }
}

impl Orders {
    /// Returns whether an order adds nothing to what is known.
    fn has(&self, order: &Order) -> bool {
        self.graph.has(order, |nest| self.holds(nest))
    }

    /// Adds an order. Returns the circle that it closes.
    fn add(&mut self, order: &Order) -> Option<Vec<Order>> {
        if self.graph.is_full() {
            return None;
        }
        self.graph.add(order);
        self.circle(order)
    }

    fn circle(&self, order: &Order) -> Option<Vec<Order>> {
        self.graph.circle(order, |nest| self.holds(nest))
    }

    /// Returns whether an order still holds, by what has been learnt of its places since.
    fn holds(&self, nest: &Nest) -> bool {
        !moved::has_moved(nest.outer) && !self.nesting.beside.contains(nest.outer, nest.inner)
    }
}

fn is_dropped(name: &Arc<str>) -> bool {
    !catalog::find(name).is_some_and(|limiter| Arc::ptr_eq(&limiter.name, name))
}

fn forget_dropped() {
    let mut names = lock().graph.names();
    // Outside the lock, because it asks the list of limiters.
    names.retain(is_dropped);
    lock().graph.forget(&names);
}

fn tell(circle: &[Order]) {
    let limiter = &*circle[0].inner;
    // Foreign code. If it panics, the panic hook has reported that.
    quietly(|| {
        logging::tell(|| {
            tracing::warn!(target: TARGET, limiter, "{}", text(circle));
        });
    });
}

/// Returns the text of a warning: a line for each order.
fn text(circle: &[Order]) -> String {
    let mut text = String::from(
        "limiters are nested in two orders, so their calls can wait for each other: take them in one order",
    );
    for (number, order) in circle.iter().enumerate() {
        let place = if number == 0 { "here" } else { "elsewhere" };
        // A `String` takes all.
        let _ = write!(text, "\n  {place}: {order}");
    }
    text
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outer, inner, nest } = self;
        write!(f, "`{outer}` at {}, then `{inner}` at {}", nest.outer, nest.inner)
    }
}
