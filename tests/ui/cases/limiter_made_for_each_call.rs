#![allow(unused)]

use limit_runtime::{Keyed, Limiter, concurrency_limit};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

#[concurrency_limit(limiter = Limiter::new("spot", 1))]
async fn new() {}

#[concurrency_limit(limiter = Limiter::named(format!("spot {number}"), 1))]
async fn named(number: u8) {}

#[concurrency_limit(limiter = Limiter::lazy("spot", || 1))]
async fn lazy() {}

#[concurrency_limit(limiter = limit_runtime::Limiter::new("spot", 1).keyed().total(3), key = 1)]
async fn keyed() {}

#[concurrency_limit(limiter = Limiter::new("spot", 1).max_wait(Duration::ZERO))]
async fn with_a_policy() -> Option<()> {
    None
}

#[concurrency_limit(limiter = <Limiter>::new("spot", 1), blocking)]
fn qualified() {}

#[concurrency_limit(limiter = Limiter::<Infallible, Keyed>::new("spot", 1))]
async fn of_a_name_that_is_not_known() {}

#[concurrency_limit(limiter = &Limiter::new("spot", 1))]
async fn reference() {}

#[concurrency_limit(limiter = *Arc::new(Limiter::new("spot", 1)))]
async fn counted() {}

#[concurrency_limit(limiter = Box::new((Limiter::new("spot", 1))))]
async fn boxed() {}

#[concurrency_limit(limiter = { println!("made"); Limiter::new("spot", 1) })]
async fn block() {}

#[concurrency_limit(limiter = { let limiter = Limiter::new("spot", 1); limiter })]
async fn variable() {}

#[concurrency_limit(limiter = { const SPOT: Limiter = Limiter::new("spot", 1); SPOT })]
async fn constant() {}

static LIMITER: Limiter = Limiter::new("spot", 1);

#[concurrency_limit(limiter = if number > 3 { &LIMITER } else { &Limiter::new("spot", 1) })]
async fn branch(number: u8) {}

#[concurrency_limit(limiter = match number { 1 => &LIMITER, _ => &Limiter::new("spot", 1) })]
async fn arm(number: u8) {}

struct Pools {
    pages: Limiter,
}

#[concurrency_limit(limiter = Pools { pages: Limiter::new("spot", 1) }.pages)]
async fn field() {}

#[concurrency_limit(limiter = (1, Limiter::new("spot", 1)).1)]
async fn part_of_a_tuple() {}

#[concurrency_limit(limiter = [Limiter::new("spot", 1)][0])]
async fn element() {}

macro_rules! limited {
    ($limiter:expr) => {
        #[concurrency_limit(limiter = $limiter)]
        async fn fragment() {}
    };
}

limited!(Limiter::new("spot", 1));

fn main() {}
