// The ops on CUDA arrays: each queues its kernels on a stream and returns.  No op allocates or
// waits.
//
// Meaning, shapes and ranges as in csrc/cpu; the mathematics is the same source (gamut.h, motion.h
// and so on with V = float).  Codes are within one of the CPU's, motion_search finds the same
// flows, chain_flows and flow_to_field give the same bits: exp2 and powers are the kernels' own,
// and products are fused only where the source says so (-fmad=false).  What is left is the sums
// over a cell, which threads share out in another order, and expf.
#pragma once

#include <cstdint>
#include <vector>

#include "../motion.h"
#include "../render.h"

namespace pycolor::cuda {

// Where an op's kernels go.
struct Launch {
  int device;
  void* stream;  // cudaStream_t
};

// entry_bytes: 4 for float logits, 2 for half.
void annealed_mean(const Image<const void>& logits, int entry_bytes, const float* palette,
                   double temperature, const Image<float>& out, Launch launch);

void joint_bilateral(const Image<const float>& chroma, const Image<const float>& guide, int radius,
                     double sigma_space, double sigma_range, const Image<float>& out,
                     Launch launch);

// radius < 0: the quadratic B-spline.
void joint_bilateral_upsample(const Image<const float>& chroma, const Image<const float>& guide_low,
                              const Image<const float>& guide, double sigma_range, double floor,
                              int radius, double sigma_space, const Image<float>& out,
                              Launch launch);

// kind of out: 0 float, 1 uint8_t, 2 uint16_t.
void convert(const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
             int kind, Launch launch);

// The table is the one of cpu/gamut_table.h, copied to the device.
void yab_to_ycbcr(const Image<const float>& in, const Gamut& gamut, const Image<float>& out,
                  Launch launch);

// L* of each code: N×1×H×W codes, N×H×W floats.
void luma_to_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                       float* out, Launch launch);

// Mean lightness × scale.
void mean_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                    double scale, const Image<float>& out, Launch launch);

// guide_low: N×1×h×w floats to work in.  Planes as in cpu/render.cpp.
void render(const Image<const float>& field, const Image<const void>& luma, bool is_uint16,
            const FrameCode& code, double sigma_range, double floor, const Gamut& gamut,
            const Image<float>& guide_low, const std::vector<Image<void>>& planes, bool rgb,
            Launch launch);

// Color over time, see ../motion.h.
void motion_search(const MotionJob& job, Launch launch);
void chain_flows(const ChainJob& job, Launch launch);
void flow_to_field(const FieldFlowJob& job, Launch launch);
void blend_warped_chroma(const BlendJob& job, Launch launch);

}  // namespace pycolor::cuda
