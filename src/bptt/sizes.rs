//! The sizes of a model and of a window's batch: known when a program runs, or when it is compiled.

use core::marker::PhantomData;

use super::buffers::block_count;
use crate::cell::{Block, Cell, Dropout, DropoutShape, Inputs, TypedCell, Weights};
use crate::head::Dense;
use crate::model::{Model, ModelShape};
use crate::params::Flat;

/// What a window has to know of its model.
pub(super) trait Sizes: Copy + Sync {
    type Cell: Cell;
    fn shape(self) -> ModelShape<Self::Cell>;
    /// Blocks of a window with so many sequences.
    fn blocks(self, batch: usize) -> usize;
    /// A block, if this is its size.
    fn block(self, block: Block) -> Block;
    /// The weights of the cell, if there are so many.
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>>;
    /// The weights of the output layer, if there are so many.
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>>;
}

impl<C: Cell> Sizes for ModelShape<C> {
    type Cell = C;
    #[inline(always)]
    fn shape(self) -> Self {
        self
    }
    #[inline(always)]
    fn blocks(self, batch: usize) -> usize {
        block_count(self, batch)
    }
    #[inline(always)]
    fn block(self, block: Block) -> Block {
        block
    }
    #[inline(always)]
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        Some(weights)
    }
    #[inline(always)]
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        Some(weights)
    }
}

/// The sizes of a typed model, and of `B` sequences: constants, also in functions that are not inlined.
pub(super) struct Typed<M, const B: usize>(PhantomData<fn() -> M>);

impl<M, const B: usize> Typed<M, B> {
    pub(super) const SIZES: Self = Self(PhantomData);
}

impl<M, const B: usize> Clone for Typed<M, B> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, const B: usize> Copy for Typed<M, B> {}

impl<C: TypedCell<H>, const H: usize, const O: usize, const B: usize> Sizes for Typed<Model<C, H, O>, B> {
    type Cell = C::Shape;
    #[inline(always)]
    fn shape(self) -> ModelShape<C::Shape> {
        Model::<C, H, O>::SHAPE
    }
    /// One: a [`Workspace`](super::Workspace) has no room to sum gradients by halves.
    #[inline(always)]
    fn blocks(self, _: usize) -> usize {
        1
    }
    #[inline(always)]
    fn block(self, block: Block) -> Block {
        if cfg!(feature = "std") {
            return block;
        }
        block.whole_of(B)
    }
    #[inline(always)]
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        sized(weights, C::LEN)
    }
    #[inline(always)]
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        sized(weights, Dense::<H, O>::LEN)
    }
}

/// As [`Typed`], with dropout.
#[derive(Clone, Copy)]
pub(super) struct TypedDropped<'a, M, const B: usize> {
    pub(super) dropout: Dropout,
    pub(super) inputs: Inputs<'a>,
    pub(super) sizes: Typed<M, B>,
}

impl<C: TypedCell<H>, const H: usize, const O: usize, const B: usize> Sizes
    for TypedDropped<'_, Model<C, H, O>, B>
{
    type Cell = DropoutShape<C::Shape>;
    #[inline(always)]
    fn shape(self) -> ModelShape<Self::Cell> {
        self.sizes.shape().with_dropout(self.dropout, self.inputs)
    }
    #[inline(always)]
    fn blocks(self, batch: usize) -> usize {
        self.sizes.blocks(batch)
    }
    #[inline(always)]
    fn block(self, block: Block) -> Block {
        self.sizes.block(block)
    }
    #[inline(always)]
    fn of_cell(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        self.sizes.of_cell(weights)
    }
    #[inline(always)]
    fn of_head(self, weights: Weights<'_>) -> Option<Weights<'_>> {
        self.sizes.of_head(weights)
    }
}

/// The same weights, if there are so many; in place without `std`, since a [`Workspace`](super::Workspace) has no room for
/// copies.
#[inline(always)]
fn sized(weights: Weights<'_>, len: usize) -> Option<Weights<'_>> {
    if cfg!(feature = "std") {
        return Some(weights);
    }
    (weights.params.len() == len).then_some(Weights::in_place(weights.params))
}
