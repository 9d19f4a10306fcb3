//! The records of the database, with their times on the clock by which the clients write theirs.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use model::Timestamp;
use serde_json::Value;

use super::world::World;
use crate::support::clock::{now, wall};

/// A record of the database.
#[derive(Clone, Debug)]
pub struct Found {
    /// Of the push.
    pub id: String,
    /// Empty where it never came so far as to name one.
    pub stream: String,
    /// Label of the node that took the push.
    pub node: String,
    /// Who came.
    pub client: SocketAddr,
    /// The node that came, where it was no client.
    pub from_node: Option<usize>,
    pub code: String,
    pub detail: Value,
    pub bytes_in: u64,
    /// When it was accepted.
    pub from: Instant,
    /// When it ended.
    pub to: Instant,
}

/// All records of the database.
pub fn records(world: &World) -> Vec<Found> {
    let sql = "select json_build_object('id', r.id, 'stream', coalesce(s.text, ''), 'node', r.node, \
        'ip', host(r.client_ip), 'port', r.client_port, 'code', r.errcode || '/' || r.sub_errcode, \
        'detail', r.detail, 'bytes_in', r.bytes_in, 'from', r.connected_at, 'to', r.ended_at) \
        from record r left join stream s on s.id = r.stream_id";
    let rows = world.database().sql(sql).unwrap();
    let clock = (wall(), now());
    rows.lines().filter(|line| !line.is_empty()).map(|line| found(world, line, clock)).collect()
}

fn found(world: &World, line: &str, clock: (Timestamp, Instant)) -> Found {
    let row: Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let ip: IpAddr = text("ip").parse().unwrap();
    let port = u16::try_from(row["port"].as_u64().unwrap()).unwrap();
    let at = |name: &str| {
        let ago = clock.0.millis() - row[name].as_i64().unwrap();
        clock.1 - Duration::from_millis(u64::try_from(ago).unwrap_or_default())
    };
    Found {
        id: text("id"),
        stream: text("stream"),
        node: text("node"),
        client: SocketAddr::new(ip, port),
        from_node: world.node_machines.iter().position(|machine| IpAddr::from(machine.address) == ip),
        code: text("code"),
        detail: row["detail"].clone(),
        bytes_in: row["bytes_in"].as_u64().unwrap(),
        from: at("from"),
        to: at("to"),
    }
}
