//! The bytes that the attribute adds to a function's future, and the allocations of a call.

use std::pin::pin;
use std::task::Poll;

use limit_runtime::{Limiter, concurrency_limit};
use tokio::sync::Semaphore;

use super::this_thread;
use crate::subjects::{LIMIT, body, yielding_body};

/// The number of calls whose allocations are counted, no more than tokio lets through in one poll.
const CALLS: u32 = 100;

/// The figures of one function, in each form that it is written in.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) function: &'static str,
    pub(crate) forms: Vec<Form>,
}

/// One form: plain, annotated and so on.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) future_bytes: usize,
    /// The allocations of one call that finds a permit free: in a task, and in `block_on`. `None`
    /// for a body that yields, whose allocations would be the scheduler's.
    pub(crate) allocations: Option<[f64; 2]>,
}

/// Writes one function in four forms.
macro_rules! forms {
    ($module:ident($value:ident: $type:ty) -> $output:ty $body:block) => {
        mod $module {
            use super::*;

            pub(super) async fn plain($value: $type) -> $output $body

            #[concurrency_limit(LIMIT)]
            pub(super) async fn annotated($value: $type) -> $output $body

            pub(super) async fn acquired($value: $type) -> $output {
                static LIMITER: Limiter = Limiter::new(stringify!($module), LIMIT);
                let _permit = LIMITER.acquire().await;
                $body
            }

            pub(super) async fn by_hand($value: $type) -> $output {
                static SEMAPHORE: Semaphore = Semaphore::const_new(LIMIT);
                let _permit = SEMAPHORE.acquire().await.unwrap();
                $body
            }
        }
    };
}

forms!(short(value: u32) -> u32 { body(value) });
forms!(awaiting(value: u32) -> u32 { yielding_body(value).await });
forms!(large(value: [u8; 1024]) -> u32 {
    yielding_body(u32::from(value[0])).await.wrapping_add(u32::from(value[1023]))
});

macro_rules! cost {
    ($name:expr, $module:ident, $value:expr, $measure:expr) => {
        Cost {
            function: $name,
            forms: vec![
                form("plain", || $module::plain($value), $measure),
                form("annotated", || $module::annotated($value), $measure),
                form("acquire", || $module::acquired($value), $measure),
                form("tokio", || $module::by_hand($value), $measure),
            ],
        }
    };
}

/// Returns the table of costs.
pub(crate) fn costs() -> Vec<Cost> {
    eprintln!("cost: bytes and allocations");
    vec![
        cost!("body does not await", short, 1, true),
        cost!("body awaits", awaiting, 1, false),
        cost!("body awaits, argument of 1,024 bytes", large, [1; 1024], false),
    ]
}

fn form<F>(name: &'static str, make: fn() -> F, count: bool) -> Form
where
    F: Future<Output = u32> + Send + 'static,
{
    let allocations = count.then(|| {
        let runtime = this_thread();
        let in_task = runtime.spawn(allocations(make));
        let in_task = runtime.block_on(in_task).expect("the task ends");
        [in_task, runtime.block_on(allocations(make))]
    });
    Form { name, future_bytes: size_of_val(&make()), allocations }
}

/// Returns the allocations of one call on the thread that polls it. A first call comes before,
/// because it may allocate memory that later ones use.
async fn allocations<F: Future<Output = u32>>(make: fn() -> F) -> f64 {
    std::hint::black_box(make().await);
    std::future::poll_fn(|context| {
        let counted = allocation_counter::measure(|| {
            for _ in 0..CALLS {
                assert!(pin!(make()).poll(context).is_ready(), "a permit is free");
            }
        });
        let total = u32::try_from(counted.count_total).unwrap_or(u32::MAX);
        Poll::Ready(f64::from(total) / f64::from(CALLS))
    })
    .await
}
