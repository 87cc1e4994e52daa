//! Calls that wait for each other.

mod solver;
