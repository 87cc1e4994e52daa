//! The work of one worker process, and how it gets there.

use std::error::Error;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};

/// The variable that makes a process of this program a worker.
pub(crate) const VARIABLE: &str = "LIMIT_BENCHES_FLEET_JOB";

/// A way to keep one limit over many processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// Leased shares: this workspace's `limit-fleet`
    Lease,
    /// A sorted set with time-outs, which waiters poll
    Poll,
    /// A list of tokens, on which waiters block
    Blpop,
}

impl Contender {
    pub(crate) const ALL: [Self; 3] = [Self::Lease, Self::Poll, Self::Blpop];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Poll => "poll",
            Self::Blpop => "blpop",
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Lease => {
                "a `Limiter` with `Scope::Fleet`; limit-fleet leases a share of the limit to each process"
            }
            Self::Poll => {
                "a sorted set of holders with time-outs, one script to acquire, ZREM to release; waiters try again every \
                 10 ms (J. Carlson, Redis in Action, 6.3.1 and 11.2.3)"
            }
            Self::Blpop => {
                "a list of tokens: BLPOP to acquire, RPUSH to release; a connection for each call that waits or begins; \
                 the token of a killed process is lost for ever"
            }
        }
    }
}

/// The calls that a worker makes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Load {
    /// So many tasks call again and again.
    Tasks(u32),
    /// So many calls come each second, at random.
    Rate(f64),
}

/// The work of one worker process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) contender: Contender,
    /// The address of the server.
    pub(crate) url: String,
    /// The name of the limit on the server.
    pub(crate) name: String,
    pub(crate) limit: u32,
    pub(crate) lease: Duration,
    pub(crate) load: Load,
    /// The least and the most microseconds of a body.
    pub(crate) body: (u64, u64),
    /// The seed of the times of the calls. Each contender gets the same calls at the same times.
    pub(crate) seed: u64,
}

impl Job {
    /// Returns the job of this process, if it is a worker.
    pub(crate) fn of_this_process() -> Option<Result<Self, Box<dyn Error>>> {
        let text = std::env::var(VARIABLE).ok()?;
        Some(
            Self::read(&text).ok_or_else(|| format!("{VARIABLE} is not understood: {text}").into()),
        )
    }

    pub(crate) fn write(&self) -> String {
        let load = match self.load {
            Load::Tasks(tasks) => json!({ "tasks": tasks }),
            Load::Rate(rate) => json!({ "rate": rate }),
        };
        let value = json!({
            "contender": self.contender.name(),
            "url": self.url,
            "name": self.name,
            "limit": self.limit,
            "lease_ms": u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX),
            "load": load,
            "body": [self.body.0, self.body.1],
            "seed": self.seed,
        });
        value.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let small = |value: &Value| u32::try_from(value.as_u64()?).ok();
        let load = &value["load"];
        Some(Self {
            contender: Contender::from_str(value["contender"].as_str()?, false).ok()?,
            url: text("url")?,
            name: text("name")?,
            limit: small(&value["limit"])?,
            lease: Duration::from_millis(value["lease_ms"].as_u64()?),
            load: small(&load["tasks"])
                .map(Load::Tasks)
                .or_else(|| load["rate"].as_f64().map(Load::Rate))?,
            body: (value["body"][0].as_u64()?, value["body"][1].as_u64()?),
            seed: value["seed"].as_u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_reads_the_job_that_was_written() {
        for load in [Load::Tasks(3), Load::Rate(0.5)] {
            let job = Job {
                contender: Contender::Blpop,
                url: "redis://127.0.0.1:1".to_owned(),
                name: "name".to_owned(),
                limit: 20,
                lease: Duration::from_secs(6),
                load,
                body: (5_000, 20_000),
                seed: 7,
            };
            assert_eq!(Job::read(&job.write()), Some(job));
        }
    }
}
