//! A key that another node owns goes to a push that waits here, as an operator wants it.

use live::cluster::Taken;
use model::{PushId, StreamKey};

use super::{KeyState, Ownership};
use crate::connection::{Fault, write};
use crate::lease::{Lease, Standing, Written, switch};
use crate::names;

impl Ownership {
    /// Gives the key to a push that waits here, as an operator wants it.
    pub async fn take(&self, key: &StreamKey, push: PushId, ordered: Option<u64>) -> Taken {
        if !self.members.is_connected(self.clock.instant()) {
            return Taken::Unreachable { reason: "this node is cut off from the registry".to_owned() };
        }
        let Some(slot) = self.lock().get(key).cloned() else { return Taken::Gone };
        let mut state = slot.lock().await;
        let place = state.pushes.iter().position(|claim| claim.push == push);
        let (Some(at), Standing::Waits { .. }) = (place, state.standing) else {
            return if matches!(state.standing, Standing::Owns(_)) { Taken::Here } else { Taken::Gone };
        };
        let taken = self.take_for(&mut state, key, at, ordered).await;
        taken.unwrap_or_else(|error| Taken::Unreachable { reason: error.to_string() })
    }

    async fn take_for(
        &self,
        state: &mut KeyState,
        key: &StreamKey,
        at: usize,
        ordered: Option<u64>,
    ) -> Result<Taken, Fault> {
        let Some(claim) = state.pushes.get(at).cloned() else { return Ok(Taken::Gone) };
        let found = self.read(key).await?;
        if ordered.is_some_and(|ordered| ordered != found.revision) {
            return Ok(Taken::Moved { revision: found.revision });
        }
        let held = found.value.as_deref().map(serde_json::from_slice::<Lease>).transpose();
        let held = held.map_err(Fault::of)?;
        let held = held.as_ref().map(|lease| (lease, self.state_of(lease)));
        let Some(lease) = switch(&self.contender(&claim), held, self.clock.now()) else {
            return Ok(Taken::Moved { revision: found.revision });
        };
        let buckets = self.buckets().await?;
        let written = write(&buckets.leases, &names::of_key(key), found.revision, &lease).await;
        let written = written.inspect_err(|_| {
            self.in_doubt().insert(key.clone());
        })?;
        let Written::As(revision) = written else { return Ok(Taken::Moved { revision: found.revision }) };
        tracing::info!(%key, revision, push = %claim.push, how = ?lease.how, "the stream is given to a push that waited here");
        (state.standing, state.lease) = (Standing::Owns(revision), Some(lease));
        if let Some(first) = state.pushes.get_mut(..=at) {
            first.rotate_right(1);
        }
        // If it has left just now, its place here is given back after this.
        Ok(if self.live.handed_to(key, revision, claim.push) { Taken::Now } else { Taken::Gone })
    }
}
