use limit_runtime::{Limiter, Rejected, concurrency_limit};

fn limiter() -> Limiter {
    Limiter::new("spot", 1)
}

struct Pools;

impl Pools {
    fn pages(&self) -> Limiter<Rejected> {
        Limiter::new("spot", 1).max_waiting(3)
    }

    #[concurrency_limit(limiter = self.pages())]
    async fn of_a_method(&self) -> Option<()> {
        None
    }
}

#[concurrency_limit(limiter = limiter())]
async fn of_a_function() {}

#[concurrency_limit(limiter = &limiter())]
async fn of_a_function_behind_a_reference() {}

#[concurrency_limit(limiter = { println!("made"); limiter() })]
async fn of_a_block() {}

#[concurrency_limit(limiter = std::future::ready(limiter()).await)]
async fn of_a_future() {}

use limit_runtime::Limiter as Renamed;

#[concurrency_limit(limiter = Renamed::new("spot", 1), blocking)]
fn of_another_name() {}

fn main() {}
