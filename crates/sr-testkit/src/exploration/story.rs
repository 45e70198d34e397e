//! A run as a person reads it: a line for each step.

use std::fmt::Write as _;

use sr_auth_core::store::{OwnerId, StoreOp};
use sr_auth_core::{Fingerprint, Secret};

use super::action::Action;
use super::server::Answer;
use super::step::Bench;
use super::world::{BEGIN, Ground, Message, Phase, Waiter, What, World};

/// Tells what happens on a path, with what the store and the server have at its end.
pub(super) fn tell(ground: &Ground, path: &[Action]) -> Vec<String> {
    let mut bench = Bench { ground, machines: None };
    let mut world = World::new(ground);
    let mut lines = vec!["every process starts, and a caller asks each of them".to_owned()];
    // What breaks, breaks at the last step at the earliest.
    let _begun = world.begin(&mut bench);
    for action in path {
        let before = world.clone();
        let _taken = world.take(*action, &mut bench);
        let seconds = before.now.since(BEGIN).as_millis() as f64 / 1_000.0;
        let mut line = format!("{seconds:>9.3} s  {}", describe(*action, &before, &world, ground));
        let views = before.views().into_iter().zip(world.views());
        for (place, stages) in views.enumerate() {
            if let (Some(from), Some(to)) = stages
                && from.stage != to.stage
            {
                let process = process(place);
                write!(line, "; {process} {:?} → {:?}", from.stage, to.stage)
                    .expect("a text takes everything");
            }
        }
        lines.push(line);
    }
    lines.push(at_the_end(&world, ground));
    lines
}

fn at_the_end(world: &World, ground: &Ground) -> String {
    let refresh = |name: Option<Fingerprint>| {
        let number = name.and_then(|name| ground.number(name));
        number.map_or_else(|| "none".to_owned(), |it| format!("r{it}"))
    };
    let live = world.server.live.map_or_else(|| "none".to_owned(), |it| format!("r{it}"));
    let Some(record) = world.record(ground) else { return "the store has nothing".to_owned() };
    let stored = refresh(record.refresh.as_ref().map(|it| it.fingerprint));
    let mut line = format!(
        "in the end the store has generation {}, {:?}, {stored}",
        record.generation.number(),
        record.health
    );
    if let Some(sibling) = &record.sibling {
        let sibling = refresh(Some(sibling.token.fingerprint));
        write!(line, " and {sibling} set aside").expect("a text takes everything");
    }
    write!(line, "; the server takes {live}").expect("a text takes everything");
    line
}

fn describe(action: Action, before: &World, after: &World, ground: &Ground) -> String {
    let message = |at: u8| before.messages.get(usize::from(at));
    let named = |at: u8| message(at).map(|it| name(it, before, ground)).unwrap_or_default();
    let whose = |at: u8| message(at).map(|it| waiter(it.waiter)).unwrap_or_default();
    match action {
        Action::Advance => format!("{:.3} s pass", after.now.since(before.now).as_secs_f64()),
        Action::Arrive(at) | Action::Odd(at, _) => {
            format!("{} reaches the server, {}", named(at), served(before, after))
        }
        Action::CarryOut(at) => {
            let waits = message(at).is_some_and(|it| matches!(it.waiter, Waiter::Process(_)));
            let answer = after.messages.get(usize::from(at)).filter(|_| waits);
            let answer = answer.and_then(|it| match &it.what {
                What::Op(op) => op.answer.as_ref().map(|it| it.outcome.name()),
                What::Request(_) => None,
            });
            format!("{} reaches the store: {}", named(at), answer.unwrap_or("nobody is told"))
        }
        Action::Crash(place) => format!("{} dies", process(place.into())),
        Action::Deliver(at) => format!("{} hears of {}", whose(at), named(at)),
        Action::Drop(at) => match message(at).map(|it| &it.what) {
            Some(What::Request(it)) if it.phase != Phase::Sent => {
                format!("the answer to {} is lost", named(at))
            }
            _ => format!("{} is lost on its way", named(at)),
        },
        Action::Empty => "the store loses everything".to_owned(),
        Action::Exit(place) => format!("{} ends", process(place.into())),
        Action::GiveUp(at) => format!("{} waits no more for {}", whose(at), named(at)),
        Action::Lose(at) => format!("{} hears nothing of {}", whose(at), named(at)),
        Action::Pause(place) => format!("{} stands still", process(place.into())),
        Action::Refuse(at) => format!("the store refuses {}", named(at)),
        Action::Restart(place) => format!("{} begins anew", process(place.into())),
        Action::Resume(place) => format!("{} goes on", process(place.into())),
        Action::Slow(at) => format!("{} takes long", named(at)),
        Action::Timeout(place) => format!("{} has waited long enough", process(place.into())),
        Action::Vanish(at) => format!("{} never gets there", named(at)),
        Action::Word(place, word) => format!("{} is told: {word:?}", process(place.into())),
        Action::Write(at) => format!("{} leaves", named(at)),
    }
}

