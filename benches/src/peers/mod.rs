//! What people use today, set up as their documentation shows it.

/// Adds the listener number 0, or the listeners 0 to 9, with a function that is generic over the number.
macro_rules! add_listeners {
    ($count:expr, $add:ident, $target:expr) => {
        $add::<0>($target);
        if $count == 10 {
            $add::<1>($target);
            $add::<2>($target);
            $add::<3>($target);
            $add::<4>($target);
            $add::<5>($target);
            $add::<6>($target);
            $add::<7>($target);
            $add::<8>($target);
            $add::<9>($target);
        }
    };
}

mod bevy;
mod broadcast;
mod evenio;
mod kameo;
mod locked_map;
mod mod_events;
mod spawned;

use std::rc::Rc;

use tokio::runtime::Runtime;

use crate::harness::Contestant;

/// Returns every peer with one and with ten listeners.
pub fn contestants() -> Vec<Contestant> {
    vec![
        bevy::contestant("bevy_ecs/1", 1),
        bevy::contestant("bevy_ecs/10", 10),
        evenio::contestant("evenio/1", 1),
        evenio::contestant("evenio/10", 10),
        mod_events::contestant("mod-events/1", 1),
        mod_events::contestant("mod-events/10", 10),
        broadcast::contestant("tokio broadcast/1", 1),
        broadcast::contestant("tokio broadcast/10", 10),
        locked_map::contestant("locked map/1", 1),
        locked_map::contestant("locked map/10", 10),
    ]
}

/// Returns every peer that can be awaited with one and with ten listeners.
pub fn awaited(runtime: &Rc<Runtime>) -> Vec<Contestant> {
    vec![
        mod_events::awaited("mod-events async/1", 1, runtime),
        mod_events::awaited("mod-events async/10", 10, runtime),
        spawned::contestant("tokio spawn/1", 1, runtime),
        spawned::contestant("tokio spawn/10", 10, runtime),
        kameo::contestant("kameo/1", 1, runtime),
        kameo::contestant("kameo/10", 10, runtime),
    ]
}
