//! The instance of one connection.

use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use event_core::private::protocol;

use super::asks::{Given, Way};
use super::binding::Binding;
use super::kind::Occurred;
use super::{Protocol, Turned};
use crate::stream::Transport;

/// What a listener's call came to.
pub(crate) enum Told {
    /// No listener hears it.
    Nobody,
    /// The instance is in use further up on the stack.
    Busy,
    Turned(Turned),
    /// It failed, and the loop's hook has been told in these words.
    Failed(String),
}

/// A protocol whose type is forgotten.
pub(crate) trait Instance {
    fn hears(&self, kind: usize) -> bool;
    fn is_busy(&self) -> bool;
    fn tell(&self, occurred: &Occurred<'_>, way: Way<'_>) -> Told;
    /// Lends the protocol's own memory for a read.
    fn lend(&self, _: Way<'_>, _: &mut dyn FnMut(&mut [u8])) -> Told {
        Told::Nobody
    }
    fn as_any(self: Rc<Self>) -> Rc<dyn Any>;
}

pub(crate) struct Held<P> {
    value: RefCell<P>,
    binding: Rc<Binding>,
}

impl<P: Protocol> Held<P> {
    pub(crate) fn new(value: P, binding: Rc<Binding>) -> Rc<Self> {
        Rc::new(Self {
            value: RefCell::new(value),
            binding,
        })
    }
}

impl<P: Protocol> Instance for Held<P> {
    fn hears(&self, kind: usize) -> bool {
        const { &P::__TABLE }.entry(kind).is_some()
    }

    fn is_busy(&self) -> bool {
        self.value.try_borrow_mut().is_err()
    }

    fn tell(&self, occurred: &Occurred<'_>, way: Way<'_>) -> Told {
        let Some(entry) = const { &P::__TABLE }.entry(occurred.kind()) else {
            return Told::Nobody;
        };
        let Ok(mut value) = self.value.try_borrow_mut() else {
            return Told::Busy;
        };
        let given = Given {
            way,
            bus: self.binding.bus.as_ref(),
            values: &self.binding.values,
            ops: entry.ops,
            listener: protocol::listener(&entry.registration),
        };
        let run = || (entry.run)(&mut value, occurred, &given);
        let failed = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(mut turned) => match turned.error.take() {
                None => return Told::Turned(turned),
                Some(error) => Ok(error),
            },
            Err(panic) => Err(panic),
        };
        drop(value);
        let listener = &given.listener;
        Told::Failed(way.tell_failed(listener.id(), listener.location(), failed))
    }

    fn lend(&self, way: Way<'_>, read: &mut dyn FnMut(&mut [u8])) -> Told {
        let filled = const { &P::__TABLE }.entry(Occurred::FILLED);
        let Some((room, entry)) = P::__ROOM.zip(filled) else {
            return Told::Nobody;
        };
        let Ok(mut value) = self.value.try_borrow_mut() else {
            return Told::Busy;
        };
        let me = &mut *value;
        let give = once(move || room(me));
        let failed = match catch_unwind(AssertUnwindSafe(give)) {
            Ok([]) => Ok(EMPTY.into()),
            Ok(buffer) => {
                read(buffer);
                return Told::Turned(Turned::default());
            }
            Err(panic) => Err(panic),
        };
        drop(value);
        let listener = protocol::listener(&entry.registration);
        Told::Failed(way.tell_failed(listener.id(), listener.location(), failed))
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

/// Has the compiler take a closure for one that is called once, and may give away what it has.
fn once<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    f
}

/// What is wrong with memory that has no room.
const EMPTY: &str = "`ReadInto::buffer` gave an empty buffer: a protocol that has no room pauses reading with `pause_reading`";

/// In the place of the instance of a connection that is lost: the instance may hold the transport, and then each would keep the other.
pub(crate) struct Gone;

impl Instance for Gone {
    fn hears(&self, _: usize) -> bool {
        false
    }

    fn is_busy(&self) -> bool {
        false
    }

    fn tell(&self, _: &Occurred<'_>, _: Way<'_>) -> Told {
        Told::Nobody
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

/// A handle of a connection.
#[doc(hidden)]
pub trait Connected: Clone {
    /// Tells what came due while the instance was in use.
    fn catch_up(&self);
}

/// The instance of a connection's protocol, for who stands outside of its listeners.
///
/// `T` is the type of the connection's transport. It belongs to the thread of its loop. The instance lives until its connection is lost, and as long as there is a `ProtocolRef`.
///
/// ```
/// use tidings::transport::{DataReceived, connect, pair};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Count(usize);
///
/// #[protocol]
/// impl Count {
///     #[listener]
///     fn data(&mut self, e: &DataReceived) {
///         self.0 += e.data.len();
///     }
/// }
///
/// let lp = EventLoop::virtual_time();
/// let (ours, theirs) = pair();
/// let counted = lp.run_until_complete(async {
///     let (writer, _) = connect::<Count>(&lp, ours).await?;
///     let (reader, count) = connect::<Count>(&lp, theirs).await?;
///     writer.write("twelve bytes")?;
///     writer.close();
///     reader.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(count.with(|count| count.0)?)
/// })??;
/// assert_eq!(counted, 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ProtocolRef<P, T = Transport> {
    held: Rc<Held<P>>,
    transport: T,
}

impl<P: Protocol, T: Connected> ProtocolRef<P, T> {
    pub(crate) fn new(held: Rc<Held<P>>, transport: T) -> Self {
        Self { held, transport }
    }

    pub(crate) fn find(instance: Rc<dyn Instance>, transport: &T) -> Option<Self> {
        let held = instance.as_any().downcast().ok()?;
        Some(Self::new(held, transport.clone()))
    }

    /// Gives the instance to `f`, which may change it. What happens to the connection meanwhile the instance hears afterwards.
    ///
    /// # Errors
    ///
    /// [`Busy`] inside of the instance's own listeners, which have it as `self`, and inside of `with`.
    pub fn with<R>(&self, f: impl FnOnce(&mut P) -> R) -> Result<R, Busy> {
        // What comes due meanwhile is told also if `f` panics, and when the instance is free again.
        let _after = After(&self.transport);
        let mut value = self.held.value.try_borrow_mut().map_err(|_| Busy(()))?;
        Ok(f(&mut value))
    }

    /// The transport of the connection.
    pub fn transport(&self) -> T {
        self.transport.clone()
    }
}

/// Tells what came due while an instance was in use.
struct After<'c, T: Connected>(&'c T);

impl<T: Connected> Drop for After<'_, T> {
    fn drop(&mut self) {
        self.0.catch_up();
    }
}

impl<P, T: Clone> Clone for ProtocolRef<P, T> {
    fn clone(&self) -> Self {
        Self {
            held: Rc::clone(&self.held),
            transport: self.transport.clone(),
        }
    }
}

impl<P, T> fmt::Debug for ProtocolRef<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtocolRef({})", std::any::type_name::<P>())
    }
}

/// The instance of a protocol is in use: a listener of it runs, or a `with`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Busy(());

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the protocol is in use here: inside of a listener the instance is `self`")
    }
}

crate::words::debug_as_display!(Busy);

impl Error for Busy {}
