//! What the items of a random program do: the same for the loop and for the model, drawn from the seed and the item's own number.

/// What an item does while it runs. Items are named by their numbers, which count up as they are made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Soon,
    Later(u64),
    Spawn,
    Cancel(usize),
    Reset(usize, u64),
    Stop,
}

/// What a task does after a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wait {
    NextTurn,
    Sleep(u64),
    End,
}

/// No program makes more items than this.
pub(crate) const MOST: usize = 80;

fn random(seed: u64, item: usize, step: u64) -> fastrand::Rng {
    let mut numbers = fastrand::Rng::with_seed(seed);
    let mixed = numbers.u64(..) ^ (item as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    fastrand::Rng::with_seed(mixed ^ step.rotate_left(32))
}

/// `made` is how many items there are so far.
pub(crate) fn actions(seed: u64, item: usize, step: u64, made: usize) -> Vec<Action> {
    let mut random = random(seed, item, step);
    let count = random.usize(0..4);
    let mut draw = |_| match random.u32(0..20) {
        0..5 => Action::Soon,
        // Few times, so that there are ties.
        5..10 => Action::Later(random.u64(0..4)),
        10..13 => Action::Spawn,
        13..16 => Action::Cancel(random.usize(0..=made)),
        16..19 => Action::Reset(random.usize(0..=made), random.u64(0..4)),
        _ => Action::Stop,
    };
    (0..count).map(&mut draw).collect()
}

pub(crate) fn wait(seed: u64, item: usize, step: u64) -> Wait {
    let mut random = random(seed, item, step + 1_000_000);
    match random.u32(0..4) {
        _ if step == 3 => Wait::End,
        0 => Wait::NextTurn,
        1 | 2 => Wait::Sleep(random.u64(0..4)),
        _ => Wait::End,
    }
}