/// Tells what the server did.
fn served(before: &World, after: &World) -> String {
    match (before.server.live, after.server.live) {
        (Some(old), None) => format!("which refuses it and revokes r{old}"),
        (old, Some(new)) if old != Some(new) => format!("which gives r{new} for it"),
        _ => {
            let gives = after.messages.iter().find_map(|it| match it.what {
                What::Request(it) => match it.phase {
                    Phase::Answered(Answer::Granted { refresh: Some(refresh), .. }) => {
                        Some(format!("which gives r{refresh} again"))
                    }
                    Phase::Answered(answer) => Some(format!("which answers {}", answer.name())),
                    Phase::Lost | Phase::Queued | Phase::Sent => None,
                },
                What::Op(_) => None,
            });
            gives.unwrap_or_else(|| "which refuses it".to_owned())
        }
    }
}

fn name(message: &Message, world: &World, ground: &Ground) -> String {
    let whose = waiter(message.waiter);
    match &message.what {
        What::Op(op) => {
            let owner =
                owner(&op.op).and_then(|owner| world.slots.iter().position(|it| it.owner == owner));
            let whose = owner.map_or(whose, process);
            let token = carried(&op.op).and_then(|it| ground.number(it));
            let token = token.map(|it| format!(" of r{it}")).unwrap_or_default();
            format!("{whose}'s {}{token}", op.op.name())
        }
        What::Request(request) => format!("{whose}'s request with r{}", request.token),
    }
}

const fn owner(op: &StoreOp<Secret>) -> Option<OwnerId> {
    match op {
        StoreOp::Arm { intent, .. } => Some(intent.id.owner),
        StoreOp::Disarm { intent, .. } => Some(intent.owner),
        StoreOp::Bury { owner, .. }
        | StoreOp::Commit { owner, .. }
        | StoreOp::Escrow { owner, .. }
        | StoreOp::Pulse { owner, .. } => Some(*owner),
        StoreOp::Adopt { .. }
        | StoreOp::Due { .. }
        | StoreOp::End { .. }
        | StoreOp::Load { .. } => None,
    }
}

fn carried(op: &StoreOp<Secret>) -> Option<Fingerprint> {
    match op {
        StoreOp::Adopt { grant, .. } => grant.refresh.as_ref().map(|it| it.fingerprint),
        StoreOp::Arm { intent, .. } => intent.fingerprint,
        StoreOp::Commit { successor, .. } => successor.refresh.as_ref().map(|it| it.fingerprint),
        StoreOp::Escrow { sibling, .. } => Some(sibling.token.fingerprint),
        StoreOp::Bury { .. }
        | StoreOp::Disarm { .. }
        | StoreOp::Due { .. }
        | StoreOp::End { .. }
        | StoreOp::Load { .. }
        | StoreOp::Pulse { .. } => None,
    }
}

fn waiter(waiter: Waiter) -> String {
    match waiter {
        Waiter::Died => "a dead process".to_owned(),
        Waiter::GaveUp => "nobody".to_owned(),
        Waiter::Process(place) => process(place),
    }
}

fn process(place: usize) -> String {
    format!("P{}", place + 1)
}
