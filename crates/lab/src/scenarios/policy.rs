//! Refusals by the catalog: account, domain, app, names, lists, limits, and a third party's hook.

use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};

use super::refusal::refused;
use crate::error::LabError;
use crate::hook::{Answer, Hook};
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause as C;
    use DetailKey as D;
    vec![
        Scenario::new(
            "account_unknown",
            C::AccountUnknown,
            D::AccountUnknown,
            "Pushes to a domain whose account does not exist.",
            |t| Box::pin(domain(t, "nobody.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "account_stopped",
            C::AccountStopped,
            D::AccountStopped,
            "Pushes to a domain of a stopped account.",
            |t| Box::pin(domain(t, "stopped.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "account_overdue",
            C::AccountOverdue,
            D::AccountOverdue,
            "Pushes to a domain of an account in arrears.",
            |t| Box::pin(domain(t, "overdue.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "account_force_stopped",
            C::AccountForceStopped,
            D::AccountForceStopped,
            "Pushes to a domain of an account stopped by force.",
            |t| Box::pin(domain(t, "force-stopped.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "push_by_address",
            C::PushByIp,
            D::AddressInUrl,
            "Names an IP address in the push URL.",
            |t| Box::pin(push_by_address(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "domain_unknown",
            C::DomainUnknown,
            D::DomainUnknown,
            "Pushes to a domain that is not in the catalog.",
            |t| Box::pin(domain_unknown(t)),
        ),
        Scenario::new(
            "domain_for_playing",
            C::DomainUnknown,
            D::DomainForPlaying,
            "Pushes to a domain that is for playing.",
            |t| Box::pin(domain(t, "play.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "domain_invalid",
            C::DomainInvalid,
            D::DomainInvalid,
            "Pushes to what is no valid domain name.",
            |t| Box::pin(domain_invalid(t)),
        ),
        Scenario::new(
            "domain_disabled",
            C::DomainDisabled,
            D::DomainDisabled,
            "Pushes to a disabled domain.",
            |t| Box::pin(domain(t, "disabled.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new("app_disabled", C::AppDisabled, D::AppDisabled, "Pushes to a disabled app.", |t| {
            Box::pin(app_disabled(t))
        })
        .needing(Needs::Own),
        Scenario::new(
            "channel_missing",
            C::ChannelMissing,
            D::ChannelMissing,
            "Pushes a stream without a channel to a domain in channel mode.",
            |t| Box::pin(domain(t, "channels.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "channel_stopped",
            C::ChannelStopped,
            D::ChannelStopped,
            "Pushes a stream whose channel is stopped.",
            |t| Box::pin(channel_stopped(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "stream_name_illegal",
            C::StreamNameIllegal,
            D::StreamNameIllegal,
            "Pushes a stream with blanks in its name.",
            |t| Box::pin(stream_name_illegal(t)),
        ),
        Scenario::new(
            "app_name_illegal",
            C::AppNameIllegal,
            D::AppNameIllegal,
            "Pushes to an app with blanks in its name.",
            |t| Box::pin(app_name_illegal(t)),
        ),
        Scenario::new(
            "ip_blocked",
            C::IpBlocked,
            D::IpBlocked,
            "Pushes from an address on the blocklist.",
            |t| Box::pin(domain(t, "blocked.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "ip_not_allowed",
            C::IpNotAllowed,
            D::IpNotListed,
            "Pushes from an address that is not on the allowlist.",
            |t| Box::pin(domain(t, "allowed.lab.test")),
        )
        .needing(Needs::Own),
        Scenario::new(
            "hook_says_no",
            C::HookRefused,
            D::HookStatus,
            "The authentication hook says no.",
            |t| Box::pin(hook(t, Some(Answer::No))),
        )
        .needing(Needs::Own),
        Scenario::new(
            "hook_says_nothing",
            C::HookRefused,
            D::HookTimeout,
            "The authentication hook does not answer in time.",
            |t| Box::pin(hook(t, Some(Answer::Late(Duration::from_secs(20))))),
        )
        .needing(Needs::Own),
        Scenario::new(
            "hook_gone",
            C::HookRefused,
            D::HookUnreachable,
            "Nothing listens where the authentication hook should be.",
            |t| Box::pin(hook(t, None)),
        )
        .needing(Needs::Own),
    ]
}

async fn domain(trial: Trial, host: &'static str) -> Result<Seen, LabError> {
    refused(&trial.own(Profile::Standard).await?, host, APP, trial.stream(), trial.stream()).await
}

async fn push_by_address(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::NoDefaultDomain).await?;
    refused(&site, "192.0.2.7", APP, trial.stream(), trial.stream()).await
}

async fn domain_unknown(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    refused(&site, "unknown.lab.test", &site.app, trial.stream(), trial.stream()).await
}

async fn domain_invalid(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    refused(&site, "-bad-.lab.test", &site.app, trial.stream(), trial.stream()).await
}

async fn app_disabled(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    refused(&site, "apps.lab.test", "off", trial.stream(), trial.stream()).await
}

async fn channel_stopped(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    refused(&site, "channels.lab.test", APP, "halted", "halted").await
}

async fn stream_name_illegal(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let stream = format!("{} with blanks", trial.stream());
    refused(&site, &site.host, &site.app, &stream, &site.publish_name(&stream)).await
}

async fn app_name_illegal(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    refused(&site, &site.host, "app with blanks", trial.stream(), &site.publish_name(trial.stream())).await
}

async fn hook(trial: Trial, answer: Option<Answer>) -> Result<Seen, LabError> {
    let hook = match answer {
        Some(answer) => Some(Hook::start(answer).await?),
        None => None,
    };
    // Port 9 is for discarding, and nobody does.
    let url = hook.as_ref().map_or("http://127.0.0.1:9/".to_owned(), Hook::url);
    let mut setup = Setup::new(Profile::Plain);
    setup.config.push_str(&format!("\n[auth_hook]\ntimeout = \"1s\"\nurl = \"{url}\"\n"));
    let site = Site::own(Arc::new(Server::start(setup).await?))?;
    Ok(refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?.keep(hook))
}
