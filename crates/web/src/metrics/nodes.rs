//! The other nodes, where there are some.

use live::cluster::NodeFacts;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::gauge;

/// Whether the registry can be reached, and which nodes are there; `None` for a node that stands alone.
#[derive(Debug)]
pub struct Nodes(pub Option<(bool, Vec<NodeFacts>)>);

impl Collector for Nodes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some((connected, nodes)) = &self.0 else { return Ok(()) };
        let e = &mut encoder;
        let help = "1 while NATS takes this node's heartbeats";
        gauge(e, "cluster_connected", help, usize::from(*connected))?;
        let alive = nodes.iter().filter(|node| node.alive).count();
        gauge(e, "cluster_nodes_alive", "Nodes whose heartbeat is heard, this one included", alive)?;
        let help = "Nodes whose heartbeat has stopped, and that have not said goodbye";
        gauge(e, "cluster_nodes_dead", help, nodes.len() - alive)
    }
}
