// The ops on whole arrays: shares the work out to the threads.
//
// Shapes are the bindings' and have been checked by pycolor/ops: N frames, Q palette entries, h×w
// the network's output, H×W the frame.  `threads` is how many may work at it, the caller being one;
// the bytes that come out do not depend on it.  Nothing is allocated but scratch memory that stays.
#pragma once

#include <string>
#include <vector>

#include "../attention.h"
#include "../motion.h"
#include "../render.h"

namespace pycolor {

std::vector<std::string> simd_levels();  // that this machine runs, the best one last
std::string simd_in_use();

// logits N×Q×h×w, palette Q×2, out N×2×h×w; see ../annealed_mean.h.
void annealed_mean(const Image<const float>& logits, const float* palette, double temperature,
                   const Image<float>& out, int threads);

// chroma and out N×C×H×W, guide N×1×H×W; samples within `radius` of each pixel, those beyond the
// border left out.
void joint_bilateral(const Image<const float>& chroma, const Image<const float>& guide, int radius,
                     double sigma_space, double sigma_range, const Image<float>& out, int threads);

// radius < 0: the quadratic B-spline.
void joint_bilateral_upsample(const Image<const float>& chroma, const Image<const float>& guide_low,
                              const Image<const float>& guide, double sigma_range, double floor,
                              int radius, double sigma_space, const Image<float>& out, int threads);

// kind of out: 0 float, 1 uint8_t, 2 uint16_t.
void convert(const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
             int kind, int threads);

// (Y', a, b) to (Y', Cb, Cr), N×3×H×W both; Cb and Cr in ±0.5.  See ../gamut.h.
void yab_to_ycbcr(const Image<const float>& in, float kr, float kb, const Image<float>& out,
                  int threads);

// L* of each code: N×1×H×W codes, N×H×W floats.
void luma_to_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                       float* out, int threads);

// L* of the mean code over each of h×w cells, samples at the cells' borders by their share.
void mean_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                    const Image<float>& out, int threads);

// Planes: {u, v}, or {r, g, b} where rgb is true; each N×1×rows×columns.
void render(const Image<const float>& field, const Image<const void>& luma, bool is_uint16,
            const FrameCode& code, double sigma_range, double floor,
            const std::vector<Image<void>>& planes, bool rgb, int threads);

// annealed_mean, then render to {u, v}: the same bytes.
void fused_frame(const Image<const float>& logits, const float* palette, double temperature,
                 const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                 double sigma_range, double floor, const std::vector<Image<void>>& planes,
                 int threads);

// Color over time, see ../motion.h.
void motion_search(const MotionJob& job, int threads);
void chain_flows(const ChainJob& job, int threads);
void flow_to_field(const FieldFlowJob& job, int threads);
void carry_chroma(const CarryJob& job, int threads);

// keys K×D, bias K, values K×M, rows in one piece each; of the job all but what is laid out here.
void attention(AttentionJob job, const float* keys, const float* bias, const float* values,
               int threads);

}  // namespace pycolor
