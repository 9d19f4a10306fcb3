//! One pull: from its first viewer until nobody watches, over as many owners as the stream has meanwhile.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use media::{AudioKind, VideoKind};
use model::FetchEnd;
use rtmp::MediaKind;
use tokio::sync::watch;

use super::following::{Following, Holder, OwnerFacts};
use super::mark::mark;
use super::player::{Player, Playing};
use super::pulls::{Entry, OPENING, Ready};
use super::ticket::{Errand, PARAMETER, sign};
use crate::hub::PullPlace;
use crate::hub::feed::{Ended, FrameKind, Writer};
use crate::play::STREAM_HAS_ENDED;
use crate::relay::Target;
use crate::relay::link::Link;
use crate::relay::parting::{Parting, Said};
use crate::relay::side::{Goodbye, Received};
use crate::shared::Shared;

/// How often it is looked whether somebody watches.
const LOOK: Duration = Duration::from_millis(500);
/// Before the second attempt in a row; each further one waits twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// An owner whose lease is gone has this long to say whether the stream is over, or was lost.
const LAST_WORD: Duration = Duration::from_secs(1);
/// Messages that are taken without a look at anything else.
const TOGETHER: usize = 64;

/// How one connection ended.
#[derive(Debug)]
enum Outcome {
    /// A newer lease says that the stream is not this owner's any more.
    Changed,
    /// The owner said that the stream is over.
    Over,
    /// It ended otherwise; true if media had come.
    Lost(bool),
    /// A push of this node carries the stream.
    Here,
    /// Nobody watches.
    Idle,
    /// The node stops.
    Stopping,
}

/// Runs a pull until it has ended, and takes it out of the list.
pub(super) async fn run(shared: &Arc<Shared>, entry: Arc<Entry>, place: PullPlace) {
    let pull = PullTask { shared, entry: &entry, place: &place, unwatched: Mutex::default() };
    tracing::info!(key = %entry.key, "a stream of another node is fetched");
    let (why, viewers) = pull.follow().await;
    shared.pulls.leave(&entry, false);
    entry.ready.send_replace(Ready::Over);
    let record = shared.pulls.ended(&entry, why);
    let code = record.code().map(tracing::field::display);
    tracing::info!(id = %record.id, key = %entry.key, why = why.as_str(), code, "a stream of another node is no longer fetched");
    shared.journal.fetch_ended(record);
    match viewers {
        Some(ended) => place.end(ended),
        None => drop(place),
    }
}

struct PullTask<'a> {
    shared: &'a Arc<Shared>,
    entry: &'a Arc<Entry>,
    place: &'a PullPlace,
    /// Since when nobody watches.
    unwatched: Mutex<Option<Instant>>,
}

