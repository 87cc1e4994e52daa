//! `tower::limit::ConcurrencyLimit`: a task keeps a clone of one service and calls it when ready.

use std::convert::Infallible;

use tower::limit::ConcurrencyLimit;
use tower::{Service, ServiceExt, service_fn};

use super::subject::{LIMIT, Subject, body, yielding_body};

#[derive(Clone)]
struct Tower<F, Q> {
    free: F,
    queued: Q,
}

/// Makes a service whose clones share their permits.
pub(crate) fn tower() -> impl Subject {
    Tower {
        free: ConcurrencyLimit::new(
            service_fn(|value| async move { Ok::<u32, Infallible>(body(value)) }),
            LIMIT,
        ),
        queued: ConcurrencyLimit::new(
            service_fn(|value| async move { Ok::<u32, Infallible>(yielding_body(value).await) }),
            LIMIT,
        ),
    }
}

/// A service that limits and never fails.
trait Limited:
    Service<u32, Response = u32, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Limited for S where
    S: Service<u32, Response = u32, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

async fn call<S: Limited>(service: &mut S, value: u32) -> u32 {
    let Ok(service) = service.ready().await;
    let Ok(value) = service.call(value).await;
    value
}

impl<F: Limited, Q: Limited> Subject for Tower<F, Q> {
    fn free(&mut self, value: u32) -> impl Future<Output = u32> + Send {
        call(&mut self.free, value)
    }

    fn queued(&mut self, value: u32) -> impl Future<Output = u32> + Send {
        call(&mut self.queued, value)
    }

    fn once(&self, value: u32) -> impl Future<Output = u32> + Send + 'static {
        let service = self.free.clone();
        async move {
            let Ok(value) = service.oneshot(value).await;
            value
        }
    }
}
