//! Lanes: the vector registers that the arithmetic runs on, behind one trait.
//!
//! A value of a type that implements [`Lanes`] is a token for "these registers exist here". Every kernel is
//! written once, over the trait, and takes slices:
//!
//! ```text
//! let k = lanes.splat(2.0);
//! for block of WIDTH elements of x: store(mul(load(block), k))
//! ```
//!
//! The width never changes a result. Lanes are independent, each element of an output is summed in an order
//! that depends on sizes only, and true reductions fold [`FOLD`] virtual lanes in one fixed tree. Only whether
//! [`Lanes::mul_add`] rounds once or twice ([`Lanes::FUSED`]) may change bits.
//!
//! | kind | registers | multiply-add |
//! |---|---|---|
//! | [`Scalar`] | one `f32`: the readable specification | rounds twice |
//! | [`FusedScalar`] | the same | rounds once, in software |
//! | [`Portable`] | `wide`'s, as the build's target has them | rounds twice; once with the feature `fused`, where it is an instruction |
//! | `Avx2`, `Avx512` (feature `std`, x86-64) | 8 or 16 floats, if the processor has them | rounds once |

mod fused;
mod kind;
mod portable;
mod scalar;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86;

pub use kind::{LaneKind, NoSuchLanes, OnLanes};
pub use portable::Portable;
pub use scalar::{FusedScalar, Scalar};
#[cfg(all(feature = "std", target_arch = "x86_64"))]
pub use x86::{Avx2, Avx512};

/// Virtual lanes of a reduction: sums and maxima over a slice go through this many partial results, whatever
/// the width of the registers.
pub const FOLD: usize = 16;

/// A token for a kind of vector register, and what can be done with it.
///
/// Not to be implemented outside this crate: the rule of exactness above is part of the contract.
pub trait Lanes: Copy + Send + Sync + sealed::Sealed {
    /// `WIDTH` floats.
    type F: Copy;
    /// `WIDTH` integers of 32 bits, wrapping.
    type I: Copy;

    /// Floats in a register; a power of two, at most [`FOLD`].
    const WIDTH: usize;
    /// Registers that a kernel may count on for its tile.
    const REGISTERS: usize;
    /// Whether [`mul_add`](Self::mul_add) rounds once.
    const FUSED: bool;
    /// Whether products may go through assembly instead (feature `vldm`); it rounds twice.
    const VLDM: bool = false;

    /// Runs `f` where the compiler may use these registers: what is inlined into it becomes their instructions.
    #[inline(always)]
    fn run<T>(self, f: impl FnOnce() -> T) -> T {
        f()
    }

    /// All lanes equal to `x`.
    fn splat(self, x: f32) -> Self::F;
    /// The first `WIDTH` elements; lanes beyond the end of a shorter slice are zero.
    fn load(self, from: &[f32]) -> Self::F;
    /// Writes the first `WIDTH` elements, or as many as `to` has.
    fn store(self, v: Self::F, to: &mut [f32]);
    /// Lane `l` is `at(l)`.
    fn gather(self, at: impl FnMut(usize) -> f32) -> Self::F;

    /// a + b
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// a − b
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// a / b
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// √a, correctly rounded
    fn sqrt(self, a: Self::F) -> Self::F;
    /// a · b + c, rounded once if [`FUSED`](Self::FUSED), else twice.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `yes` where a < b, `no` elsewhere, so also where a or b is NaN.
    fn select_lt(self, a: Self::F, b: Self::F, yes: Self::F, no: Self::F) -> Self::F;

    /// Whether all lanes are zero, of either sign.
    #[inline(always)]
    fn all_zero(self, v: Self::F) -> bool {
        let mut lanes = [0.0; FOLD];
        self.store(v, &mut lanes);
        lanes.iter().all(|&x| x == 0.0)
    }

    /// The floats' bits.
    fn bits(self, v: Self::F) -> Self::I;
    /// The floats with these bits.
    fn float(self, v: Self::I) -> Self::F;
    /// All lanes equal to `x`.
    fn splat_i32(self, x: i32) -> Self::I;
    /// a + b, wrapping
    fn add_i32(self, a: Self::I, b: Self::I) -> Self::I;
    /// a − b, wrapping
    fn sub_i32(self, a: Self::I, b: Self::I) -> Self::I;
    /// a & b
    fn and_i32(self, a: Self::I, b: Self::I) -> Self::I;
    /// a | b
    fn or_i32(self, a: Self::I, b: Self::I) -> Self::I;
    /// a << `N`
    fn shl_i32<const N: u32>(self, a: Self::I) -> Self::I;
    /// a >> `N`, the sign bit repeated
    fn shr_i32<const N: u32>(self, a: Self::I) -> Self::I;

    /// The larger of two, `b` where either is NaN.
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        self.select_lt(b, a, a, b)
    }

    /// The smaller of two, `b` where either is NaN.
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        self.select_lt(a, b, a, b)
    }

    /// `x` held between `lo` and `hi`; NaN stays NaN.
    #[inline(always)]
    fn clamp(self, x: Self::F, lo: Self::F, hi: Self::F) -> Self::F {
        self.max(lo, self.min(hi, x))
    }

    /// `x` held between −`limit` and `limit`, which is positive; NaN stays NaN.
    #[inline(always)]
    fn clamp_abs(self, x: Self::F, limit: f32) -> Self::F {
        self.clamp(x, self.splat(-limit), self.splat(limit))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Portable {}
    impl Sealed for super::Scalar {}
    impl Sealed for super::FusedScalar {}
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    impl Sealed for super::Avx2 {}
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    impl Sealed for super::Avx512 {}
}

pub(crate) use kind::{best_lanes, on_lanes};

/// A closure that is always inlined: `inlined!(|x| lanes.add(x, x))`.
///
/// What does not end up inside [`Lanes::run`] is compiled without the processor's special instructions, and slow.
macro_rules! inlined {
    ($($closure:tt)*) => {
        #[inline(always)]
        $($closure)*
    };
}
pub(crate) use inlined;
