//! The contenders, as a worker calls them.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use limit_fleet::Fleet;
use limit_runtime::{Limiter, Permit, Scope};

use crate::job::{Contender, Job};
use crate::semaphore::{BlockingSemaphore, PollSemaphore};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// One limit over all workers, kept by one of the contenders.
pub(crate) enum Admission {
    Lease(Limiter),
    Poll(PollSemaphore),
    Blpop(BlockingSemaphore),
}

/// A permit of the contender.
pub(crate) enum Admitted {
    Lease(Permit),
    Poll(String),
    Blpop,
}

impl Admitted {
    /// Returns whether the call has outlived its lease.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Lease(permit) => !permit.is_valid(),
            Self::Poll(_) | Self::Blpop => false,
        }
    }
}

impl Admission {
    /// Returns the limit, and for a lease the fleet that the process has joined.
    pub(crate) async fn open(job: &Job) -> Outcome<(Self, Option<Fleet>)> {
        let Job { url, name, limit, .. } = job;
        Ok(match job.contender {
            Contender::Lease => {
                let fleet = Fleet::connect(url).namespace("benches").lease(job.lease);
                let limiter = Limiter::named(name.clone(), usize::try_from(*limit)?);
                (Self::Lease(limiter.scope(Scope::Fleet)), Some(fleet.start().await?))
            }
            Contender::Poll => (Self::Poll(PollSemaphore::open(url, name, *limit).await?), None),
            Contender::Blpop => (Self::Blpop(BlockingSemaphore::open(url, name)?), None),
        })
    }

    pub(crate) async fn acquire(&self) -> Outcome<Admitted> {
        static HOLDERS: AtomicU64 = AtomicU64::new(0);
        Ok(match self {
            Self::Lease(limiter) => Admitted::Lease(limiter.acquire().await),
            Self::Poll(semaphore) => {
                let holder = format!("{}/{}", std::process::id(), HOLDERS.fetch_add(1, Relaxed));
                semaphore.acquire(&holder).await?;
                Admitted::Poll(holder)
            }
            Self::Blpop(semaphore) => {
                semaphore.acquire().await?;
                Admitted::Blpop
            }
        })
    }

    pub(crate) async fn release(&self, admitted: Admitted) -> Outcome<()> {
        match (self, admitted) {
            (Self::Poll(semaphore), Admitted::Poll(holder)) => semaphore.release(&holder).await?,
            (Self::Blpop(semaphore), Admitted::Blpop) => semaphore.release().await?,
            // A permit comes back when it is dropped.
            (_, admitted) => drop(admitted),
        }
        Ok(())
    }
}
