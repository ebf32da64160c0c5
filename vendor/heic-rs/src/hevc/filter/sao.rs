//! Sample adaptive offset, ITU-T H.265 clause 8.7.3.
//!
//! SAO reads the deblocked picture and writes a second picture.

use super::deblock::clip3;
use super::{FilterInfo, SaoCtb};
use crate::hevc::picture::{Picture, Plane, flags};
use core::ops::Range;

/// Neighbour offsets of each `SaoEoClass`, clause 8.7.3.2.
const EO: [[(isize, isize); 2]; 4] = [
    [(-1, 0), (1, 0)],
    [(0, -1), (0, 1)],
    [(-1, -1), (1, 1)],
    [(1, -1), (-1, 1)],
];

/// `SaoTypeIdx` selecting band offset.
const BAND: u8 = 1;
/// `SaoTypeIdx` selecting edge offset.
const EDGE: u8 = 2;

/// Offset to add to the sample at `(px, py)`, or `None` to leave it alone.
///
/// `sw` and `sh` scale component coordinates back to luma coordinates so that
/// the CTB of a neighbour can be found; `addr` is the CTB being filtered.
#[allow(clippy::too_many_arguments)]
fn edge_offset(
    src: &Plane,
    info: &FilterInfo,
    s: &SaoCtb,
    addr: usize,
    px: usize,
    py: usize,
    sw: usize,
    sh: usize,
) -> Option<i32> {
    let rec = src.at(px, py) as i32;
    let mut idx = 2i32;
    for (dx, dy) in EO[(s.eo_class & 3) as usize] {
        let nx = px as isize + dx;
        let ny = py as isize + dy;
        if nx < 0 || ny < 0 || nx as usize >= src.width || ny as usize >= src.height {
            return None;
        }
        let (nx, ny) = (nx as usize, ny as usize);
        if !info.may_cross(info.ctb_of(nx * sw, ny * sh), addr) {
            return None;
        }
        idx += (rec - src.at(nx, ny) as i32).signum();
    }
    let idx = match idx {
        2 => 0,
        0 => 1,
        1 => 2,
        v => v,
    };
    if idx == 0 {
        return Some(0);
    }
    s.offsets.get(idx as usize - 1).map(|v| *v as i32)
}

/// Applies sample adaptive offset to some rows of one component of one coding tree block.
#[allow(clippy::too_many_arguments)]
fn sao_ctb(
    dst: &mut Plane,
    src: &Plane,
    cu_flags: &[u8],
    min4_w: usize,
    info: &FilterInfo,
    s: SaoCtb,
    addr: usize,
    rows: Range<usize>,
    sw: usize,
    sh: usize,
    bd: u8,
) {
    let cx = addr % info.pic_w_ctbs;
    let x0 = (cx << info.ctb_log2) / sw;
    let x1 = (((cx + 1) << info.ctb_log2) / sw).min(dst.width);
    let max = (1i32 << bd) - 1;
    for py in rows {
        for px in x0..x1 {
            let (lx, ly) = (px * sw, py * sh);
            let f = cu_flags
                .get((ly >> 2) * min4_w + (lx >> 2))
                .map_or(0u8, |v| *v);
            if f & flags::TQ_BYPASS != 0 || (f & flags::PCM != 0 && info.pcm_loop_filter_disabled) {
                continue;
            }
            let rec = src.at(px, py) as i32;
            let delta = if s.type_idx == BAND {
                let k = (rec >> bd.saturating_sub(5)) - s.band_position as i32;
                match s.offsets.get(k as usize) {
                    Some(v) if (0..4).contains(&k) => *v as i32,
                    _ => continue,
                }
            } else {
                match edge_offset(src, info, &s, addr, px, py, sw, sh) {
                    Some(v) => v,
                    None => continue,
                }
            };
            dst.put(px, py, clip3(0, max, rec + delta) as u16);
        }
    }
}

/// Applies the sample adaptive offset filter of clause 8.7.3 to `rows` of `pic`, which are rows of luma; `to` are the
/// planes of the second picture, which have the samples of the first.
///
/// Does nothing unless `info.sao_enabled`; coding tree blocks whose
/// `SaoTypeIdx` is zero keep their deblocked samples.
pub fn sao_rows(pic: &Picture, info: &FilterInfo, rows: Range<usize>, to: &mut [Plane; 3]) {
    if !info.sao_enabled || info.pic_w_ctbs == 0 || rows.is_empty() {
        return;
    }
    let ncomp = if info.chroma_array_type == 0 { 1 } else { 3 };
    let from = [&pic.y, &pic.cb, &pic.cr];
    for cy in rows.start >> info.ctb_log2..=(rows.end - 1) >> info.ctb_log2 {
        let top = rows.start.max(cy << info.ctb_log2);
        let bottom = rows.end.min((cy + 1) << info.ctb_log2);
        for addr in cy * info.pic_w_ctbs..(cy + 1) * info.pic_w_ctbs {
            for (c, (src, dst)) in from.iter().zip(&mut *to).enumerate().take(ncomp) {
                let s = info.ctb[addr].sao[c];
                if s.type_idx != BAND && s.type_idx != EDGE {
                    continue;
                }
                let (sw, sh, bd) = if c == 0 {
                    (1, 1, info.bit_depth_y)
                } else {
                    (info.sub_w.max(1), info.sub_h.max(1), info.bit_depth_c)
                };
                let rows = top / sh..(bottom / sh).min(dst.height);
                sao_ctb(
                    dst,
                    src,
                    &pic.cu_flags,
                    pic.min4_w,
                    info,
                    s,
                    addr,
                    rows,
                    sw,
                    sh,
                    bd,
                );
            }
        }
    }
}

#[cfg(test)]
#[path = "sao_tests.rs"]
mod tests;
