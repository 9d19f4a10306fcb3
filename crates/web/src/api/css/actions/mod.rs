//! The actions, a file a family. Each file begins with the table of its actions: name, calls a second, role, parameters.

mod backups;
mod callback_records;
mod callbacks;
mod domains;
mod events;
mod keys;
mod push_info;
mod streams;

use super::call::Action;

const FAMILIES: [&[Action]; 8] = [
    &events::ACTIONS,
    &streams::ACTIONS,
    &push_info::ACTIONS,
    &callbacks::ACTIONS,
    &callback_records::ACTIONS,
    &domains::ACTIONS,
    &keys::ACTIONS,
    &backups::ACTIONS,
];

/// Every action.
pub fn all() -> impl Iterator<Item = &'static Action> {
    FAMILIES.into_iter().flatten()
}

/// The action of that name.
pub fn find(name: &str) -> Option<&'static Action> {
    all().find(|action| action.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_action_and_no_parameter_stands_twice() {
        let mut names = HashSet::new();
        for action in all() {
            assert!(names.insert(action.name), "{}", action.name);
            let params: HashSet<_> = action.params.iter().map(|param| param.name()).collect();
            assert_eq!(params.len(), action.params.len(), "{}", action.name);
        }
    }
}
