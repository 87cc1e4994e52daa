//! Under overload the calls that matter least give way.

mod deadlines;
mod early;
mod evicted;
mod oracle;
mod random;
