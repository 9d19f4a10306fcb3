//! `cluster status`: the nodes, as the one that runs on the data folder sees them.

use std::io::{self, Write};
use std::path::Path;

use jiff::tz::TimeZone;

use crate::cli::{CauseFormat, ClusterStatusArgs};
use crate::control::{self, Answer, Cluster, Question};
use crate::failure::Failure;
use crate::terminal::table::{Column, widths, write_row};
use crate::terminal::text::{clean, local_time};

const COLUMNS: [Column; 7] = [
    Column { heading: "NODE", max: 32 },
    Column { heading: "STATE", max: 5 },
    Column { heading: "PUSHES", max: 8 },
    Column { heading: "VERSION", max: 12 },
    Column { heading: "SINCE", max: 19 },
    Column { heading: "RTMP", max: 40 },
    Column { heading: "ID", max: 36 },
];

/// Prints them; fails where something is not well.
pub fn status(args: &ClusterStatusArgs, data: &Path) -> Result<(), Failure> {
    let Answer::Cluster(cluster) = control::ask(data, &Question::Cluster)? else {
        return Err(Failure::failed("the server answered something else"));
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        CauseFormat::Json => {
            writeln!(out, "{}", serde_json::to_string(&cluster).map_err(Failure::failed)?)?;
        }
        CauseFormat::Table => table(&mut out, &cluster)?,
    }
    out.flush()?;
    match troubles(&cluster).as_slice() {
        [] => Ok(()),
        troubles => Err(Failure::Failed(troubles.join("; "))),
    }
}

fn table(out: &mut dyn Write, cluster: &Cluster) -> io::Result<()> {
    let known = |connected| if connected { "connected" } else { "away" };
    match cluster.connected {
        None => writeln!(out, "registry: none, this node stands alone")?,
        Some(connected) => writeln!(out, "registry: {}", known(connected))?,
    }
    if cluster.connected.is_some() {
        let revision =
            cluster.catalog.map_or("not heard yet".to_owned(), |revision| format!("revision {revision}"));
        writeln!(out, "catalog:  {revision}")?;
    }
    match cluster.database {
        None => writeln!(out, "database: none, records stay on this node")?,
        Some((connected, waiting)) => {
            writeln!(out, "database: {}, {waiting} records wait", known(connected))?
        }
    }
    if cluster.nodes.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let zone = TimeZone::system();
    let rows: Vec<Vec<String>> = cluster
        .nodes
        .iter()
        .map(|node| {
            vec![
                clean(&node.label),
                if node.alive { "alive" } else { "dead" }.to_owned(),
                node.pushes.to_string(),
                clean(&node.version),
                local_time(node.since, &zone),
                node.rtmp.as_deref().map_or_else(|| "-".to_owned(), clean),
                clean(&node.id),
            ]
        })
        .collect();
    let widths = widths(&COLUMNS, &rows);
    write_row(out, &widths, &COLUMNS.map(|column| column.heading.to_owned()))?;
    rows.iter().try_for_each(|row| write_row(out, &widths, row))
}

fn troubles(cluster: &Cluster) -> Vec<String> {
    let mut troubles = Vec::new();
    if cluster.connected == Some(false) {
        troubles.push("the registry cannot be reached: new pushes are refused".to_owned());
    }
    if cluster.connected.is_some() && cluster.catalog.is_none() {
        troubles.push("the catalog of all nodes has not been heard yet".to_owned());
    }
    if cluster.database.is_some_and(|(connected, _)| !connected) {
        troubles.push("the database of all nodes cannot be reached: records wait".to_owned());
    }
    let dead: Vec<_> =
        cluster.nodes.iter().filter(|node| !node.alive).map(|node| node.label.as_str()).collect();
    if !dead.is_empty() {
        troubles.push(format!("dead: {}", dead.join(", ")));
    }
    troubles
}

#[cfg(test)]
mod tests {
    use live::cluster::NodeFacts;
    use model::Timestamp;

    use super::*;

    fn node(label: &str, alive: bool) -> NodeFacts {
        NodeFacts {
            id: "7f".into(),
            label: label.into(),
            version: "0.1.0".into(),
            since: Timestamp(0),
            pushes: 3,
            rtmp: None,
            alive,
        }
    }

    #[test]
    fn a_node_alone_is_well() {
        let alone = Cluster { connected: None, catalog: None, nodes: Vec::new(), database: None };
        assert!(troubles(&alone).is_empty());
        let mut text = Vec::new();
        table(&mut text, &alone).unwrap();
        assert!(String::from_utf8(text).unwrap().starts_with("registry: none, this node stands alone\n"));
    }

    #[test]
    fn whatever_is_not_well_is_named() {
        let nodes = vec![node("east", true), node("west", false)];
        let bad = Cluster { connected: Some(false), catalog: None, nodes, database: Some((false, 9)) };
        assert_eq!(troubles(&bad).len(), 4);
        let mut text = Vec::new();
        table(&mut text, &bad).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("database: away, 9 records wait") && text.contains("dead"), "{text}");
    }
}