impl PullTask<'_> {
    /// Follows the stream; why it ended, and what its viewers are told.
    async fn follow(&self) -> (FetchEnd, Option<Ended>) {
        let clock = &self.shared.clock;
        let mut following = self.entry.following.subscribe();
        let mut give_up = clock.instant() + self.shared.pulls.config.wait;
        let mut failures = 0_u32;
        loop {
            let now = following.borrow_and_update().clone();
            let outcome = match now.holder() {
                Holder::Here => Outcome::Here,
                Holder::Nobody => {
                    self.entry.progress.waiting(now.revision());
                    self.until_news(&mut following, give_up).await
                }
                Holder::There(owner) => self.fetch(owner, now.revision(), &mut following).await,
            };
            match outcome {
                Outcome::Here => return (FetchEnd::Here, None),
                Outcome::Idle => return (FetchEnd::Idle, Some(Ended::Unpublished)),
                Outcome::Over => return (FetchEnd::Over, Some(Ended::Unpublished)),
                Outcome::Stopping => return (FetchEnd::Stopping, Some(Ended::Unpublished)),
                Outcome::Changed => {
                    failures = 0;
                    // One that has just come by the stream has its chance too.
                    let time = match now.holder() {
                        Holder::Nobody => OPENING,
                        _ => self.shared.pulls.config.wait,
                    };
                    give_up = give_up.max(clock.instant() + time);
                }
                Outcome::Lost(had_media) => {
                    if had_media {
                        failures = 0;
                        give_up = clock.instant() + self.shared.pulls.config.wait;
                    }
                    let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX));
                    failures += 1;
                    let until = clock.instant() + pause.min(LONGEST_PAUSE);
                    match self.until_news(&mut following, until.min(give_up)).await {
                        // Changes may have been missed.
                        Outcome::Lost(_) => self.look_again().await,
                        Outcome::Changed => {}
                        Outcome::Idle => return (FetchEnd::Idle, Some(Ended::Unpublished)),
                        _ => return (FetchEnd::Stopping, Some(Ended::Unpublished)),
                    }
                }
            }
            if clock.instant() >= give_up {
                return (FetchEnd::NoOwner, Some(Ended::Lost));
            }
        }
    }

    /// Waits for another owner until then: `Changed`, or `Lost` when the time is over.
    async fn until_news(&self, following: &mut watch::Receiver<Following>, until: Instant) -> Outcome {
        tokio::select! {
            // The sender is in the entry.
            _ = following.changed() => Outcome::Changed,
            () = self.idle() => Outcome::Idle,
            () = self.shared.relays.stopping() => Outcome::Stopping,
            () = tokio::time::sleep_until(until.into()) => Outcome::Lost(false),
        }
    }

    /// Asks the registry, in case a change was not heard of.
    async fn look_again(&self) {
        if let Some(cluster) = &self.shared.cluster
            && let Some(seen) = cluster.owner(&self.entry.key).await
        {
            self.entry.learn(seen);
        }
    }

    /// Ready once nobody has watched, or was about to, for the configured time.
    async fn idle(&self) {
        let (clock, idle) = (&self.shared.clock, self.shared.pulls.config.idle);
        loop {
            let now = clock.instant();
            let viewers = self.place.viewers();
            self.entry.progress.watched(viewers);
            let watched = viewers > 0 || self.entry.is_held();
            let since = {
                let mut unwatched = self.unwatched.lock().unwrap_or_else(PoisonError::into_inner);
                if watched {
                    *unwatched = None;
                }
                *unwatched.get_or_insert(now)
            };
            // Out of the list at once, so that who comes now begins anew.
            if !watched
                && now.saturating_duration_since(since) >= idle
                && self.shared.pulls.leave(self.entry, true)
            {
                return;
            }
            tokio::time::sleep(LOOK.min(idle.max(Duration::from_millis(50)))).await;
        }
    }

    /// Fetches from one owner, until something ends that.
    async fn fetch(
        &self,
        owner: &OwnerFacts,
        revision: u64,
        following: &mut watch::Receiver<Following>,
    ) -> Outcome {
        let progress = &self.entry.progress;
        progress.connecting(owner, revision);
        let address = owner.rtmp.clone().unwrap_or_default();
        let opened = tokio::select! {
            biased;
            () = no_longer(following, owner, progress) => return self.changed(following),
            () = self.idle() => return Outcome::Idle,
            () = self.shared.relays.stopping() => return Outcome::Stopping,
            opened = self.open(owner, revision) => opened,
        };
        let mut link = match opened {
            Ok(link) => link,
            Err(parting) => return self.parted(owner, &address, &parting, false),
        };
        let Some(mut writer) = self.place.begin() else {
            link.leave(Goodbye::Delete).await;
            return Outcome::Here;
        };
        progress.live();
        tracing::info!(key = %self.entry.key, owner = owner.label, revision, "media comes from another node");
        let mut taken = Taken { entry: self.entry, writer: &mut writer, any: false };
        let ended = tokio::select! {
            biased;
            () = no_longer(following, owner, progress) => Err(Outcome::Changed),
            parting = self.take(&mut link, &mut taken) => Ok(parting),
            () = self.idle() => Err(Outcome::Idle),
            () = self.shared.relays.stopping() => Err(Outcome::Stopping),
        };
        let any = taken.any;
        // From here on nothing that this owner has sent counts.
        self.place.lose();
        match ended {
            Ok(parting) => self.parted(owner, &address, &parting, any),
            Err(Outcome::Changed) => {
                let outcome = self.changed(following);
                if matches!(following.borrow().holder(), Holder::Nobody)
                    && let Some(parting) = last_word(&mut link).await
                {
                    return self.parted(owner, &address, &parting, any);
                }
                drop(link);
                outcome
            }
            Err(outcome) => {
                link.leave(Goodbye::Delete).await;
                outcome
            }
        }
    }

    fn changed(&self, following: &watch::Receiver<Following>) -> Outcome {
        let revision = following.borrow().revision();
        self.entry.progress.owner_changed(revision);
        tracing::info!(key = %self.entry.key, revision, "the stream has another owner");
        Outcome::Changed
    }

    fn parted(&self, owner: &OwnerFacts, address: &str, parting: &Parting, any: bool) -> Outcome {
        self.entry.progress.parted(parting, address);
        let is_over = matches!(parting, Parting::Stopped(Said { text, .. }) if text == STREAM_HAS_ENDED);
        tracing::info!(key = %self.entry.key, owner = owner.label, address, %parting, is_over, "the owner of a stream has ended its fetching");
        if is_over { Outcome::Over } else { Outcome::Lost(any) }
    }

    async fn open(&self, owner: &OwnerFacts, revision: u64) -> Result<Link<Playing>, Parting> {
        let unusable = |reason: &str| Parting::Unreachable(reason.to_owned());
        let address = owner.rtmp.as_deref().ok_or_else(|| unusable("the node advertises no address"))?;
        let url = if address.contains("://") { address.to_owned() } else { format!("rtmp://{address}") };
        let target: Target =
            url.parse().map_err(|error| Parting::Unreachable(format!("{address}: {error}")))?;
        let cluster = self.shared.cluster.as_ref().ok_or_else(|| unusable("this node stands alone"))?;
        let secret =
            cluster.secret().ok_or_else(|| unusable("the registry has not been reached since the start"))?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| unusable("the system gives no random numbers"))?;
        let errand = Errand { key: &self.entry.key, revision, from: cluster.me(), to: &owner.node };
        let ticket = sign(&secret, &errand, self.shared.clock.now(), nonce);
        let endpoint = target.endpoint_to_play(&self.entry.key, &format!("{PARAMETER}={ticket}"));
        let mut random = self.shared.handshake_bytes();
        mark(&secret, &owner.node, &mut random);
        let player = Player::playing(&endpoint, self.shared.config.limits.message, random);
        self.shared.pulls.dialer.open_as(&endpoint, player).await
    }

    /// Takes what an owner sends, until that ends.
    async fn take(&self, link: &mut Link<Playing>, taken: &mut Taken<'_>) -> Parting {
        let clock = &self.shared.clock;
        let mut counted = 0;
        let flush = tokio::time::sleep(LOOK);
        tokio::pin!(flush);
        loop {
            let bytes = link.bytes_in();
            self.entry.progress.received(bytes - std::mem::replace(&mut counted, bytes));
            let deadline = taken.writer.deadline();
            if let Some(at) = deadline.filter(|at| flush.deadline().into_std() != *at) {
                flush.as_mut().reset(at.into());
            }
            let received = tokio::select! {
                received = link.next() => Some(received),
                () = &mut flush, if deadline.is_some() => None,
            };
            let now = clock.instant();
            match received {
                Some(Ok(received)) => taken.take(received, now),
                Some(Err(parting)) => return parting,
                None => taken.writer.flush(now),
            }
            for _ in 0..TOGETHER {
                match link.try_next() {
                    Ok(Some(received)) => taken.take(received, now),
                    Ok(None) => break,
                    Err(parting) => return parting,
                }
            }
        }
    }
}

