//! Filters the rows of a picture and passes them to a sink as soon as everything that they depend
//! on is decoded, so that only a few rows of coding tree blocks of the planes are in memory.
//!
//! The loop filters lag behind the decoder. Intra prediction reads the last row above a coding tree block unfiltered; a
//! horizontal edge is deblocked after the vertical edges around it; sample adaptive offset reads a row above and a row
//! below, deblocked; and chroma is interpolated between two rows.

use crate::hevc::error::{Error, Result};
use crate::hevc::filter::{FilterInfo, deblock, sao_rows};
use crate::hevc::frame::{ChromaFormat, Frame, Rows};
use crate::hevc::picture::{Picture, Plane};
use crate::hevc::ps::Sps;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

/// The last rows of luma above the decoded position that are not yet filtered across vertical
/// edges, and for which horizontal edges wait. A multiple of the 8x8 grid.
const LAG: usize = 8;

/// Rows of luma that the filters may still change, or whose neighbours they may still read.
const UNFINISHED: usize = 2 * LAG;

/// Rows of luma on either side of the new ones that are passed with them: one row of chroma.
const AROUND: usize = 2;

/// The receiver of the rows.
pub type Sink<'s> = &'s mut dyn FnMut(&Rows<'_>) -> ControlFlow<()>;

/// The rows of a picture between the decoder and the sink.
pub struct Bands<'s> {
    sink: Sink<'s>,
    /// The conformance window: left, top, width, height.
    window: [usize; 4],
    chroma: ChromaFormat,
    bit_depth: u8,
    ctb_log2: usize,
    w_ctbs: usize,
    /// For each row of coding tree blocks, the number that is still missing.
    lacking: Vec<usize>,
    /// The first row of coding tree blocks in which one is missing.
    complete: usize,
    /// The rows of luma that have been deblocked.
    deblocked: usize,
    /// Finished rows, from the first one that is still needed on.
    finished: [Plane; 3],
    /// Rows of luma that have been copied to `finished`.
    filtered: usize,
    /// Rows of luma that have been passed to the sink or are above the conformance window.
    given: usize,
}

impl<'s> Bands<'s> {
    pub fn new(sps: &Sps, pic: &Picture, fi: &FilterInfo, sink: Sink<'s>) -> Self {
        let [left, right, top, bottom] = sps.crop;
        let (left, top) = (left.min(sps.width - 1), top.min(sps.height - 1));
        let width = sps.width.saturating_sub(left + right).max(1);
        let height = sps.height.saturating_sub(top + bottom).max(1);
        Bands {
            sink,
            window: [left, top, width, height],
            chroma: ChromaFormat::from_idc(sps.chroma_array_type)
                .unwrap_or(ChromaFormat::Monochrome),
            bit_depth: sps.bit_depth_y,
            ctb_log2: fi.ctb_log2,
            w_ctbs: fi.pic_w_ctbs,
            lacking: vec![fi.pic_w_ctbs; fi.pic_h_ctbs],
            complete: 0,
            deblocked: 0,
            finished: [pic.y.clone(), pic.cb.clone(), pic.cr.clone()],
            filtered: 0,
            given: top,
        }
    }

    /// Allocates rows for a coding tree block. They must not have been passed to the sink.
    pub fn begin(&self, pic: &mut Picture, ctb: usize) -> Result<()> {
        let row = ctb / self.w_ctbs;
        if row << self.ctb_log2 < self.filtered {
            return Err(Error::InvalidData("slices are not in their order"));
        }
        let end = (row + 1) << self.ctb_log2;
        let sub_h = 1 << self.chroma.y_shift();
        pic.y.hold_to(end);
        pic.cb.hold_to(end / sub_h);
        pic.cr.hold_to(end / sub_h);
        Ok(())
    }

