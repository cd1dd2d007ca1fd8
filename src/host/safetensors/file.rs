//! A safetensors file: eight bytes that say how long its header is, the header in JSON, then the tensors.
//!
//! Nothing is allocated for what a header claims. It is short and has few entries, or it is refused before it is read;
//! the tensors must be in the file, to its last byte.

use std::{borrow::ToOwned, format, string::String, string::ToString, vec::Vec};

use ::safetensors::tensor::{Dtype, Metadata, TensorInfo, View};
use half::{bf16, f16};

use super::{WeightsError, error::Json};

/// The longest header: a vocabulary of all symbols that there can be takes less, and so do means and deviations of a hundred
/// thousand channels.
const MAX_HEADER: usize = 1 << 22;
/// Names, numbers and shapes in a header at most, which is hundreds of tensors.
const MAX_ENTRIES: usize = 1 << 14;
/// Bytes that say how long the header is.
const LENGTH: usize = 8;

/// A file, borrowed.
pub(super) struct File<'a> {
    header: Metadata,
    data: &'a [u8],
}

/// A tensor of a file.
pub(super) struct Tensor<'a> {
    info: &'a TensorInfo,
    data: &'a [u8],
}

impl<'a> File<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let wrong = |why: &str| WeightsError::File(why.to_owned());
        let (length, rest) = bytes.split_first_chunk().ok_or_else(|| wrong("it has less than 8 bytes"))?;
        let claimed = u64::from_le_bytes(*length);
        let parts = usize::try_from(claimed).ok().and_then(|length| rest.split_at_checked(length));
        // A length may begin with the bytes that other files begin with; but these are then too large for a length.
        let (json, data) = parts.ok_or_else(|| match other(bytes) {
            Some(what) => wrong(what),
            // More than any file has.
            None if claimed >> 40 > 0 => wrong("it does not begin as a safetensors file does"),
            None => wrong(&format!("its header should have {claimed} bytes, and it has {}", rest.len())),
        })?;
        if json.len() > MAX_HEADER || entries(json) > MAX_ENTRIES {
            return Err(wrong("its header is too long"));
        }
        let json = core::str::from_utf8(json).map_err(|_| wrong("its header is not UTF-8"))?;
        let header: Metadata = serde_json::from_str(json).map_err(|error| wrong(&Json(error).to_string()))?;
        // The header has been found to describe bytes one after the other; these are they.
        if header.data_len() != data.len() {
            let (claimed, got) = (header.data_len(), data.len());
            return Err(wrong(&format!("its tensors should have {claimed} bytes, and they have {got}")));
        }
        Ok(Self { header, data })
    }

    /// The names of all tensors, in their own order, with those of tensors that are another one's.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.header.offset_keys();
        names.extend(
            self.shared().map(|(name, _)| name.clone()).filter(|name| self.header.info(name).is_none()),
        );
        names.sort_unstable();
        names
    }

    /// Names of weights and the tensors that they share, as `save_model` of safetensors notes them in the metadata.
    fn shared(&self) -> impl Iterator<Item = (&String, &String)> {
        let is_shared =
            |(name, of): &(&String, &String)| name.ends_with("weight") && self.header.info(of).is_some();
        self.header.metadata().iter().flatten().filter(is_shared)
    }

    pub(super) fn tensor(&self, name: &str) -> Option<Tensor<'_>> {
        let of =
            || self.shared().find(|(shared, _)| *shared == name).and_then(|(_, of)| self.header.info(of));
        let info = self.header.info(name).or_else(of)?;
        let data = self.data.get(info.data_offsets.0..info.data_offsets.1)?;
        Some(Tensor { info, data })
    }

    /// What the metadata says of a key.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata().as_ref()?.get(key).map(String::as_str)
    }
}

impl Tensor<'_> {
    pub(super) fn shape(&self) -> &[usize] {
        &self.info.shape
    }

    /// The type of its numbers, if it is none that can be converted.
    pub(super) fn other_type(&self) -> Option<String> {
        match self.info.dtype {
            Dtype::F32 | Dtype::F16 | Dtype::BF16 => None,
            other => Some(other.to_string()),
        }
    }

    /// A number as `f32`; zero where there is none.
    pub(super) fn at(&self, place: usize) -> f32 {
        let half = || self.data.as_chunks().0.get(place).copied().unwrap_or_default();
        match self.info.dtype {
            Dtype::F16 => f16::from_le_bytes(half()).to_f32(),
            Dtype::BF16 => bf16::from_le_bytes(half()).to_f32(),
            _ => f32::from_le_bytes(self.data.as_chunks().0.get(place).copied().unwrap_or_default()),
        }
    }
}

/// What a file is that people may take for one of safetensors, and what to do.
fn other(bytes: &[u8]) -> Option<&'static str> {
    let files: [(&[u8], _); 4] = [
        (
            b"PK\x03\x04",
            "it was written by torch.save: write the state dict with safetensors.torch.save_file",
        ),
        (b"\x80\x02", "it was written by torch.save: write the state dict with safetensors.torch.save_file"),
        (b"RECURVE\n", "it is a model of recurve, which needs no import"),
        (
            b"RECURVEC",
            "it is a checkpoint of recurve: train --resume goes on from it, and --out writes the model",
        ),
    ];
    files.into_iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, what)| what)
}

/// Commas and brackets outside of strings: about the values that a reader would have to make room for, and of a list those
/// that it has.
pub(super) fn entries(json: &[u8]) -> usize {
    let (mut inside, mut escaped, mut count) = (false, false, 0);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b',' | b'[' | b'{' if !inside => count += 1,
            _ => {}
        }
    }
    count
}

/// A tensor to be written.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

impl View for &Written {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// A file with these tensors and this metadata, a JSON object.
///
/// The metadata is put into the header here: on its own the library would write it in another order each time.
pub(super) fn emit(tensors: &[Written], metadata: &str) -> Result<Vec<u8>, WeightsError> {
    let wrong = |why: &str| WeightsError::File(why.to_owned());
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor));
    let file = ::safetensors::serialize(views, None).map_err(|error| wrong(&error.to_string()))?;
    let parts = file
        .split_first_chunk()
        .and_then(|(length, rest)| rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?));
    let (header, data) = parts.ok_or_else(|| wrong("its header is cut short"))?;
    let rest = header.trim_ascii().strip_prefix(b"{").ok_or_else(|| wrong("its header is no object"))?;
    let mut header = format!("{{\"__metadata__\":{metadata},").into_bytes();
    header.extend_from_slice(rest);
    header.resize(header.len().next_multiple_of(LENGTH), b' ');
    if header.len() > MAX_HEADER {
        return Err(wrong("its header would be too long to be read again"));
    }
    let mut bytes = Vec::with_capacity(LENGTH + header.len() + data.len());
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(data);
    Ok(bytes)
}
