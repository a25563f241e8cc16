//! The words that say what a mytoken is to be.
