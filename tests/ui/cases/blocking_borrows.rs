//! A body on the blocking pool cannot borrow from the caller.

use limit_runtime::concurrency_limit;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

struct Store(Vec<String>);

impl Store {
    #[concurrency_limit(2, blocking)]
    fn shared(&self) -> usize {
        self.0.len()
    }

    #[concurrency_limit(2, blocking)]
    fn exclusive(&mut self, more: String) {
        self.0.push(more);
    }

    #[concurrency_limit(2, blocking)]
    fn behind_an_arc(self: &Arc<Self>) -> usize {
        self.0.len()
    }
}

#[concurrency_limit(2, blocking)]
fn text(text: &str) -> usize {
    text.len()
}

#[concurrency_limit(2, blocking)]
fn formatted(text: &str) {
    println!("{text:?}");
}

#[concurrency_limit(2, blocking)]
fn named<'a>(path: &'a Path, bytes: &[u8], store: &Store, other: &mut Store) -> usize {
    drop(path.exists());
    bytes.len() + store.0.len() + other.0.len()
}

#[concurrency_limit(2, blocking)]
fn in_other_types<'a>(name: Cow<'a, str>, first: Option<&str>, count: &usize) -> usize {
    name.len() + first.map_or(0, str::len) + count
}

#[concurrency_limit(2, blocking)]
fn behind_traits<'a>(count: impl Fn() -> usize + Send + 'a, next: Box<dyn Fn() -> usize + Send + '_>) -> usize {
    count() + next()
}

fn main() {}