/// Where what an owner sends goes.
struct Taken<'a> {
    entry: &'a Entry,
    writer: &'a mut Writer,
    /// Media has come.
    any: bool,
}

impl Taken<'_> {
    fn take(&mut self, received: Received, now: Instant) {
        match received {
            Received::Media(media) => {
                let (timestamp, payload) = (media.info.timestamp, media.payload);
                let (kind, coded, key) = match media.kind {
                    MediaKind::Video => {
                        let tag = media::parse_video(&payload).ok().map(|tag| tag.kind);
                        let key = tag == Some(VideoKind::KeyFrame);
                        (FrameKind::Video, key || tag == Some(VideoKind::InterFrame), key)
                    }
                    MediaKind::Audio => {
                        let tag = media::parse_audio(&payload).ok().map(|tag| tag.kind);
                        (FrameKind::Audio, tag == Some(AudioKind::Frame), false)
                    }
                };
                self.writer.media(now, kind, timestamp, payload, coded, key);
                if coded && !std::mem::replace(&mut self.any, true) {
                    self.entry.ready.send_replace(Ready::There);
                }
            }
            Received::Data(data) => {
                if !data.raw.is_empty() {
                    self.writer.data(now, data.info.timestamp, &data.name, &data.raw);
                }
            }
        }
    }
}

/// Ready once the stream is not this owner's any more.
async fn no_longer(
    following: &mut watch::Receiver<Following>,
    owner: &OwnerFacts,
    progress: &super::progress::Progress,
) {
    loop {
        {
            let now = following.borrow_and_update();
            if !now.is(owner) {
                return;
            }
            progress.renewed(now.revision());
        }
        // The sender is in the entry.
        if following.changed().await.is_err() {
            return;
        }
    }
}

/// What an owner says at last, once it has lost its lease; what else it sends is let go.
async fn last_word(link: &mut Link<Playing>) -> Option<Parting> {
    let heard = async {
        loop {
            if let Err(parting) = link.next().await {
                return parting;
            }
        }
    };
    tokio::time::timeout(LAST_WORD, heard).await.ok()
}
