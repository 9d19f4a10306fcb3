//! What `deploy/` asks of the program is there: every metric that the alert rules and the dashboard name.

use std::collections::BTreeSet;

use crate::support::http;
use crate::support::setup::Setup;

const FILES: [(&str, &str); 2] = [
    ("deploy/prometheus/lastframe.rules.yml", include_str!("../../deploy/prometheus/lastframe.rules.yml")),
    ("deploy/grafana/lastframe.json", include_str!("../../deploy/grafana/lastframe.json")),
];

/// Figures of what a build, a node or a moment may be without: their own tests hold their names.
fn may_be_absent(name: &str) -> bool {
    let absent =
        [("lastframe_ship", !cfg!(feature = "postgres")), ("lastframe_cluster_", !cfg!(feature = "cluster"))];
    absent.iter().any(|(of, absent)| *absent && name.starts_with(of))
}

#[test]
fn every_metric_that_rules_and_dashboard_name_is_one_that_the_program_has() {
    let relay = "[[relay]]\nname = \"copy\"\ntarget = \"rtmp://127.0.0.1:9/live/copy\"\n";
    let mut setup = Setup::open().config(relay);
    if cfg!(feature = "postgres") {
        // Nobody listens there, and the figures say so.
        setup = setup.env("LASTFRAME_STORE_URL", "postgres://nobody@127.0.0.1:9/none?sslmode=disable");
    }
    if cfg!(feature = "cluster") {
        setup = setup.env("LASTFRAME_CLUSTER_NATS", "nats://127.0.0.1:9");
    }
    let server = setup.start();
    let figures = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    let known: BTreeSet<&str> =
        figures.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let base = |name: &str| {
        let suffixes = ["_total", "_bucket", "_sum", "_count"];
        suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name).to_owned()
    };
    for (file, text) in FILES {
        let named: BTreeSet<&str> = words(text).filter(|word| word.starts_with("lastframe_")).collect();
        assert!(named.len() > 10, "{file} names {named:?}");
        for name in named {
            let there = known.contains(name) || known.contains(base(name).as_str());
            assert!(there || may_be_absent(name), "{file} names {name}, which is none of {known:?}");
        }
    }
}

#[test]
fn the_dashboard_is_json_with_a_query_in_every_panel() {
    let dashboard: serde_json::Value = serde_json::from_str(FILES[1].1).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() > 20);
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(
            targets.iter().all(|target| target["expr"].as_str().is_some_and(|expr| !expr.is_empty())),
            "{panel}"
        );
    }
}

/// Names as PromQL has them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
}
