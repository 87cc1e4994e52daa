//! The bytes that the attribute adds to a function's future, and the allocations of a call.

use limit_runtime::{Limiter, concurrency_limit};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{allocations, this_thread};
use crate::subjects::{LIMIT, body, yielding_body};

/// The figures of one function, in each form that it is written in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Cost {
    pub(crate) function: String,
    pub(crate) forms: Vec<Form>,
}

/// One form: plain, annotated and so on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Form {
    pub(crate) name: String,
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
            function: $name.to_owned(),
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

fn form<F>(name: &str, make: fn() -> F, count: bool) -> Form
where
    F: Future<Output = u32> + Send + 'static,
{
    let allocations = count.then(|| {
        let runtime = this_thread();
        let in_task = runtime.spawn(allocations::of_one_call(make));
        let in_task = runtime.block_on(in_task).expect("the task ends");
        [in_task, runtime.block_on(allocations::of_one_call(make))]
    });
    Form { name: name.to_owned(), future_bytes: size_of_val(&make()), allocations }
}
