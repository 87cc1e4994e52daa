//! The test is the file beside this one.
