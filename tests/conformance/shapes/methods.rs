//! Methods, inherent and of traits, with every receiver.

use crate::support::{assert_limited, run};
use limit_runtime::concurrency_limit;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone)]
struct Client {
    answer: u8,
}

impl Client {
    #[concurrency_limit(3)]
    async fn by_value(self) -> u8 {
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_mutable_value(mut self) -> u8 {
        self.answer += 1;
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_reference(&self) -> &u8 {
        &self.answer
    }

    #[concurrency_limit(3)]
    async fn by_named_reference<'a>(&'a self, _other: &u8) -> &'a u8 {
        &self.answer
    }

    #[concurrency_limit(3)]
    async fn by_mutable_reference(&mut self) -> u8 {
        self.answer += 1;
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_box(self: Box<Self>) -> u8 {
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_rc(self: Rc<Self>) -> u8 {
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_arc(self: Arc<Self>) -> u8 {
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_pin(self: Pin<&mut Self>) -> u8 {
        self.answer
    }

    #[concurrency_limit(3)]
    async fn by_reference_to_arc(self: &Arc<Self>) -> u8 {
        self.answer
    }

    #[concurrency_limit(3)]
    async fn associated(answer: u8) -> Self {
        Self { answer }
    }
}

struct Wrapper<T>(T);

impl<T: Copy> Wrapper<T> {
    const LIMIT: usize = 2;

    #[concurrency_limit(Wrapper::<u8>::LIMIT)]
    async fn in_a_generic_impl(&self) -> T {
        self.0
    }

    #[concurrency_limit(3)]
    async fn generic_itself<U: From<T>>(&self) -> U {
        U::from(self.0)
    }
}

#[allow(async_fn_in_trait)]
trait Fetch {
    async fn fetch(&self, number: u8) -> u8;

    #[concurrency_limit(3)]
    async fn fetch_twice(&self, number: u8) -> u8 {
        self.fetch(number).await + self.fetch(number).await
    }

    #[concurrency_limit(3)]
    async fn without_self() -> u8
    where
        Self: Sized,
    {
        8
    }
}

impl Fetch for Client {
    #[concurrency_limit(3)]
    async fn fetch(&self, number: u8) -> u8 {
        self.answer + number
    }
}

impl<T: Copy + Into<u8>> Fetch for Wrapper<T> {
    #[concurrency_limit(3)]
    async fn fetch(&self, number: u8) -> u8 {
        self.0.into() * number
    }

    #[concurrency_limit(3)]
    async fn fetch_twice(&self, number: u8) -> u8 {
        2 * self.fetch(number).await
    }
}

#[test]
fn methods_of_every_receiver_return_what_they_would_without_a_limit() {
    run(async {
        let mut client = Client::associated(1).await;
        assert_eq!(client.clone().by_value().await, 1);
        assert_eq!(client.clone().by_mutable_value().await, 2);
        assert_eq!(*client.by_reference().await, 1);
        assert_eq!(*client.by_named_reference(&9).await, 1);
        assert_eq!(client.by_mutable_reference().await, 2);
        assert_eq!(Box::new(client.clone()).by_box().await, 2);
        assert_eq!(Rc::new(client.clone()).by_rc().await, 2);
        assert_eq!(Arc::new(client.clone()).by_arc().await, 2);
        assert_eq!(Pin::new(&mut client).by_pin().await, 2);
        assert_eq!(Arc::new(client).by_reference_to_arc().await, 2);
    });
    let functions = [
        "by_value",
        "by_mutable_value",
        "by_reference",
        "by_named_reference",
        "by_mutable_reference",
        "by_box",
        "by_rc",
        "by_arc",
        "by_pin",
        "by_reference_to_arc",
        "associated",
    ];
    assert_limited(module_path!(), &functions);
}

#[test]
fn methods_of_traits_and_generic_types_return_what_they_would_without_a_limit() {
    run(async {
        let client = Client { answer: 1 };
        assert_eq!(client.fetch(2).await, 3);
        assert_eq!(client.fetch_twice(2).await, 6);
        assert_eq!(<Client as Fetch>::without_self().await, 8);
        let wrapper = Wrapper(3_u8);
        assert_eq!(wrapper.fetch(2).await, 6);
        assert_eq!(wrapper.fetch_twice(2).await, 12);
        assert_eq!(wrapper.in_a_generic_impl().await, 3);
        assert_eq!(wrapper.generic_itself::<u64>().await, 3);
    });
    // Two methods of one name: the second limiter has a number.
    let functions = [
        "fetch",
        "fetch#2",
        "fetch_twice",
        "fetch_twice#2",
        "without_self",
        "in_a_generic_impl",
        "generic_itself",
    ];
    assert_limited(module_path!(), &functions);
}
