//! Keys that share a total: a bound on all that wait, limits of single keys, and weights.

mod bounded;
mod oracle;
mod own;
mod random;
mod weights;
