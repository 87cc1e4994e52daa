//! CPU-bound work on a thread pool: 1,000 calls of a sync function, on five threads.
//!
//! ```python
//! async def checksums(inputs):
//!     loop = asyncio.get_running_loop()
//!     with concurrent.futures.ThreadPoolExecutor(5) as pool:
//!         calls = (loop.run_in_executor(pool, checksum, data) for data in inputs)
//!         return await asyncio.gather(*calls)
//! ```
//!
//! The threads compute in parallel, with no interpreter lock between them. The thread holds the
//! permit: if the caller is cancelled, the permit comes back only when the work has ended.
#![forbid(unsafe_code)]

use limit_runtime::{concurrency_limit, task};

/// Computes the checksum of `data`; the attribute makes the function async for its callers.
#[concurrency_limit(5, blocking)]
pub(crate) fn checksum(data: impl Iterator<Item = u32> + Send + 'static) -> u32 {
    data.fold(1, |sum, item| sum.rotate_left(5) ^ item)
}

pub(crate) async fn checksums<D>(inputs: impl IntoIterator<Item = D>) -> Vec<u32>
where
    D: Iterator<Item = u32> + Send + 'static,
{
    // `gather` needs no limit, because `checksum` has one.
    task::gather(usize::MAX, inputs.into_iter().map(checksum)).await
}

#[tokio::main]
async fn main() {
    let sums = checksums((0..1_000).map(|n| n..n + 20_000)).await;
    println!("{} checksums, the last is {:08x}", sums.len(), sums[999]);
    for limiter in limit_runtime::limiters() {
        println!("{}", limiter.snapshot());
    }
}
