//! a · b + c rounded once, with the feature `fused`, by the instruction that the build's target is known to have.
//!
//! | target | instruction |
//! |---|---|
//! | RISC-V with F | `fmadd.s`, in assembly: neither `core` nor `wide` offers it |
//! | AArch64 with NEON, x86-64 with FMA | `wide`'s |
//!
//! Elsewhere the feature does nothing. A Cortex-M has VFMA, but it takes three cycles where a multiplication and an
//! addition take two.

/// Whether there is such an instruction, and it is asked for.
pub(super) const FUSED: bool = cfg!(all(
    feature = "fused",
    any(
        target_arch = "riscv32",
        target_arch = "riscv64",
        all(target_arch = "aarch64", target_feature = "neon"),
        all(target_arch = "x86_64", target_feature = "fma"),
    )
));

/// a · b + c in each lane.
#[cfg(all(feature = "fused", any(target_arch = "riscv32", target_arch = "riscv64")))]
#[inline(always)]
#[expect(unsafe_code, reason = "assembly")]
pub(super) fn mul_add(a: wide::f32x4, b: wide::f32x4, c: wide::f32x4) -> wide::f32x4 {
    let (a, b, mut sum) = (a.to_array(), b.to_array(), c.to_array());
    for ((a, b), sum) in a.into_iter().zip(b).zip(&mut sum) {
        // SAFETY: a computation on registers alone; that F exists is checked where `freg` is used.
        unsafe {
            core::arch::asm!(
                "fmadd.s {sum}, {a}, {b}, {sum}",
                a = in(freg) a,
                b = in(freg) b,
                sum = inlateout(freg) *sum,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
    }
    wide::f32x4::new(sum)
}
