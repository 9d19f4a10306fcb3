//! `drain`: takes the node that runs on the data folder out of service, and waits until it is.

use std::io::{self, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::cli::DrainArgs;
use crate::control::{self, Answer, Drain, Question};
use crate::failure::Failure;

/// How often the node is asked how far it is.
const EVERY: Duration = Duration::from_millis(200);

/// Returns once no push is left and every end is on disk.
pub fn run(args: &DrainArgs, data: &Path) -> Result<(), Failure> {
    if args.cancel {
        ask(data, &Question::CancelDrain)?;
        return say("the node takes pushes again");
    }
    let wait_ms = u64::try_from(args.wait.as_millis()).unwrap_or(u64::MAX);
    let mut state = ask(data, &Question::Drain { wait_ms })?;
    let mut said = String::new();
    loop {
        if state.phase == "open" {
            return Err(Failure::failed("the drain was cancelled: the node takes pushes again"));
        }
        if state.phase == "drained" && state.unwritten == 0 {
            return say(&done(&state));
        }
        let line = progress(&state);
        if line != said {
            say(&line)?;
            said = line;
        }
        sleep(EVERY);
        state = ask(data, &Question::DrainState)?;
    }
}

fn ask(data: &Path, question: &Question) -> Result<Drain, Failure> {
    match control::ask(data, question)? {
        Answer::Drain(state) => Ok(state),
        Answer::Refused { why } => Err(Failure::Failed(why)),
        Answer::Cluster(_) => Err(Failure::failed("the server answered something else")),
    }
}

fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

fn pushes(count: usize) -> String {
    format!("{count} push{}", if count == 1 { "" } else { "es" })
}

fn progress(state: &Drain) -> String {
    format!("{}: {} left, {} asked to connect elsewhere", state.phase, pushes(state.left), state.asked)
}

fn done(state: &Drain) -> String {
    let ended = match state.ended {
        0 => "none had to be ended".to_owned(),
        ended => format!("{} ended by this node (10/0)", pushes(ended)),
    };
    let shipped = match state.unshipped {
        None => "",
        Some(0) => "; the database of all nodes has every record",
        Some(_) => {
            "; some records are not in the database of all nodes yet: let the node run on, or start it again"
        }
    };
    format!("drained: no push is left, {ended}{shipped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_what_became_of_pushes_and_records() {
        let mut state =
            Drain { phase: "drained".into(), left: 0, asked: 2, ended: 0, unwritten: 0, unshipped: None };
        assert_eq!(done(&state), "drained: no push is left, none had to be ended");
        state.ended = 1;
        state.unshipped = Some(0);
        assert!(done(&state).contains("1 push ended by this node (10/0); the database"));
        state.unshipped = Some(4);
        assert!(done(&state).contains("not in the database"));
    }
}
