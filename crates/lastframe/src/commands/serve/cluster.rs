//! This node's part of the cluster, in a build that has one and where `[cluster] nats` names a place for it.

use std::sync::Arc;

use live::Live;
use live::cluster::Cluster;
use model::Clock;
use store::Store;
use uuid::Uuid;

use super::ports::Addresses;
use crate::config::Config;
use crate::failure::Failure;

#[cfg(not(feature = "cluster"))]
pub use alone::connect;
#[cfg(feature = "cluster")]
pub use there::connect;

#[cfg(feature = "cluster")]
mod there {
    use super::super::advertised;
    use super::*;

    /// The cluster before the live path runs; `None` for a node that stands alone.
    pub struct Connected(Option<::cluster::Cluster>);

    /// The same while it runs.
    pub struct Running(Option<::cluster::Running>);

    /// Begins to connect; NATS need not be there yet.
    pub async fn connect(
        config: &Config,
        label: &str,
        node: Uuid,
        at: &Addresses,
        clock: &Arc<dyn Clock>,
    ) -> Result<Connected, Failure> {
        let cluster = &config.cluster;
        let Some(servers) = cluster.servers.clone() else { return Ok(Connected(None)) };
        let identity = match (cluster.cert.clone(), cluster.key.clone()) {
            (None, None) => None,
            (Some(cert), Some(key)) => Some((cert, key)),
            _ => {
                return Err(Failure::Usage("cluster.cert and cluster.key belong together: give both".into()));
            }
        };
        let rtmp = advertised::address(config, &servers, at).await;
        let settings = ::cluster::ClusterConfig {
            servers,
            name: cluster.name.clone(),
            credentials: cluster.credentials.clone(),
            ca: cluster.ca.clone(),
            identity,
            lease: cluster.lease,
            grace: cluster.grace,
            replicas: cluster.replicas,
            node: node.to_string(),
            label: label.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rtmp,
        };
        let connected = ::cluster::Cluster::connect(settings, Arc::clone(clock)).await;
        connected.map(Some).map(Connected).map_err(Failure::failed)
    }

    impl Connected {
        /// What the live path asks.
        pub fn for_live(&self) -> Option<Arc<dyn Cluster>> {
            self.0.clone().map(|cluster| Arc::new(cluster) as Arc<dyn Cluster>)
        }

        /// Takes part with what the live path has.
        pub fn run(self, live: &Live, store: &Store) -> Running {
            Running(self.0.map(|cluster| cluster.run(live, store)))
        }
    }

    impl Running {
        /// Does something once this node's catalog is that of all nodes; nothing where it stands alone.
        pub fn once_joined(&self, work: impl Future<Output = ()> + Send + 'static) {
            if let Some(running) = &self.0 {
                let joined = running.joined();
                tokio::spawn(async move {
                    joined.await;
                    work.await;
                });
            }
        }

        /// Gives back what this node owns, once its pushes have ended.
        pub async fn leave(self) {
            if let Some(running) = self.0 {
                running.leave().await;
            }
        }
    }
}

/// A build without the cluster has no configuration that asks for one.
#[cfg(not(feature = "cluster"))]
mod alone {
    use super::*;

    /// Nothing: this node stands alone.
    pub struct Connected;

    /// Nothing.
    pub struct Running;

    /// Does nothing.
    pub async fn connect(
        config: &Config,
        _: &str,
        _: Uuid,
        _: &Addresses,
        _: &Arc<dyn Clock>,
    ) -> Result<Connected, Failure> {
        match config.cluster.servers {
            None => Ok(Connected),
            Some(never) => match never {},
        }
    }

    impl Connected {
        /// Nobody is asked.
        pub fn for_live(&self) -> Option<Arc<dyn Cluster>> {
            None
        }

        /// Does nothing.
        pub fn run(self, _: &Live, _: &Store) -> Running {
            Running
        }
    }

    impl Running {
        /// Does nothing: there is no catalog but this node's own.
        pub fn once_joined(&self, _: impl Future<Output = ()> + Send + 'static) {}

        /// Does nothing.
        pub async fn leave(self) {}
    }
}
