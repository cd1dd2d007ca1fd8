//! The kinds of lanes as values, and the one place where one is chosen.

use core::{fmt, str::FromStr};

use super::Lanes;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
use super::{Avx2, Avx512};

/// Runs an expression on lanes of a kind: `on_lanes!(kind, lanes => expression)` binds the token to `lanes`.
///
/// Choose once per step, window or product. The expression is compiled for each kind.
macro_rules! on_lanes {
    ($kind:expr, $lanes:ident => $body:expr) => {{
        #[allow(unused_imports, reason = "the expression may only pass the lanes on")]
        use $crate::lanes::Lanes as _;
        match $kind {
            $crate::lanes::LaneKind::Portable => {
                let $lanes = $crate::lanes::Portable;
                $body
            }
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            $crate::lanes::LaneKind::Avx2($lanes) => $lanes.run(
                #[inline(always)]
                || $body,
            ),
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            $crate::lanes::LaneKind::Avx512($lanes) => $lanes.run(
                #[inline(always)]
                || $body,
            ),
        }
    }};
}

/// Runs an expression on the best lanes: `best_lanes!(lanes => expression)`.
macro_rules! best_lanes {
    ($lanes:ident => $body:expr) => {
        $crate::lanes::on_lanes!($crate::lanes::LaneKind::best(), $lanes => $body)
    };
}

pub(crate) use {best_lanes, on_lanes};

/// A kind of lanes that this machine has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum LaneKind {
    /// See [`Portable`](super::Portable).
    Portable,
    /// See [`Avx2`].
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx2(Avx2),
    /// See [`Avx512`].
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    Avx512(Avx512),
}

impl LaneKind {
    /// The fastest kind: what the processor has under `std`, else what the build's target is known to have.
    #[inline]
    #[must_use]
    pub fn best() -> Self {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        {
            use fearless_simd::Level;
            let level = Level::new();
            if let Some(lanes) = level.as_avx512() {
                return Self::Avx512(Avx512::new(lanes));
            }
            if let Some(lanes) = level.as_avx2() {
                return Self::Avx2(Avx2::new(lanes));
            }
        }
        Self::Portable
    }

    /// All kinds that this machine has, the plainest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(all(feature = "std", target_arch = "x86_64"))]
        let special = {
            let level = fearless_simd::Level::new();
            [
                level.as_avx2().map(|lanes| Self::Avx2(Avx2::new(lanes))),
                level.as_avx512().map(|lanes| Self::Avx512(Avx512::new(lanes))),
            ]
        };
        #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
        let special = [None::<Self>; 0];
        core::iter::once(Self::Portable).chain(special.into_iter().flatten())
    }

    /// The name in lower case: `portable`, `avx2`, `avx512`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Self::Avx2(_) => "avx2",
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            Self::Avx512(_) => "avx512",
        }
    }
}

/// Work to be done on lanes of a kind that is chosen at run time.
pub trait OnLanes {
    /// What comes of it.
    type Output;

    /// Does it. Mark the implementation `#[inline(always)]`: what is not inlined is compiled without the processor's
    /// special instructions.
    fn on<L: Lanes>(self, lanes: L) -> Self::Output;
}

impl LaneKind {
    /// Does work on lanes of this kind.
    ///
    /// ```
    /// use recurve::kernels::dot;
    /// use recurve::lanes::{LaneKind, Lanes, OnLanes};
    ///
    /// struct Dot<'a>(&'a [f32], &'a [f32]);
    ///
    /// impl OnLanes for Dot<'_> {
    ///     type Output = f32;
    ///
    ///     #[inline(always)]
    ///     fn on<L: Lanes>(self, lanes: L) -> f32 {
    ///         dot(lanes, self.0, self.1)
    ///     }
    /// }
    ///
    /// for kind in LaneKind::available() {
    ///     assert_eq!(kind.run(Dot(&[1.0, 2.0], &[3.0, 4.0])), 11.0);
    /// }
    /// ```
    #[inline]
    pub fn run<W: OnLanes>(self, work: W) -> W::Output {
        on_lanes!(self, lanes => work.on(lanes))
    }
}

impl PartialEq for LaneKind {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for LaneKind {}

impl Default for LaneKind {
    fn default() -> Self {
        Self::best()
    }
}

impl fmt::Display for LaneKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name of lanes that do not exist, or that this machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoSuchLanes;

impl fmt::Display for NoSuchLanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such lanes on this machine; there are auto")?;
        LaneKind::available().try_for_each(|kind| write!(f, ", {kind}"))
    }
}

impl core::error::Error for NoSuchLanes {}

impl FromStr for LaneKind {
    type Err = NoSuchLanes;

    /// A kind by its name, or the best one by the name `auto`.
    fn from_str(name: &str) -> Result<Self, NoSuchLanes> {
        if name == "auto" {
            return Ok(Self::best());
        }
        Self::available().find(|kind| kind.name() == name).ok_or(NoSuchLanes)
    }
}
