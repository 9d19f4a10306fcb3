//! What programs use. `v1` is our own REST; other surfaces stand beside it.

pub mod v1;
