//! A limiter as a [tower] layer.
//!
//! [`LimitLayer`] puts a [`Limiter`](crate::Limiter) in front of any `tower_service::Service`:
//! routes of axum, servers and clients of tonic, connectors of hyper and reqwest.
//!
//! ```
//! use limit_runtime::Limiter;
//! use limit_runtime::tower::LimitLayer;
//!
//! static API: Limiter = Limiter::new("api", 100);
//!
//! let layer = LimitLayer::new(&API); // `Router::new()…layer(layer)`, `ServiceBuilder::new().layer(layer)`
//! # let _ = layer;
//! ```
//!
//! # Services that share permits
//!
//! All services that one layer makes share the permits of its limiter, and so do all their clones.
//! A server that clones its service for each connection has one limit, and so has a router with a
//! service for each route. Each runtime has its own permits, unless the limiter's scope is the
//! process.
//!
//! # Where a call waits
//!
//! A call waits in its response future. `poll_ready` asks the inner service only and **reserves
//! nothing**: a clone that is ready, and then is never called, keeps no permit from other calls.
//! (If `poll_ready` took the permit, a few idle clones could hold all permits for ever. A load
//! balancer or a pool of connections makes such clones.)
//!
//! The inner service is called once there is a permit, and not before. A call that waits keeps the
//! inner service that was ready for it, with everything that this service has reserved: a slot in
//! the queue of a `Buffer` or a tonic `Channel`, or a permit of tower's own limit.
//!
//! Layers that act on readiness, such as tower's `load_shed` and `balance`, do not notice such a
//! limit. For them there is [`reserving`](LimitLayer::reserving): `poll_ready` takes the permit,
//! and `call` calls the inner service. Idle clones hold permits then. To shed load, the limiter's
//! own [`max_waiting`](crate::Limiter::max_waiting) is better.
//!
//! # Calls that belong to shares
//!
//! A limiter can guarantee parts of its permits to some of the calls: see
//! [`Limiter::shares`](crate::Limiter::shares). [`share`](LimitLayer::share) says by the request to which of them a call
//! belongs. Use it when one service answers requests of several kinds, and one kind must not take the permits of
//! another: people who wait, and jobs that run at night.
//!
//! # Calls that are refused
//!
//! A layer over a `Limiter` refuses no call and has the inner service's error type. Over a
//! `Limiter<Rejected>` the error is boxed, as usual in tower, and is a
//! [`Rejected`](crate::Rejected) if the call was refused. A server rather wants a response:
//! [`on_reject`](LimitLayer::on_reject) makes one of the refusal, of the type of the inner service's: for a router of axum
//! `Rejected::into_response` (feature `axum-08`). (The routers of axum take no
//! services that fail. Use `on_reject` there, or axum's `HandleErrorLayer`.)
//!
//! # How long the permit is held
//!
//! A call holds its permit until the response is there. With HTTP this is the moment when the head
//! is ready; the body may still be streaming. `until_body_end` (feature `http-body`) holds the
//! permit to the end of the body. A web socket goes on beyond that. It keeps the permit if its
//! handler takes along the `SharedPermit` in the request's extensions.
//! [`hand_over`](LimitLayer::hand_over) gives the permit to the response in any other form.
//!
//! The module needs the feature `tower`.
//!
//! [tower]: https://docs.rs/tower

#[cfg(feature = "http-body")]
mod body;
mod future;
mod hold;
mod layer;
mod mode;
mod overload;
mod refusals;
mod reserve;
mod sealed;
mod service;
#[cfg(feature = "http-body")]
mod shared;
mod shares;

#[cfg(feature = "http-body")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-body")))]
pub use body::{PermitBody, UntilBodyEnd};
pub use future::{ReservedFuture, ResponseFuture};
pub use hold::{HandOver, Hold, UntilResponse};
pub use layer::LimitLayer;
pub use mode::{InShares, OnCall, Reserving};
pub use overload::Overloads;
pub use refusals::{AsError, BoxError, OnReject, Refusals};
pub use service::Limit;
#[cfg(feature = "http-body")]
#[cfg_attr(docsrs, doc(cfg(feature = "http-body")))]
pub use shared::SharedPermit;
