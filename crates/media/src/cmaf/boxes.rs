//! Writes ISO base media boxes (ISO/IEC 14496-12, 4.2) into one buffer; a box's size is filled in when it ends.

#[derive(Debug, Default)]
pub(super) struct Boxes {
    buffer: Vec<u8>,
}

impl Boxes {
    pub fn with_capacity(size: usize) -> Self {
        Self { buffer: Vec::with_capacity(size) }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// A box with what `body` writes in it.
    pub fn boxed(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.buffer.len();
        self.u32(0);
        self.bytes(kind);
        body(self);
        self.patch_size(start, self.buffer.len() - start);
    }

    /// A box with version and flags (ISO/IEC 14496-12, 4.2.2).
    pub fn full(&mut self, kind: &[u8; 4], version: u8, flags: u32, body: impl FnOnce(&mut Self)) {
        self.boxed(kind, |b| {
            b.u32(u32::from(version) << 24 | (flags & 0xff_ffff));
            body(b);
        });
    }

    /// Overwrites the four bytes at `at` with a size.
    pub fn patch_size(&mut self, at: usize, size: usize) {
        // Fragments are bounded far below 4 GiB by whoever collects the samples.
        let size = u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
        if let Some(slot) = self.buffer.get_mut(at..at.saturating_add(4)) {
            slot.copy_from_slice(&size);
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub fn zeros(&mut self, count: usize) {
        self.buffer.resize(self.buffer.len() + count, 0);
    }

    pub fn u8(&mut self, value: u8) {
        self.buffer.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }
}
