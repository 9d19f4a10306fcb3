//! One run of a scenario, and what all runs share.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use crate::error::LabError;
use crate::server::{Profile, Server, Setup};
use crate::site::Site;
use crate::target::Target;

/// What all runs share: servers by profile, started when first asked for, or somebody else's server.
#[derive(Debug, Default)]
pub struct Bench {
    target: Option<Target>,
    servers: Mutex<HashMap<Profile, Arc<OnceCell<Site>>>>,
}

impl Bench {
    /// A bench with servers of its own, or with this one.
    pub fn new(target: Option<Target>) -> Self {
        Self { target, servers: Mutex::default() }
    }

    /// The server of its own that most scenarios share.
    pub(crate) async fn shared(&self) -> Result<Site, LabError> {
        self.site(Profile::Standard).await
    }

    async fn site(&self, profile: Profile) -> Result<Site, LabError> {
        let cell = self.servers.lock().await.entry(profile).or_default().clone();
        let start = async || Site::own(Arc::new(Server::start(Setup::new(profile)).await?));
        cell.get_or_try_init(start).await.cloned()
    }
}

/// One run of a scenario.
#[derive(Clone, Debug)]
pub struct Trial {
    bench: Arc<Bench>,
    stream: String,
}

impl Trial {
    /// A run that pushes this stream, which no other run does.
    pub fn new(bench: Arc<Bench>, stream: String) -> Self {
        Self { bench, stream }
    }

    /// The run's own stream name.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The server to push to: somebody else's if one was given, else one with the standard profile.
    pub async fn site(&self) -> Result<Site, LabError> {
        match &self.bench.target {
            Some(target) => Site::external(target),
            None => self.bench.site(Profile::Standard).await,
        }
    }

    /// The lab's own server with this profile.
    pub async fn own(&self, profile: Profile) -> Result<Site, LabError> {
        self.bench.site(profile).await
    }
}
