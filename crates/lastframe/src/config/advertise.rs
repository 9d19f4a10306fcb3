//! `[cluster] advertise`: where other nodes fetch streams from this one.

use std::net::IpAddr;

use live::relay::{Target, TargetError};

use super::Config;

/// Whether others could connect to a place; else why not, as the end of a sentence that begins with it.
pub fn check(text: &str) -> Result<(), String> {
    let has_scheme = text.contains("://");
    let with_port =
        |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0);
    if !has_scheme && !text.rsplit_once(':').is_some_and(with_port) {
        return Err("is no place; write host:port, such as \"10.0.0.7:1935\"".to_owned());
    }
    let url = if has_scheme { text.to_owned() } else { format!("rtmp://{text}") };
    let target: Target = url.parse().map_err(|error: TargetError| error.to_string())?;
    if target.has_path() {
        return Err("has a path; write host:port, or rtmps://host:port".to_owned());
    }
    let host = host_of(text);
    match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => {
            Err("is where this node listens, and no address that others could connect to".to_owned())
        }
        _ => Ok(()),
    }
}

fn host_of(text: &str) -> &str {
    let place = text.split_once("://").map_or(text, |(_, place)| place).trim_end_matches('/');
    match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => place.rsplit_once(':').map_or(place, |(host, _)| host),
    }
}

/// What is likely to keep other nodes from fetching streams.
pub fn doubts(config: &Config) -> Vec<String> {
    if config.cluster.servers.is_none() {
        return Vec::new();
    }
    let mut doubts = Vec::new();
    let listen = config.rtmp.listen.ip();
    match &config.cluster.advertise {
        None if listen.is_loopback() && !nats_is_local(config) => doubts.push(format!(
            "cluster.advertise is missing, and rtmp.listen is {listen}: no other machine can fetch streams from this node"
        )),
        Some(place) if place.starts_with("rtmps://") && config.rtmps.listen.is_none() => doubts.push(format!(
            "cluster.advertise is {place}, but RTMPS is off (rtmps.listen): no node can fetch streams from this one"
        )),
        _ => {}
    }
    doubts
}

/// Whether all nodes are on one machine, as in a trial.
#[cfg(feature = "cluster")]
fn nats_is_local(config: &Config) -> bool {
    let local = |host: &str| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    config.cluster.servers.iter().flat_map(|servers| servers.places()).all(|(host, _)| local(host))
}

#[cfg(not(feature = "cluster"))]
fn nats_is_local(_: &Config) -> bool {
    false
}

/// What happens where nothing is advertised by name.
pub fn note(config: &Config) -> Option<String> {
    let silent = config.cluster.servers.is_some() && config.cluster.advertise.is_none();
    let listen = config.rtmp.listen;
    silent.then(|| match listen.ip().is_unspecified() {
        true => format!(
            "cluster.advertise is missing: other nodes are told the address by which this machine reaches NATS, with port {}",
            listen.port()
        ),
        false => format!("cluster.advertise is missing: other nodes are told rtmp.listen, {listen}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_others_can_connect_to_are_taken() {
        for good in [
            "10.0.0.7:1935",
            "n1.example.com:1935",
            "[2001:db8::7]:1935",
            "rtmps://n1.example.com:1936",
            "rtmps://n1",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        for (bad, why) in [
            ("n1.example.com", "no place"),
            ("n1.example.com:0", "no place"),
            (":1935", "no place"),
            ("0.0.0.0:1935", "listens"),
            ("[::]:1935", "listens"),
            ("rtmps://0.0.0.0:1936", "listens"),
            ("rtmp://n1/live/stream", "path"),
            ("http://n1:80", "neither"),
            ("us er:1935", "spaces"),
        ] {
            let told = check(bad).unwrap_err();
            assert!(told.contains(why), "{bad}: {told}");
        }
    }
}
