// The ops on whole arrays: shares the work out to the threads.
#pragma once

#include <string>
#include <vector>

#include "../motion.h"
#include "../render.h"

namespace pycolor {

std::vector<std::string> simd_levels();  // that this machine runs, the best one last
std::string simd_in_use();

void annealed_mean(const Image<const float>& logits, const float* palette, double temperature,
                   const Image<float>& out, int threads);

void joint_bilateral(const Image<const float>& chroma, const Image<const float>& guide, int radius,
                     double sigma_space, double sigma_range, const Image<float>& out, int threads);

// radius < 0: the quadratic B-spline.
void joint_bilateral_upsample(const Image<const float>& chroma, const Image<const float>& guide_low,
                              const Image<const float>& guide, double sigma_range, double floor,
                              int radius, double sigma_space, const Image<float>& out, int threads);

// kind of out: 0 float, 1 uint8_t, 2 uint16_t.
void convert(const std::vector<int>& steps, const Image<const float>& in, const Image<void>& out,
             int kind, int threads);

void yab_to_ycbcr(const Image<const float>& in, float kr, float kb, const Image<float>& out,
                  int threads);

void luma_to_lightness(const Image<const void>& luma, bool is_uint16, const FrameCode& code,
                       float* out, int threads);

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

void motion_search(const MotionJob& job, int threads);
void chain_flows(const ChainJob& job, int threads);
void flow_to_field(const FieldFlowJob& job, int threads);
void carry_chroma(const CarryJob& job, int threads);

}  // namespace pycolor
