//! This package has nothing but tests.
