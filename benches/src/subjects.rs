//! The contenders: one limited function each, written the way the documentation of its crate
//! advises.
//!
//! Every contender limits the same two bodies: [`body`], which does not await, and
//! [`yielding_body`], which yields once while it holds its permit.

pub(crate) mod bare;
mod sentinel;
mod subject;
mod tower;

use limit_runtime::{Limiter, concurrency_limit};

pub(crate) use sentinel::{Sentinel, refused};
pub(crate) use subject::{LIMIT, Subject, body, queues, yielding_body};
pub(crate) use tower::tower;

/// The columns of the report, in this order.
pub(crate) const NAMES: [&str; 8] =
    ["attribute", "acquire", "tokio", "mea", "async-lock", "tower", "sentinel", BARE];

/// The columns that are held to the bars.
pub(crate) const OURS: [&str; 2] = ["attribute", "acquire"];

/// The hand-written semaphore, the base of all ratios.
pub(crate) const PEER: &str = "tokio";

/// The floor, which is no contender.
pub(crate) const BARE: &str = "bare";

/// The contenders of which the fastest is the best peer. Sentinel is none, because it refuses where the others wait.
pub(crate) const PEERS: [&str; 4] = ["tokio", "mea", "async-lock", "tower"];

/// Makes a subject of two plain async functions.
macro_rules! subject {
    ($(#[$doc:meta])* $name:ident, $free:path, $queued:path) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub(crate) struct $name;

        impl Subject for $name {
            fn free(&mut self, value: u32) -> impl Future<Output = u32> + Send {
                $free(value)
            }

            fn queued(&mut self, value: u32) -> impl Future<Output = u32> + Send {
                $queued(value)
            }

            fn once(&self, value: u32) -> impl Future<Output = u32> + Send + 'static {
                $free(value)
            }
        }
    };
}

#[concurrency_limit(LIMIT)]
async fn attribute_free(value: u32) -> u32 {
    body(value)
}

#[concurrency_limit(LIMIT)]
async fn attribute_queued(value: u32) -> u32 {
    yielding_body(value).await
}

subject!(
    /// `#[concurrency_limit]` on the function.
    Attribute,
    attribute_free,
    attribute_queued
);

async fn acquire_free(value: u32) -> u32 {
    static LIMITER: Limiter = Limiter::new("acquire_free", LIMIT);
    let _permit = LIMITER.acquire().await;
    body(value)
}

async fn acquire_queued(value: u32) -> u32 {
    static LIMITER: Limiter = Limiter::new("acquire_queued", LIMIT);
    let _permit = LIMITER.acquire().await;
    yielding_body(value).await
}

subject!(
    /// A bare `Limiter::acquire`.
    Acquire,
    acquire_free,
    acquire_queued
);

async fn tokio_free(value: u32) -> u32 {
    static SEMAPHORE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(LIMIT);
    let _permit = SEMAPHORE.acquire().await.unwrap();
    body(value)
}

async fn tokio_queued(value: u32) -> u32 {
    static SEMAPHORE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(LIMIT);
    let _permit = SEMAPHORE.acquire().await.unwrap();
    yielding_body(value).await
}

subject!(
    /// The function as a user would write it by hand. Every ratio is taken against it.
    Tokio,
    tokio_free,
    tokio_queued
);

async fn mea_free(value: u32) -> u32 {
    static SEMAPHORE: mea::semaphore::Semaphore = mea::semaphore::Semaphore::new(LIMIT);
    let _permit = SEMAPHORE.acquire(1).await;
    body(value)
}

async fn mea_queued(value: u32) -> u32 {
    static SEMAPHORE: mea::semaphore::Semaphore = mea::semaphore::Semaphore::new(LIMIT);
    let _permit = SEMAPHORE.acquire(1).await;
    yielding_body(value).await
}

subject!(
    /// The semaphore of mea.
    Mea,
    mea_free,
    mea_queued
);

async fn async_lock_free(value: u32) -> u32 {
    static SEMAPHORE: async_lock::Semaphore = async_lock::Semaphore::new(LIMIT);
    let _guard = SEMAPHORE.acquire().await;
    body(value)
}

async fn async_lock_queued(value: u32) -> u32 {
    static SEMAPHORE: async_lock::Semaphore = async_lock::Semaphore::new(LIMIT);
    let _guard = SEMAPHORE.acquire().await;
    yielding_body(value).await
}

subject!(
    /// The semaphore of async-lock.
    AsyncLock,
    async_lock_free,
    async_lock_queued
);

async fn bare_free(value: u32) -> u32 {
    let _permit = bare::take().await;
    body(value)
}

async fn bare_queued(value: u32) -> u32 {
    let _permit = bare::acquire(|limits| &limits.fifo, 1, 0).await;
    yielding_body(value).await
}

subject!(
    /// The floor: see [`bare`].
    Bare,
    bare_free,
    bare_queued
);

/// Makes one contestant for each subject, in the order of [`NAMES`]. `$subject` is bound to the
/// subject, and `$run` is the closure that makes a number of calls and returns how long they took.
macro_rules! contestants {
    ($subject:ident => $run:expr) => {{
        let [attribute, acquire, tokio, mea, async_lock, tower, sentinel, bare] = $crate::subjects::NAMES;
        vec![
            contestants!(@one attribute, $subject, $crate::subjects::Attribute, $run),
            contestants!(@one acquire, $subject, $crate::subjects::Acquire, $run),
            contestants!(@one tokio, $subject, $crate::subjects::Tokio, $run),
            contestants!(@one mea, $subject, $crate::subjects::Mea, $run),
            contestants!(@one async_lock, $subject, $crate::subjects::AsyncLock, $run),
            contestants!(@one tower, $subject, $crate::subjects::tower(), $run),
            contestants!(@one sentinel, $subject, $crate::subjects::Sentinel::new(), $run),
            contestants!(@one bare, $subject, $crate::subjects::Bare, $run),
        ]
    }};
    (@one $name:expr, $subject:ident, $new:expr, $run:expr) => {{
        let $subject = $new;
        let queues = $crate::subjects::queues(&$subject);
        limit_benches::measure::Contestant::new($name, queues, $run)
    }};
}

pub(crate) use contestants;
