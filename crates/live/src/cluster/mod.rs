//! What the live path asks of a cluster of nodes, and what it does for one. A node that stands alone has no [`Cluster`],
//! and none of this costs it anything.
//!
//! | file | what lives there |
//! |---|---|
//! | `registry` | [`Cluster`]: who carries a stream key among all nodes, and how many pushes others have |
//! | `command` | [`Command`] and [`Reply`]: what one node asks another to do |
//! | `obey` | a node does what another asks |
//! | `everywhere` | orders and lists that mean all nodes |
//! | `switch` | another push carries a stream, on whichever node it waits |
//! | `standing` | how the registry's word reaches the pushes of this node |
//! | `words` | words of a fixed set, read back from another node's answer |

mod command;
mod everywhere;
mod obey;
mod registry;
mod standing;
mod switch;
pub(crate) mod words;

pub use self::command::{Command, Reply};
pub use self::everywhere::{Everywhere, PushesEverywhere};
pub use self::registry::{Asked, Boxed, Claim, Cluster, NodeFacts, Taken, Tenure};
pub use self::standing::{Carrier, TakenBy};
pub use self::words::Word;
