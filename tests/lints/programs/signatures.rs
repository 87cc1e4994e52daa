//! Signatures and names, used and not.

use limit_runtime::concurrency_limit;
use std::borrow::Cow;
use std::rc::Rc;

#[concurrency_limit(3)]
async fn never_called(argument: u8) {
    std::future::ready(()).await;
}

#[concurrency_limit(3)]
pub(crate) async fn too_visible(_unused: u8) {
    std::future::ready(()).await;
}

/// Has a first line that ends in no full stop
#[concurrency_limit(3)]
pub async fn unit_error(number: u8) -> Result<u8, ()> {
    std::future::ready(()).await;
    Err(())
}

#[concurrency_limit(3)]
pub async fn boxed(value: Box<u8>) -> u8 {
    std::future::ready(()).await;
    *value
}

#[concurrency_limit(3)]
pub async fn by_value(text: String, values: Vec<u8>) -> usize {
    std::future::ready(()).await;
    text.len() + values.len()
}

#[concurrency_limit(3)]
pub async fn by_reference(text: &String, values: &Vec<u8>, number: &u8) -> usize {
    std::future::ready(()).await;
    text.len() + values.len() + usize::from(*number)
}

#[concurrency_limit(3)]
pub async fn exclusive(values: &mut Vec<u8>) -> usize {
    std::future::ready(()).await;
    values.len()
}

#[concurrency_limit(3)]
pub async fn lifetimes<'a, 'b>(text: &'a str, other: &'b str) -> &'a str {
    std::future::ready(()).await;
    text
}

#[concurrency_limit(3)]
pub async fn generic<T: Clone + Clone, F>(value: &T, function: F) -> T
where
    F: Fn(&T) -> T,
    T: Send,
{
    std::future::ready(()).await;
    function(&value.clone())
}

#[concurrency_limit(3)]
pub async fn argument_trait(value: impl Into<String>) -> String {
    std::future::ready(()).await;
    value.into()
}

#[concurrency_limit(3)]
pub async fn flags(a: bool, b: bool, c: bool, d: bool) -> bool {
    std::future::ready(()).await;
    a && b || c && d
}

#[concurrency_limit(3)]
pub async fn not_send(value: &Rc<u8>) -> u8 {
    std::future::ready(()).await;
    **value
}

#[concurrency_limit(3)]
#[inline(always)]
pub async fn inlined(text: Cow<'_, str>) -> String {
    std::future::ready(()).await;
    text.to_string()
}

#[concurrency_limit(3)]
#[must_use]
pub async fn must_be_used((one, two): (u8, u8)) -> u8 {
    std::future::ready(()).await;
    one - two
}

#[concurrency_limit(3)]
pub async fn camelCase(Number: u8) -> u8 {
    std::future::ready(()).await;
    Number
}

#[concurrency_limit(3)]
pub async unsafe fn not_safe(pointer: *const u8) -> u8 {
    std::future::ready(()).await;
    unsafe { *pointer }
}

pub struct Client {
    name: String,
}

impl Client {
    #[concurrency_limit(3)]
    pub async fn new() -> Self {
        std::future::ready(()).await;
        Client { name: String::new() }
    }

    #[concurrency_limit(3)]
    pub async fn unused_self(&self) -> u8 {
        std::future::ready(()).await;
        1
    }

    #[concurrency_limit(3)]
    pub async fn to_name(self) -> String {
        std::future::ready(()).await;
        self.name
    }

    #[concurrency_limit(3)]
    pub async fn set_name(&mut self, name: &str) -> &mut Self {
        std::future::ready(()).await;
        self.name = name.to_string();
        self
    }

    #[concurrency_limit(3)]
    async fn never_called(&self) {
        std::future::ready(()).await;
    }
}

pub trait Fetch {
    #[allow(async_fn_in_trait)]
    async fn fetch(&self, name: String) -> usize;

    #[concurrency_limit(3)]
    async fn fetch_twice(&self, name: String) -> usize {
        let first = self.fetch(name.clone()).await;
        first + self.fetch(name.clone()).await
    }
}

impl Fetch for Client {
    #[concurrency_limit(3)]
    async fn fetch(&self, text: String) -> usize {
        std::future::ready(()).await;
        text.len()
    }
}

fn main() {
    drop(too_visible(1));
}
