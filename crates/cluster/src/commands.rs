//! Asking other nodes, and answering them: requests over NATS, JSON both ways, an envelope with a version around each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use futures_util::StreamExt;
use live::Live;
use live::cluster::{Asked, Command, Reply};
use model::Clock;
use serde::{Deserialize, Serialize};

use crate::connection::{Connection, Fault, within};
use crate::heartbeat::Members;

/// The version of the envelope.
const VERSION: u8 = 1;
/// How long nodes have to answer.
const ANSWERS: Duration = Duration::from_secs(2);
/// Pushes in one message of an answer; NATS takes a megabyte by default, and one push has less than a kilobyte.
const PUSHES: usize = 400;
/// Commands that are carried out at once.
const AT_ONCE: usize = 64;

#[derive(Debug, Serialize, Deserialize)]
struct Asking {
    v: u8,
    /// The node that asks.
    from: String,
    command: Command,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    v: u8,
    /// The node that answers.
    from: String,
    /// Whether nothing more comes from it.
    last: bool,
    reply: Reply,
}

/// Asks all other nodes that are alive, and waits for their answers, or until their time is over.
pub(crate) async fn ask_all(
    connection: &Connection,
    members: &Members,
    clock: &dyn Clock,
    command: Command,
) -> Asked {
    let others = members.others(clock.instant());
    let mut missing: HashMap<String, String> = others.into_iter().collect();
    let mut asked = Asked::default();
    if missing.is_empty() {
        return asked;
    }
    let gathered = gather(connection, members.me().0, command, &mut missing, &mut asked);
    if let Ok(Err(error)) = tokio::time::timeout(ANSWERS, gathered).await {
        tracing::warn!(%error, "the other nodes cannot be asked");
    }
    asked.silent.extend(missing.into_values());
    asked
}

async fn gather(
    connection: &Connection,
    me: &str,
    command: Command,
    missing: &mut HashMap<String, String>,
    asked: &mut Asked,
) -> Result<(), Fault> {
    let failed = |error: &dyn std::fmt::Display| Fault::Failed(error.to_string());
    let client = &connection.client;
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.map_err(|e| failed(&e))?;
    let asking = Asking { v: VERSION, from: me.to_owned(), command };
    let asking = serde_json::to_vec(&asking).map_err(|e| failed(&e))?;
    for node in missing.keys() {
        let subject = connection.names.commands(node);
        let sent = client.publish_with_reply(subject, inbox.clone(), asking.clone().into()).await;
        sent.map_err(|e| failed(&e))?;
    }
    while !missing.is_empty() {
        let Some(message) = answers.next().await else { break };
        let Ok(answer) = serde_json::from_slice::<Answer>(&message.payload) else { continue };
        let Some(label) = missing.get(&answer.from).cloned() else { continue };
        if answer.last {
            missing.remove(&answer.from);
        }
        asked.replies.push((label, answer.reply));
    }
    Ok(())
}

/// Answers what other nodes ask, for ever.
pub(crate) async fn answer(connection: Arc<Connection>, members: Arc<Members>, live: Live) {
    let subject = connection.names.commands(members.me().0);
    let at_once = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    loop {
        // The client subscribes again by itself after each reconnect.
        match within(connection.client.subscribe(subject.clone())).await {
            Ok(Ok(mut asked)) => {
                while let Some(message) = asked.next().await {
                    let Ok(permit) = at_once.clone().acquire_owned().await else { return };
                    let (connection, members, live) = (connection.clone(), members.clone(), live.clone());
                    tokio::spawn(async move {
                        answer_one(&connection, members.me().0, &live, message).await;
                        drop(permit);
                    });
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "commands of other nodes are not heard"),
            Err(error) => tracing::warn!(%error, "commands of other nodes are not heard"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn answer_one(connection: &Connection, me: &str, live: &Live, message: Message) {
    let Some(to) = message.reply else { return };
    let replies = match serde_json::from_slice::<Asking>(&message.payload) {
        Ok(asking) if asking.v == VERSION => {
            tracing::debug!(from = asking.from, command = ?asking.command, "asked by another node");
            parts(live.obey(asking.command).await)
        }
        Ok(asking) => vec![Reply::Failed { reason: format!("version {} is not spoken here", asking.v) }],
        Err(error) => vec![Reply::Failed { reason: format!("cannot be read here: {error}") }],
    };
    let count = replies.len();
    for (at, reply) in replies.into_iter().enumerate() {
        let answer = Answer { v: VERSION, from: me.to_owned(), last: at + 1 == count, reply };
        let sent = match serde_json::to_vec(&answer) {
            Ok(answer) => connection.client.publish(to.clone(), answer.into()).await,
            Err(error) => return tracing::error!(%error, "an answer cannot be written"),
        };
        if let Err(error) = sent {
            return tracing::warn!(%error, "an answer could not be sent");
        }
    }
}

/// An answer in parts that each fit into a message.
fn parts(reply: Reply) -> Vec<Reply> {
    match reply {
        Reply::Pushes { pushes } if pushes.len() > PUSHES => {
            pushes.chunks(PUSHES).map(|some| Reply::Pushes { pushes: some.to_vec() }).collect()
        }
        other => vec![other],
    }
}