    /// Records that a coding tree block has been decoded for the first time.
    pub fn end(&mut self, pic: &mut Picture, fi: &FilterInfo, ctb: usize) -> Result<()> {
        self.lacking[ctb / self.w_ctbs] -= 1;
        let before = self.complete;
        while self.lacking.get(self.complete) == Some(&0) {
            self.complete += 1;
        }
        if self.complete == before {
            return Ok(());
        }
        let (decoded, height) = (self.complete << self.ctb_log2, pic.y.height);
        let (deblocked, filtered) = if decoded >= height {
            (height, height)
        } else {
            (
                decoded.saturating_sub(LAG),
                decoded.saturating_sub(UNFINISHED),
            )
        };
        for vertical in [true, false] {
            deblock(pic, fi, vertical, self.deblocked..deblocked);
        }
        self.deblocked = deblocked;
        self.finish(pic, fi, filtered);
        self.give(filtered >= height)
    }

    /// Copies the rows above `end` to the finished ones, applies sample adaptive offset, and
    /// releases the rows of the picture that are not needed any more.
    fn finish(&mut self, pic: &mut Picture, fi: &FilterInfo, end: usize) {
        let sub_h = 1 << self.chroma.y_shift();
        let planes = [&pic.y, &pic.cb, &pic.cr];
        for (from, to) in planes.into_iter().zip(&mut self.finished) {
            let scale = if to.height == pic.y.height { 1 } else { sub_h };
            for y in self.filtered / scale..(end / scale).min(to.height) {
                to.data.extend_from_slice(from.row(y));
            }
        }
        sao_rows(pic, fi, self.filtered..end, &mut self.finished);
        self.filtered = end;
        let kept = end.saturating_sub(LAG);
        pic.y.drop_to(kept);
        pic.cb.drop_to(kept / sub_h);
        pic.cr.drop_to(kept / sub_h);
    }

    /// Passes the finished rows to the sink, except the last ones of an unfinished picture.
    fn give(&mut self, is_last: bool) -> Result<()> {
        let [left, top, width, height] = self.window;
        let bottom = top + height;
        let held = self.filtered.min(bottom);
        let end = if is_last || held == bottom {
            held
        } else {
            held.saturating_sub(AROUND)
        };
        if end <= self.given {
            return Ok(());
        }
        let sub_h = 1 << self.chroma.y_shift();
        let first = self.given.saturating_sub(AROUND).max(top);
        let [y, cb, cr] = &mut self.finished;
        y.drop_to(first);
        cb.drop_to(first / sub_h);
        cr.drop_to(first / sub_h);
        let sub_w = 1 << self.chroma.x_shift();
        let (y_stride, c_stride) = (y.stride, cb.stride);
        let planes = [(y, left), (cb, left / sub_w), (cr, left / sub_w)];
        let [y, cb, cr] = planes.map(|(plane, left)| shifted(&mut plane.data, left));
        let frame = Frame {
            width: width as u32,
            height: (held - first) as u32,
            bit_depth: self.bit_depth,
            chroma: self.chroma,
            y,
            cb,
            cr,
            y_stride: y_stride as u32,
            c_stride: c_stride as u32,
        };
        let flow = (self.sink)(&Rows {
            frame: &frame,
            top: (first - top) as u32,
            new: (self.given - first) as u32..(end - first) as u32,
            height: height as u32,
        });
        let planes = [frame.y, frame.cb, frame.cr];
        for (plane, data) in self.finished.iter_mut().zip(planes) {
            if left == 0 {
                plane.data = data;
            }
        }
        self.given = end;
        match flow {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }
}

/// The samples of a plane without those to the left of the conformance window in its first row: the
/// plane itself if there are none, otherwise a copy.
fn shifted(data: &mut Vec<u16>, left: usize) -> Vec<u16> {
    if left == 0 {
        return core::mem::take(data);
    }
    let mut copy = data.clone();
    copy.drain(..left.min(data.len()));
    copy.resize(data.len(), 0);
    copy
}
