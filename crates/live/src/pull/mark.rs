//! What tells an owner from the first packet of a connection that another node fetches: a message code in the random bytes
//! of its handshake. A fetch that is cut before it has said what it wants would look like an encoder that failed otherwise.
//!
//! It lets nobody play: that is the ticket's part. Whoever repeats a mark that he has read on the way has no more of it than
//! that his connection, should it end before it names a stream, leaves no record.

use hmac::Mac;
use rtmp::handshake::{HEAD, RANDOM};

use super::ticket::Secret;
use crate::shared::Shared;

/// Of other uses of the secret.
const PURPOSE: &[u8] = b"lastframe fetch mark 1";
/// So many bytes at the head stay random; what follows them is their code.
const NONCE: usize = 16;

/// Puts the mark of a fetch from the node `to` into the random bytes of its handshake.
pub(super) fn mark(secret: &Secret, to: &str, random: &mut [u8; RANDOM]) {
    let (nonce, rest) = random.split_at_mut(NONCE);
    let code = secret.code(&[PURPOSE, to.as_bytes(), nonce]).finalize().into_bytes();
    rest.iter_mut().zip(code).for_each(|(to, from)| *to = from);
}

/// Whether the random bytes of a handshake begin with the mark of a fetch from the node `to`.
fn is_marked(secret: &Secret, to: &str, head: &[u8; HEAD]) -> bool {
    let (nonce, code) = head.split_at(NONCE);
    // Compared in constant time.
    secret.code(&[PURPOSE, to.as_bytes(), nonce]).verify_slice(code).is_ok()
}

/// Whether a connection is another node's, by the head of its handshake's random bytes; on a node that stands alone none is.
pub(crate) fn is_of_a_node(shared: &Shared, head: Option<&[u8; HEAD]>) -> bool {
    let (Some(cluster), Some(head)) = (&shared.cluster, head) else { return false };
    cluster.secret().is_some_and(|secret| is_marked(&secret, cluster.me(), head))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::from_text(&hex::encode([byte; 32])).unwrap()
    }

    fn marked(nonce: u8) -> [u8; RANDOM] {
        let mut random = [nonce; RANDOM];
        mark(&secret(1), "owner", &mut random);
        random
    }

    #[test]
    fn a_mark_is_known_by_the_node_that_it_is_for_and_by_its_secret_alone() {
        let head = marked(7).first_chunk().copied().unwrap();
        assert!(is_marked(&secret(1), "owner", &head));
        assert!(!is_marked(&secret(1), "third", &head));
        assert!(!is_marked(&secret(2), "owner", &head));
        assert_ne!(marked(7)[..HEAD], marked(8)[..HEAD]);
        assert_eq!(marked(7)[HEAD..], [7; RANDOM - HEAD], "the rest stays random");
    }

    proptest! {
        #[test]
        fn no_other_bytes_are_a_mark(at in 0..HEAD, to in any::<u8>(), random in any::<[u8; 32]>()) {
            let mut head = *marked(7).first_chunk().unwrap();
            prop_assume!(head[at] != to);
            head[at] = to;
            prop_assert!(!is_marked(&secret(1), "owner", &head));
            head[..32].copy_from_slice(&random);
            prop_assert!(!is_marked(&secret(1), "owner", &head));
        }
    }
}
