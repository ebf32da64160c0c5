//! Picture level decoding: parameter set selection, slice dispatch, filters.

mod bands;
mod ctu;
mod geom;
mod mode;
mod recon;
mod refs;
mod residual;
mod residual_ctx;
mod residual_levels;
mod sao_syn;
mod sets;
mod slice_data;
mod state;
mod tu;

pub use bands::Sink;
pub use geom::Geometry;
pub use sets::ParameterSets;

use crate::hevc::error::{Error, Result};
use crate::hevc::filter::{CtbFilter, FilterInfo};
use crate::hevc::nal::{NalHeader, Rbsp};
use crate::hevc::picture::Picture;
use crate::hevc::ps::scaling;
use crate::hevc::slice::{SliceHeader, parse as parse_slice_header};
use alloc::vec;
use alloc::vec::Vec;
use bands::Bands;

/// Decodes one still picture from its parameter sets and slice NAL units, and passes its rows to
/// `sink` from the top.
pub fn decode(sets: &ParameterSets, slices: &[&[u8]], sink: Sink<'_>) -> Result<()> {
    if slices.is_empty() {
        return Err(Error::NoSlices);
    }
    let mut parsed: Vec<(NalHeader, Rbsp)> = Vec::with_capacity(slices.len());
    for nal in slices {
        let h = NalHeader::parse(nal)?;
        if !h.is_vcl() || h.layer_id != 0 {
            continue;
        }
        if !h.is_irap() {
            return Err(Error::Unsupported("non-IRAP picture (inter prediction)"));
        }
        parsed.push((h, Rbsp::from_nal(nal)?));
    }
    let first = parsed.first().ok_or(Error::NoSlices)?;
    let probe_pps = {
        let r = &mut crate::hevc::bits::BitReader::new(&first.1.data);
        r.u1()?;
        if first.0.is_irap() {
            r.u1()?;
        }
        r.ue()?
    };
    let pps = sets.pps(probe_pps)?;
    let sps = sets.sps(pps.sps_id)?;
    if sps.implicit_rdpcm {
        return Err(Error::Unsupported("implicit_rdpcm_enabled_flag"));
    }
    if sps.chroma_array_type != 0 && sps.bit_depth_y != sps.bit_depth_c {
        // A `Frame` has one bit depth.
        return Err(Error::Unsupported(
            "different bit depths of luma and chroma",
        ));
    }
    let geo = Geometry::new(sps, pps)?;
    let mut pic = Picture::without_rows(sps.width, sps.height, sps.sub_w, sps.sub_h)?;
    let factors = scaling_factors(sps, pps);
    let mut fi = FilterInfo {
        bit_depth_y: sps.bit_depth_y,
        bit_depth_c: sps.bit_depth_c,
        chroma_array_type: sps.chroma_array_type,
        sub_w: sps.sub_w,
        sub_h: sps.sub_h,
        ctb_log2: sps.log2_ctb,
        pic_w_ctbs: geo.w_ctbs,
        pic_h_ctbs: geo.h_ctbs,
        pcm_loop_filter_disabled: sps.pcm_loop_filter_disabled,
        across_tiles: pps.across_tiles,
        sao_enabled: false,
        ctb: vec![CtbFilter::default(); geo.size_ctbs],
        tile_id: geo.tile_id.clone(),
        slice_addr: vec![u32::MAX; geo.size_ctbs],
    };
    let mut bands = Bands::new(sps, &pic, &fi, sink);
    let mut prev: Option<SliceHeader> = None;
    for (nh, rbsp) in &parsed {
        let h = parse_slice_header(nh, &rbsp.data, sps, pps, prev.as_ref())?;
        if h.pps_id != pps.id {
            return Err(Error::Unsupported("a picture using more than one PPS"));
        }
        fi.sao_enabled |= h.sao_luma || h.sao_chroma;
        let hh = h.clone();
        slice_data::decode_slice(
            sps,
            pps,
            &geo,
            factors.as_deref(),
            &mut pic,
            &mut fi,
            &mut bands,
            h,
            rbsp,
        )?;
        prev = Some(hh);
    }
    if fi.slice_addr.contains(&u32::MAX) {
        return Err(Error::InvalidData("picture is not fully covered by slices"));
    }
    Ok(())
}

/// Derives the scaling factors in force for the picture, if any.
fn scaling_factors(
    sps: &crate::hevc::ps::Sps,
    pps: &crate::hevc::ps::Pps,
) -> Option<alloc::boxed::Box<scaling::ScalingFactors>> {
    if !sps.scaling_list_enabled {
        return None;
    }
    let data = match (&pps.scaling, &sps.scaling) {
        (Some(d), _) => d.clone(),
        (None, Some(d)) => d.clone(),
        (None, None) => scaling::ScalingListData::default(),
    };
    Some(scaling::derive(&data, sps.chroma_array_type))
}
