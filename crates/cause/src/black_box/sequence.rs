//! The black box as people read it: commands and media in the order of time, with what repeats folded.

use super::{BlackBox, CommandEntry, MediaEntry, MediaEntryKind};

/// Media between two notable messages are folded, at most this much time into one step, ms.
const FOLD_MS: u32 = 1_000;
/// Commands that follow the media of their millisecond.
const ENDINGS: [&str; 3] = ["FCUnpublish", "deleteStream", "closeStream"];

/// One step of the sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds from connecting.
    pub at_ms: u32,
    /// What happened then.
    pub what: What,
}

/// What one step shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A command, in either direction.
    Command(CommandEntry),
    /// So many commands came here and are not kept.
    NotKept(u64),
    /// A media message that stands alone: a key frame, a configuration, data.
    Media(MediaEntry),
    /// Media of no note that followed each other.
    Run {
        /// Video frames in it.
        video: u32,
        /// Audio frames in it.
        audio: u32,
        /// Their bytes.
        bytes: u64,
        /// From the first to the last of them, ms.
        span_ms: u32,
    },
}

impl BlackBox {
    /// What is kept, as steps in the order in which it came.
    pub fn sequence(&self) -> Vec<Step> {
        let (first, not_kept, last) = self.commands();
        let (gap_at, gap_after) = first.last().map_or((0, Some(0)), |c| (c.at_ms, c.after_media));
        let placed = |c: CommandEntry| (c.after_media, Step { at_ms: c.at_ms, what: What::Command(c) });
        let gap = (gap_after, Step { at_ms: gap_at, what: What::NotKept(not_kept) });
        let mut commands: Vec<_> = first.into_iter().map(placed).collect();
        commands.extend((not_kept > 0).then_some(gap));
        commands.extend(last.into_iter().map(placed));
        let media: Vec<MediaEntry> = self.media_entries().collect();
        if commands.iter().any(|(after, _)| after.is_none()) {
            return by_time(commands.into_iter().map(|(_, step)| step), &media);
        }
        let mut steps = Vec::new();
        let mut left = media.as_slice();
        for (after, step) in commands {
            let still_to_come = self.media_seen().saturating_sub(after.unwrap_or(0));
            let before = left.len().saturating_sub(usize::try_from(still_to_come).unwrap_or(usize::MAX));
            let (came, rest) = left.split_at_checked(before).unwrap_or((&[], left));
            steps.extend(folded(came));
            steps.push(step);
            left = rest;
        }
        steps.extend(folded(left));
        steps
    }
}

/// The order as far as evidence of version 1 has it: the millisecond. Within one, what leads to media stands before it and
/// what ends it behind.
fn by_time(commands: impl Iterator<Item = Step>, media: &[MediaEntry]) -> Vec<Step> {
    let mut steps: Vec<Step> = commands.chain(folded(media)).collect();
    steps.sort_by_key(|step| (step.at_ms, is_ending(&step.what)));
    steps
}

fn is_ending(what: &What) -> bool {
    matches!(what, What::Command(c) if ENDINGS.contains(&c.name.as_str()))
}

fn notable(entry: &MediaEntry) -> bool {
    entry.key_frame || entry.config || entry.kind == MediaEntryKind::Data
}

/// Key frames, configurations and data stand alone; what lies between them is folded.
fn folded(media: &[MediaEntry]) -> impl Iterator<Item = Step> + '_ {
    let mut from = 0u32;
    let runs = media.chunk_by(move |a, b| {
        let together = !notable(a) && !notable(b) && b.at_ms.saturating_sub(from) < FOLD_MS;
        from = if together { from } else { b.at_ms };
        together
    });
    runs.filter_map(|run| {
        let head = run.first()?;
        let count = |kind| u32::try_from(run.iter().filter(|m| m.kind == kind).count()).unwrap_or(u32::MAX);
        let what = match notable(head) {
            true => What::Media(*head),
            false => What::Run {
                video: count(MediaEntryKind::Video),
                audio: count(MediaEntryKind::Audio),
                bytes: run.iter().map(|m| u64::from(m.size)).sum(),
                span_ms: run.last().map_or(0, |tail| tail.at_ms.saturating_sub(head.at_ms)),
            },
        };
        Some(Step { at_ms: head.at_ms, what })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(at_ms: u32, kind: MediaEntryKind, key_frame: bool) -> MediaEntry {
        MediaEntry { at_ms, kind, key_frame, config: false, timestamp: at_ms, size: 10, chunk_stream: 4 }
    }

    fn command(at_ms: u32, name: &str) -> CommandEntry {
        CommandEntry { at_ms, from_client: true, name: name.to_owned(), ..CommandEntry::default() }
    }

    #[test]
    fn media_between_key_frames_is_folded_into_a_step_a_second() {
        use MediaEntryKind::{Audio, Video};
        let mut run = vec![media(0, Video, true)];
        run.extend((1..=50).map(|i| media(i * 40, if i % 5 == 0 { Audio } else { Video }, false)));
        run.push(media(2_040, Video, true));
        let steps: Vec<Step> = folded(&run).collect();
        let second = What::Run { video: 20, audio: 5, bytes: 250, span_ms: 960 };
        let what: Vec<&What> = steps.iter().map(|step| &step.what).collect();
        assert_eq!(what.len(), 4);
        assert!(matches!(what[0], What::Media(m) if m.key_frame && m.at_ms == 0));
        assert_eq!((what[1], what[2]), (&second, &second));
        assert!(matches!(what[3], What::Media(m) if m.timestamp == 2_040));
    }

    fn names(steps: Vec<Step>) -> Vec<String> {
        let name = |step: Step| match step.what {
            What::Command(c) => c.name,
            other => format!("{other:?}").chars().take(5).collect(),
        };
        steps.into_iter().map(name).collect()
    }

    #[test]
    fn commands_stand_among_the_media_of_their_millisecond_as_they_came() {
        let mut black_box = BlackBox::default();
        black_box.command(command(5, "publish"));
        for n in 0..300 {
            black_box.media(media(5, MediaEntryKind::Video, n % 100 == 0));
        }
        black_box.command(command(5, "FCUnpublish"));
        black_box.media(media(5, MediaEntryKind::Video, true));
        black_box.command(command(5, "deleteStream"));
        let what = names(black_box.sequence());
        assert_eq!(what, ["publish", "Run {", "Media", "Run {", "FCUnpublish", "Media", "deleteStream"]);
    }

    #[test]
    fn of_old_evidence_a_goodbye_follows_the_media_of_its_millisecond_and_a_publish_leads_it() {
        let step = |at_ms, name| Step { at_ms, what: What::Command(command(at_ms, name)) };
        let commands = [step(5, "publish"), step(5, "deleteStream")];
        let what = names(by_time(commands.into_iter(), &[media(5, MediaEntryKind::Video, true)]));
        assert_eq!(what, ["publish", "Media", "deleteStream"]);
    }

    #[test]
    fn commands_that_were_left_out_are_counted_in_their_place() {
        let mut black_box = BlackBox::default();
        for n in 0..200 {
            black_box.command(command(n, "onSomething"));
        }
        let steps = black_box.sequence();
        let missing: Vec<_> = steps.iter().filter(|s| matches!(s.what, What::NotKept(_))).collect();
        assert_eq!(missing.len(), 1);
        let kept = steps.len() as u64 - 1;
        assert_eq!(missing[0].what, What::NotKept(200 - kept));
    }
}
