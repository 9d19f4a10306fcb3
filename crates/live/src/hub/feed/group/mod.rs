//! Viewers who keep up are written to together.
//!
//! Every viewer has a task of its own, which hears its client and waits. To wake each of them for each batch costs more
//! than what they do then, and the machine at the other end falls asleep between two writes. So viewers who have all there
//! is, and whose sockets take it as it comes, join a group: one task writes each batch to all sockets of its group, right
//! after one another; viewers of another format are another group. A viewer whose socket does not take all of it is handed
//! back to its own task, together with what is left, and joins again once it has caught up; its own task takes it back too
//! whenever it has something else to say. Nobody waits for a slow one, and nothing is copied for anybody.
//!
//! | file | what lives there |
//! |---|---|
//! | `member` | the places of viewers in a group |
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
use crate::socket::Line;
pub(super) use member::{Back, Member};
use member::{Row, Taken, row};
use task::GroupTask;

/// From so many members on another group is opened, if there is a thread for it.
const ENOUGH: usize = 64;
/// Places of a group's first row. Each further one is twice as long, up to the longest.
const FIRST_ROW: usize = 4;
const LONGEST_ROW: usize = 64;

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

/// A viewer who has joined.
pub(super) struct Joined {
    pub(super) group: Arc<Group>,
    pub(super) member: Member,
    /// To be run if the group is new.
    pub(super) task: Option<GroupTask>,
}

/// Where members come in.
#[derive(Debug)]
struct Door {
    /// Sequence of the batch that the task takes next: who waits for an earlier one comes too late.
    position: u64,
    /// All places.
    rows: Vec<Row>,
    /// Those that are empty.
    empty: Vec<Member>,
    task: Option<Waker>,
}

impl Groups {
    /// Lets a viewer join who has all that was there when `at` was taken. `None` if more has come since then.
    pub(super) fn join(&self, at: Cursor, format: Format, line: Line, own_task: Waker) -> Option<Joined> {
        let mut groups = self.lock();
        let alike = || groups.iter().filter(|group| group.format == format);
        let smallest = alike().min_by_key(|group| group.size()).cloned();
        let taken = Taken::new(line, at.at.clone(), own_task);
        match smallest.filter(|group| group.size() < ENOUGH || alike().count() >= threads()) {
            Some(group) => {
                let member = group.admit(at.at.position, taken)?;
                Some(Joined { group, member, task: None })
            }
            None => {
                let group = Arc::new(Group::new(format, at.at.position));
                let member = group.admit(at.at.position, taken)?;
                groups.push(group.clone());
                let task = GroupTask::new(group.clone(), at);
                Some(Joined { group, member, task: Some(task) })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Group>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn new(format: Format, position: u64) -> Self {
        let door = Door { position, rows: Vec::new(), empty: Vec::new(), task: None };
        Self { format, door: Mutex::new(door), size: AtomicUsize::new(0) }
    }

    fn admit(&self, position: u64, taken: Taken) -> Option<Member> {
        let mut door = self.door();
        if position < door.position {
            return None;
        }
        let member = door.place()?;
        member.sit(taken);
        self.size.fetch_add(1, Ordering::Relaxed);
        Some(member)
    }

    /// Gives a viewer back to its own task, and its place to whoever comes next.
    pub(super) fn take_back(&self, member: Member) -> Option<Back> {
        let (back, was_member) = member.take_back();
        self.door().empty.push(member);
        if was_member {
            self.left();
        }
        back
    }

    /// A member has gone. The task ends with the last.
    fn left(&self) {
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

impl Door {
    /// An empty place; those of a new row are given in their order.
    fn place(&mut self) -> Option<Member> {
        if self.empty.is_empty() {
            let doublings = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            let size = FIRST_ROW.checked_shl(doublings).unwrap_or(LONGEST_ROW).clamp(FIRST_ROW, LONGEST_ROW);
            let (row, places) = row(size);
            self.rows.push(row);
            self.empty.extend(places.rev());
        }
        self.empty.pop()
    }
}

/// How many groups of one stream and format can be written to at the same time.
fn threads() -> usize {
    tokio::runtime::Handle::current().metrics().num_workers()
}
