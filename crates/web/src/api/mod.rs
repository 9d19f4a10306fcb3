//! What programs use. `v1` is our own REST; `css` is the API of Tencent Cloud CSS.

pub mod css;
pub mod v1;
