//! Viewers who keep up are written to together.
//!
//! Every viewer has a task of its own, which hears its client and waits. To wake each of them for each batch costs more
//! than what they do then, and the machine at the other end falls asleep between two writes. So viewers who have all there
//! is, and whose sockets take it as it comes, join a group: one task writes each batch to all sockets of its group, right
//! after one another; viewers of another format are another group. A viewer whose socket does not take all of it is handed back to its own task, together with what is
//! left, and joins again once it has caught up; its own task takes it back too whenever it has something else to say.
//! Nobody waits for a slow one, and nothing is copied for anybody.
//!
//! | file | what lives there |
//! |---|---|
//! | `member` | one viewer's place in a group |
//! | `round` | what a group is given at a time |
//! | `task` | the task that writes |

mod member;
mod round;
mod task;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::cursor::Cursor;
use super::format::Format;
pub(super) use member::{Back, Member};
use task::GroupTask;

/// From so many members on another group is opened, if there is a thread for it.
const ENOUGH: usize = 64;

/// The groups of one live stream. Locked when a viewer joins one, not for media.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<Vec<Arc<Group>>>);

/// Viewers who are written to by one task.
#[derive(Debug)]
pub(super) struct Group {
    format: Format,
    door: Mutex<Door>,
    /// Members who have neither left nor been handed back.
    size: AtomicUsize,
}

/// Where members come in.
#[derive(Debug)]
struct Door {
    /// Sequence of the batch that the task takes next: who waits for an earlier one comes too late.
    position: u64,
    /// Who has come since the task looked last.
    joined: Vec<Arc<Member>>,
    task: Option<Waker>,
}

impl Groups {
    /// Lets a viewer join who has all that was there when `at` was taken. `None` if more has come since then. A group that
    /// is new brings the task that has to be run for it.
    pub(super) fn join(
        &self,
        at: Cursor,
        format: Format,
        member: &Arc<Member>,
    ) -> Option<(Arc<Group>, Option<GroupTask>)> {
        let mut groups = self.lock();
        let alike = || groups.iter().filter(|group| group.format == format);
        let smallest = alike().min_by_key(|group| group.size()).cloned();
        match smallest.filter(|group| group.size() < ENOUGH || alike().count() >= threads()) {
            Some(group) => group.admit(at.at.position, member).then_some((group, None)),
            None => {
                let group = Arc::new(Group::new(format, at.at.position, member.clone()));
                groups.push(group.clone());
                Some((group.clone(), Some(GroupTask::new(group, at))))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Group>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn new(format: Format, position: u64, founder: Arc<Member>) -> Self {
        let door = Door { position, joined: vec![founder], task: None };
        Self { format, door: Mutex::new(door), size: AtomicUsize::new(1) }
    }

    fn admit(&self, position: u64, member: &Arc<Member>) -> bool {
        let mut door = self.door();
        let in_time = position >= door.position;
        if in_time {
            door.joined.push(member.clone());
            self.size.fetch_add(1, Ordering::Relaxed);
        }
        in_time
    }

    /// A member has gone. The task ends with the last.
    pub(super) fn left(&self) {
        if self.size.fetch_sub(1, Ordering::Relaxed) == 1 {
            let task = self.door().task.take();
            task.into_iter().for_each(Waker::wake);
        }
    }

    fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many groups of one stream and format can be written to at the same time.
fn threads() -> usize {
    tokio::runtime::Handle::current().metrics().num_workers()
}
