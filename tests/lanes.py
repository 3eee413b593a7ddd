"""Which tests `make check` leaves to `make test`, and which belong to `make docs-check`.

A test that takes seconds is marked `slow` where it stands, or named here: a whole file by its name,
a test by its own, with all of its parameters.
"""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS_FILES = {"test_claims", "test_results", "test_docs"}

SLOW_FILES = {
    "test_build",  # starts a Python for each instruction set
    "test_cheng2015",
    "test_colornet",  # networks of full size
    "test_cuda_emulated",  # compiles the CUDA sources for the CPU
    "test_cuda_resources",  # compiles them for a GPU
    "test_evaluate",
    "test_foreign",  # networks of full size
    "test_peers",
    "test_processes",  # torchrun
    "test_ray_cluster",
    "test_resume",
    "test_slice_workers",
    "test_train",
    "test_video_independent",
    "test_video_webm",
}

SLOW_TESTS = {
    "test_a_master_gives_the_chroma_of_the_film",
    "test_a_model_from_outside",
    "test_a_run_that_learns_nothing_more_ends",
    "test_a_run_that_was_killed_at_its_end_is_no_obstacle",
    "test_any_size_of_picture",
    "test_cards_tell_the_truth",
    "test_compiled_code_colors_the_same",
    "test_compiling_takes_in_what_prediction_runs",
    "test_cuts_of_an_old_film",
    "test_dark_is_blue_and_light_is_orange",
    "test_every_instruction_set_gives_the_same_bytes",
    "test_every_model_is_recognized_by_its_state",
    "test_every_variant_trains_and_loads",
    "test_folded_it_colors_the_same",
    "test_folding_changes_nothing",
    "test_fused_frame_is_decode_and_render",
    "test_import_changes_nothing_and_loads_little",
    "test_luma_and_everything_else_survive",
    "test_options_that_are_not_for_the_model",
    "test_rebalancing_is_taken_back_where_it_is_dark",
    "test_regression_learns_one_color",
    "test_render_chroma_for_every_code",
    "test_render_chroma_for_every_field",
    "test_render_chroma_for_every_layout",
    "test_render_chroma_sizes",
    "test_shared_films_survive",
    "test_strong_flicker_is_no_cut",
    "test_the_field_of_a_frame_does_not_depend_on_its_batch",
    "test_the_ops_are_known_to_torch",
    "test_the_trunk_is_the_published_one_on_gray",
    "test_train_then_use",
    "test_versions_of_other_frames_and_framing",
    "test_two_phases",
    "test_yab_matches_the_reference",
}


def mark(item: pytest.Item) -> None:
    """Give a test the marks that these lists say."""
    file, name = Path(item.path).stem, item.name.partition("[")[0]
    if file in DOCS_FILES:
        item.add_marker(pytest.mark.docs)
    if file in SLOW_FILES or name in SLOW_TESTS:
        item.add_marker(pytest.mark.slow)
