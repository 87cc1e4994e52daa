use limit_runtime::concurrency_limit;

#[concurrency_limit(N)]
async fn constant<const N: usize>() {}

#[concurrency_limit(T::LIMIT)]
async fn associated<T: Limited>() {}

#[concurrency_limit(std::mem::size_of::<T>() + N)]
async fn both<T, const N: usize>(_: T) {}

trait Limited {
    const LIMIT: usize;
}

fn main() {}
