//! What the person who streams is told: what happened, and what to try now. No words of protocols, no blame; and
//! where several causes mean the same to that person, the same words.

mod en;
mod ja;
mod zh;

use super::{Cause, Lang};

/// A cause in the words of those who stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// What happened, in one sentence.
    pub what: &'static str,
    /// What to try now.
    pub now: &'static str,
}

impl Cause {
    /// What to tell the person who streams. [`Cause::meaning`] and [`Cause::advice`] are for the operator.
    pub const fn plain(self, lang: Lang) -> Plain {
        let (what, now) = match lang {
            Lang::Ja => ja::words(self),
            Lang::En => en::words(self),
            Lang::Zh => zh::words(self),
        };
        Plain { what, now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that only those who run servers know.
    const OF_OPERATORS: [&str; 20] = [
        "rtmp",
        "tcp",
        "amf",
        "srt",
        "whip",
        "tls",
        "txsecret",
        "txtime",
        "publish",
        "deletestream",
        "errno",
        "catalog",
        "journal",
        "ingest",
        "handshake",
        "socket",
        "reset",
        "node",
        "hook",
        "codec",
    ];

    #[test]
    fn every_cause_has_plain_words_in_every_language() {
        for cause in Cause::ALL {
            for lang in Lang::ALL {
                let Plain { what, now } = cause.plain(lang);
                let end = if lang == Lang::En { '.' } else { '。' };
                for text in [what, now] {
                    assert!(text.chars().count() >= 8 && text.ends_with(end), "{cause} {lang:?}: {text}");
                    let lower = text.to_lowercase();
                    for word in OF_OPERATORS {
                        let told = lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == word);
                        assert!(!told, "{cause} {lang:?}: `{word}` in {text}");
                    }
                }
                assert!(what.chars().count() <= 120, "{cause} {lang:?} is long: {what}");
                assert_ne!(what, cause.meaning(lang), "{cause} {lang:?}");
            }
        }
    }

    #[test]
    fn causes_that_call_for_different_steps_have_different_words() {
        let now = |cause: Cause| cause.plain(Lang::En).now;
        let apart = [
            Cause::DeleteStream,
            Cause::PathLost,
            Cause::SignatureWrong,
            Cause::Expired,
            Cause::Overload,
            Cause::TakenOver,
            Cause::MediaStopped,
            Cause::MessageTooLarge,
        ];
        for (index, a) in apart.iter().enumerate() {
            for b in &apart[index + 1..] {
                assert_ne!(now(*a), now(*b), "{a} {b}");
            }
        }
    }
}
