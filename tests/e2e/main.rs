//! End-to-end scenarios: the built program, real encoders and clients, and what the records say afterwards. One file
//! a promise; what each needs of the machine is in `support::rights`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of tests are tests too")]

mod accounts;
mod acme;
mod admission;
mod api_description;
mod auth_hook;
mod browser_https;
mod callbacks;
mod certificate_expiry;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "cluster")]
mod cluster_browser;
#[cfg(all(feature = "cluster", feature = "postgres"))]
mod cluster_callbacks;
#[cfg(feature = "cluster")]
mod cluster_catalog;
#[cfg(all(feature = "cluster", feature = "postgres"))]
mod cluster_chaos;
#[cfg(all(feature = "cluster", feature = "postgres"))]
mod cluster_secured;
#[cfg(feature = "cluster")]
mod cluster_switch;
#[cfg(feature = "cluster")]
mod cluster_viewers;
mod console;
mod console_setup;
mod console_watching;
mod css_sdk;
mod css_security;
mod deploy;
mod drain;
mod durability;
mod first_light;
mod floods;
mod full_disk;
mod gstreamer;
mod hls;
mod hls_rules;
mod imports;
mod limits;
mod load;
mod mistakes;
mod network;
mod node_death;
mod orders;
mod playback;
mod playback_browser;
mod playback_flv;
mod playback_websocket;
#[cfg(feature = "postgres")]
mod postgres;
mod proxy_mode;
mod proxy_protocol;
mod push_urls;
mod relay;
mod secured;
mod srt;
mod srt_media;
mod stages;
mod stopping;
mod support;
mod takeover;
mod test_push;
mod ways_to_end;
mod webrtc;
mod webrtc_beside;
mod webrtc_media;
mod webrtc_tcp;
