// The ops for the Lanes of the simd_*.h that was included before.
//
// All of it lies in an unnamed namespace: three translation units hold functions of the same names.
#pragma once

#include "annealed_mean_cpu.h"
#include "attention_cpu.h"
#include "convert_cpu.h"
#include "joint_bilateral_cpu.h"
#include "luma_cpu.h"
#include "motion_cpu.h"
#include "render_cpu.h"

namespace pycolor {
namespace {

Kernels all_kernels(const char* name) {
  return {name,        annealed_mean,   mean_lightness, lightness, low_chroma,   column_taps,
          render,      joint_bilateral, upsample,       convert,   yab_to_ycbcr, motion_search,
          chain_flows, flow_to_field,   carry_chroma,   attention};
}

}  // namespace
}  // namespace pycolor
