//! Plain data: types that are nothing but `f32`s in a row, seen as one flat slice and back.
//!
//! Weights, states, tapes and gradients are `#[repr(C)]` structs of arrays of `f32`. Optimisers, clipping,
//! files and the arithmetic itself see them as a flat slice. All-zero bytes are a valid value of each, so a
//! `static` of one lands in `.bss`.

use core::fmt::Debug;

use bytemuck::{Pod, must_cast_slice, must_cast_slice_mut};

/// A value that is [`LEN`](Self::LEN) floats without padding.
///
/// These types are `Copy`, because plain data must be. They may be large: pass them by reference.
///
/// ```
/// use recurve::{Dense, params::Flat};
///
/// let mut head = Dense::<3, 2>::ZERO;
/// head.b_q[1] = 0.5;
/// assert_eq!(head.as_flat(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]);
/// ```
///
/// # Safety
/// An implementor is `f32`, has no size, or is an array or `#[repr(C)]` struct of implementors. So its alignment
/// is at most that of `f32`, its size a multiple, no byte is padding, and every bit pattern is a value.
/// Inside this crate only `plain_data!` implements it for structs.
#[expect(unsafe_code, reason = "plain data")]
pub unsafe trait Flat: Pod + Debug + PartialEq + sealed::Sealed {
    /// All zeros, for a `static` or a `const`.
    const ZERO: Self;

    /// The number of floats.
    const LEN: usize = size_of::<Self>() / size_of::<f32>();

    /// The number of bytes.
    const BYTES: usize = size_of::<Self>();

    /// All floats, in the order of declaration.
    #[inline(always)]
    fn as_flat(&self) -> &[f32] {
        // Not `must_cast_slice`, which does not take types without size; there is nothing left to check at run time.
        bytemuck::try_cast_slice(core::slice::from_ref(self)).unwrap_or_default()
    }

    /// All floats, in the order of declaration, to be changed.
    #[inline(always)]
    fn as_flat_mut(&mut self) -> &mut [f32] {
        bytemuck::try_cast_slice_mut(core::slice::from_mut(self)).unwrap_or_default()
    }

    /// The value whose floats these are, in place; none if their number is not [`LEN`](Self::LEN).
    #[inline]
    fn from_flat(flat: &[f32]) -> Option<&Self> {
        bytemuck::try_from_bytes(must_cast_slice(flat)).ok()
    }

    /// The value whose floats these are, in place, to be changed; none if their number is not [`LEN`](Self::LEN).
    #[inline]
    fn from_flat_mut(flat: &mut [f32]) -> Option<&mut Self> {
        bytemuck::try_from_bytes_mut(must_cast_slice_mut(flat)).ok()
    }

    /// All zeros on the heap, made there, so that the stack need not hold them.
    #[cfg(feature = "std")]
    #[must_use]
    fn boxed() -> std::boxed::Box<Self> {
        bytemuck::zeroed_box()
    }

    /// Sets every float to zero, in place.
    #[inline]
    fn set_zero(&mut self) {
        self.as_flat_mut().fill(0.0);
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl<T: Sealed, const N: usize> Sealed for [T; N] {}
}

// SAFETY: `f32` is one of the cases that the trait names.
#[expect(unsafe_code, reason = "plain data")]
unsafe impl Flat for f32 {
    const ZERO: Self = 0.0;
}

// SAFETY: an array of implementors is one of the cases that the trait names.
#[expect(unsafe_code, reason = "plain data")]
unsafe impl<T: Flat, const N: usize> Flat for [T; N] {
    const ZERO: Self = [T::ZERO; N];
}

/// Declares a `#[repr(C)]` struct of [`Flat`] fields and makes it plain data.
///
/// The generics are written in brackets: as declared, and as used. `default` in between gives the declaration with
/// defaults.
macro_rules! plain_data {
    ($(#[$meta:meta])* pub struct $name:ident [$($generic:tt)*] [$($arg:tt)*] { $($fields:tt)* }) => {
        $crate::params::plain_data! {
            $(#[$meta])* pub struct $name [$($generic)*] default [$($generic)*] [$($arg)*] { $($fields)* }
        }
    };
    ($(#[$meta:meta])* pub struct $name:ident [$($generic:tt)*] default [$($declared:tt)*] [$($arg:tt)*] {
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[repr(C)]
        pub struct $name<$($declared)*> {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        // SAFETY: the fields are `Flat`, hence zeroable.
        #[expect(unsafe_code, reason = "plain data")]
        unsafe impl<$($generic)*> bytemuck::Zeroable for $name<$($arg)*> {}

        // SAFETY: `#[repr(C)]`; each field is `Flat` (its `ZERO` below asks for it), so a multiple of four bytes
        // aligned to at most four: there is no padding, which `LEN` asserts, and any bits are a value.
        #[expect(unsafe_code, reason = "plain data")]
        unsafe impl<$($generic)*> bytemuck::Pod for $name<$($arg)*> {}

        impl<$($generic)*> $crate::params::sealed::Sealed for $name<$($arg)*> {}

        // SAFETY: a `#[repr(C)]` struct of implementors is one of the cases that the trait names.
        #[expect(unsafe_code, reason = "plain data")]
        unsafe impl<$($generic)*> $crate::params::Flat for $name<$($arg)*> {
            const ZERO: Self = Self { $($field: <$ty as $crate::params::Flat>::ZERO,)* };
            const LEN: usize = {
                assert!(size_of::<Self>() == 0 $(+ size_of::<$ty>())*, "padding in plain data");
                size_of::<Self>() / size_of::<f32>()
            };
        }
    };
}
pub(crate) use plain_data;

/// Takes the first `len` elements off a slice whose length was checked where it entered; none if it has fewer.
#[inline(always)]
pub(crate) fn take<'a>(from: &mut &'a [f32], len: usize) -> &'a [f32] {
    let (head, tail) = from.split_at_checked(len).unwrap_or_default();
    *from = tail;
    head
}

/// As [`take`], to be changed.
#[inline(always)]
pub(crate) fn take_mut<'a>(from: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    let (head, tail) = core::mem::take(from).split_at_mut_checked(len).unwrap_or_default();
    *from = tail;
    head
}

/// The whole rows of `len` floats, in order; none of length zero.
///
/// Unlike `chunks_exact`, whose number of chunks is a division, this leaves nothing to divide by and no panic, also
/// where the compiler does not know the length.
#[inline(always)]
pub(crate) fn rows(mut from: &[f32], len: usize) -> impl Iterator<Item = &[f32]> {
    core::iter::from_fn(move || Some(take(&mut from, len)).filter(|row| !row.is_empty()))
}

/// As [`rows`], to be changed.
#[inline(always)]
pub(crate) fn rows_mut(mut from: &mut [f32], len: usize) -> impl Iterator<Item = &mut [f32]> {
    core::iter::from_fn(move || Some(take_mut(&mut from, len)).filter(|row| !row.is_empty()))
}
