//! Playing: from what a player asks for to what it is sent.
//!
//! | file | what lives there |
//! |---|---|
//! | [`hls`] | HLS and low-latency HLS: a packager per live stream that somebody asks for |

pub mod hls;
