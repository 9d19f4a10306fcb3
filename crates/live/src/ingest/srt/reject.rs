//! Which reject code tells a caller why (SRT access control guidelines: 1000 and an HTTP status; below 1100 the codes of
//! the protocol itself).

use cause::evidence::Act;

/// The passphrases differ.
pub(super) const BAD_SECRET: u32 = 1_010;
/// One side encrypts and the other does not.
pub(super) const UNSECURE: u32 = 1_011;
/// The caller wants something else than to push.
pub(super) const BAD_MODE: u32 = 1_405;

/// The code for a refusal.
pub(super) fn code(act: &Act) -> u32 {
    match (act.code.errcode, act.code.sub_errcode) {
        // Too much for this node, or more than account, domain or stream may have.
        (18, 104 | 600) => 1_402,
        (18, 100..=103) => 1_500,
        // Unknown: the account, the domain, the channel.
        (18, 200 | 301 | 306) => 1_404,
        // What the stream id says makes no sense.
        (18, 300 | 302 | 308 | 309) => 1_400,
        (18, 500..=503) => 1_401,
        (18, 601 | 602) => 1_409,
        (18, _) | (19 | 21, _) => 1_403,
        (9, _) => 1_503,
        (10, _) => 1_502,
        _ => 1_500,
    }
}

/// What a code that the protocol itself gave means, in English.
pub(super) fn meaning(code: u32) -> &'static str {
    match code {
        1_004 => "the handshake makes no sense",
        1_005 => "too many connections",
        1_008 => "a version of the protocol other than 5",
        BAD_SECRET => "another passphrase than ours",
        UNSECURE => "encryption on one side only",
        1_012 => "stream mode, where live streams need messages",
        1_013 => "a congestion control other than live",
        1_014 => "a packet filter",
        1_015 => "a group of connections",
        _ => "refused by the protocol",
    }
}

#[cfg(test)]
mod tests {
    use cause::Cause;

    use super::*;

    #[test]
    fn each_refusal_has_a_code_that_callers_know() {
        let of = |cause: Cause| code(&Act { code: cause.code(), detail: None });
        assert_eq!(of(Cause::Overload), 1_402);
        assert_eq!(of(Cause::HookRefused), 1_403);
        assert_eq!(of(Cause::NodeStopped), 1_503);
        for cause in Cause::ALL {
            assert!((1_400..1_600).contains(&of(cause)), "{cause:?}");
        }
    }
}
