//! Nodes that tests let speak.

use limit_fleet::message::{Answer, NodeId, Renewal, Times, Verdict};
use limit_fleet::{LeaseStore, LedgerName, RedisStore, StoreError, StoreErrorKind};

use crate::waiting::until;

/// A lease so short that a test can wait until a ledger has learnt.
pub(crate) const SHORT: Times = Times { ttl: 300_000, hold: 0 };
/// A lease so long that no node ends during a test.
pub(crate) const LONG: Times = Times { ttl: 3_600_000_000, hold: 0 };

pub(crate) fn ledger() -> LedgerName {
    LedgerName::new("test", "limit")
}

/// Returns a store that waits as long as the test does.
pub(crate) fn store(url: &str) -> RedisStore {
    RedisStore::new(url).expect("an address").with_timeout(std::time::Duration::from_secs(30))
}

/// A node as a test plays it: it says what it wants, and remembers its share.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) renewal: Renewal,
    pub(crate) times: Times,
    pub(crate) ledger: LedgerName,
}

impl Node {
    pub(crate) fn new(id: &str, ledger: LedgerName, times: Times) -> Self {
        let node = NodeId(id.to_owned());
        let renewal = Renewal { node, seq: 0, claim: 0, running: 0, want: 0, limit: 10, token: 0 };
        Self { renewal, times, ledger }
    }

    /// Makes one attempt.
    pub(crate) async fn attempt(
        &mut self,
        store: &impl LeaseStore,
        want: u32,
    ) -> Result<Answer, StoreError> {
        self.renewal.seq += 1;
        self.renewal.want = want;
        let answer = store.renew(&self.ledger, &self.times, &self.renewal).await?;
        assert_eq!(answer.seq, self.renewal.seq);
        if answer.verdict == Verdict::Accepted {
            self.renewal.claim = answer.share;
            self.renewal.token = self.renewal.token.max(answer.token);
        }
        Ok(answer)
    }

    /// Attempts as the rules say: once more, if the server does not have the script.
    pub(crate) async fn renew(
        &mut self,
        store: &impl LeaseStore,
        want: u32,
    ) -> Result<Answer, StoreError> {
        match self.attempt(store, want).await {
            Err(error) if error.kind() == StoreErrorKind::NoScript => {
                self.attempt(store, want).await
            }
            result => result,
        }
    }

    /// Renews until the answer is as wanted.
    pub(crate) async fn renew_until(
        &mut self,
        store: &impl LeaseStore,
        want: u32,
        is_wanted: impl Fn(&Answer) -> bool,
    ) -> Answer {
        until("the answer that the test waits for", async || {
            self.renew(store, want).await.ok().filter(&is_wanted)
        })
        .await
    }
}
