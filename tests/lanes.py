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
    "test_clip_color",
    "test_colornet",  # networks of full size
    "test_cuda_emulated",  # compiles the CUDA sources for the CPU
    "test_cuda_resources",  # compiles them for a GPU
    "test_desk",
    "test_desk_browser",
    "test_evaluate",
    "test_foreign",  # networks of full size
    "test_guided_film",
    "test_made",
    "test_peers",
    "test_planned_film",
    "test_processes",  # torchrun
    "test_ray_cluster",
    "test_resume",
    "test_slice_workers",
    "test_study",
    "test_train",
    "test_video_fields",
    "test_video_independent",
    "test_video_rates",
    "test_video_webm",
}

SLOW_TESTS = {
    "test_a_cut_soon_after_a_fade_is_found",
    "test_a_fade_of_an_old_film_is_one_boundary",
    "test_a_failed_film_does_not_stop_the_rest",
    "test_a_film_from_beginning_to_end",
    "test_a_film_with_a_tinted_shot",
    "test_a_flash_is_a_disturbance",
    "test_a_join_is_the_film",
    "test_a_layer_does_not_depend_on_where_it_is_cut",
    "test_a_long_black_stretch_is_a_shot_of_its_own",
    "test_a_marked_frame_leads_other_shots_as_a_picture",
    "test_a_master_gives_the_chroma_of_the_film",
    "test_a_model_from_outside",
    "test_a_model_that_remembers_gives_the_same_bits",
    "test_a_notebook",
    "test_a_pickled_job_gives_the_same_segment_in_another_process",
    "test_a_picture_from_beginning_to_end",
    "test_a_picture_is_likest_to_itself",
    "test_a_reel_is_kept_or_named",
    "test_a_reference_clip_has_timecode_and_number_in_it",
    "test_a_run_that_learns_nothing_more_ends",
    "test_a_run_that_was_killed_at_its_end_is_no_obstacle",
    "test_a_segment_of_a_dead_machine_is_waited_for",
    "test_a_slice_with_overlap_gives_the_same_cuts",
    "test_a_slice_with_overlap_gives_the_same_fades",
    "test_a_still_of_another_frame_is_told",
    "test_a_training_with_kept_photographs_is_resumed",
    "test_an_edited_still_comes_back",
    "test_an_endpoint",
    "test_anchors_draw_a_material_to_one_color",
    "test_any_size_of_picture",
    "test_any_slicing_gives_the_same_fields",
    "test_black_frames_between_cuts_are_no_fade",
    "test_captions_are_kept_or_named",
    "test_cards_tell_the_truth",
    "test_cdc_knows_no_places",
    "test_commands_take_and_give_timelines",
    "test_compile_keeps_the_graph_whole",
    "test_compiled_code_colors_the_same",
    "test_compiling_takes_in_what_prediction_runs",
    "test_cuts_of_an_old_film",
    "test_dark_is_blue_and_light_is_orange",
    "test_dead_workers_segments_are_taken_over",
    "test_depth_and_range_do_not_matter",
    "test_dirt_in_the_dark_of_a_fade_is_no_boundary",
    "test_dissolves_under_a_lively_camera",
    "test_drop_frame_counts_without_gap_or_repeat",
    "test_every_instruction_set_gives_the_same_bytes",
    "test_every_model_is_recognized_by_its_state",
    "test_every_name_is_that_of_a_test",
    "test_every_variant_trains_and_loads",
    "test_flicker_of_the_light_is_none_of_the_color",
    "test_flicker_of_the_model_is_averaged_out",
    "test_folded_it_colors_the_same",
    "test_folding_changes_nothing",
    "test_four_frames_of_flash_anywhere_in_a_lively_shot",
    "test_frames_are_colored_alike_wherever_a_film_is_cut",
    "test_frames_by_themselves_need_no_guides",
    "test_frames_that_were_seen_are_not_decoded_again",
    "test_fused_frame_is_decode_and_render",
    "test_gradual_transitions",
    "test_guidance_of_a_batch_is_as_that_of_single_pictures",
    "test_hints_of_no_weight_change_nothing_and_others_do",
    "test_image_and_folder",
    "test_import_changes_nothing_and_loads_little",
    "test_json_progress",
    "test_luma_and_everything_else_survive",
    "test_most_frames_need_no_network",
    "test_motion_search_of_few_levels_takes_the_first_of_equals",
    "test_needs_are_kept_in_the_project",
    "test_new_layers_say_nothing_at_first",
    "test_no_json_ends_otherwise_than_in_a_sentence",
    "test_no_key_frame_is_predicted_that_no_frame_needs",
    "test_no_module_needs_itself",
    "test_nothing_is_lost",
    "test_nothing_is_lost_in_color",
    "test_one_encoding_serves_many_decodings",
    "test_opcheck",
    "test_options_that_are_not_for_the_model",
    "test_packaged_weights_load_and_are_small",
    "test_pictures_after_many_clicks_are_those_of_a_desk_that_was_just_opened",
    "test_pictures_are_colored_at_the_rate_that_is_given",
    "test_pictures_are_png",
    "test_published_size_and_names",
    "test_published_sizes",
    "test_qssim_does_not_care_which_channel_is_which",
    "test_qssim_of_similar_gray_pictures_is_ssim",
    "test_quiet_says_nothing",
    "test_real_films",
    "test_rebalancing_is_taken_back_where_it_is_dark",
    "test_recipes_for_a_gpu_fit_their_networks",
    "test_regression_learns_one_color",
    "test_render_chroma_for_every_code",
    "test_render_chroma_for_every_field",
    "test_render_chroma_for_every_layout",
    "test_render_chroma_sizes",
    "test_restoring_needs_scores_and_a_share",
    "test_restoring_takes_rebalancing_back",
    "test_shared_films_round_trip",
    "test_shared_films_survive",
    "test_shots_as_table_and_files",
    "test_shots_come_within_the_look_ahead",
    "test_shots_follow_each_other_without_gap",
    "test_similarities_are_one_for_equal_pictures_symmetric_and_bounded",
    "test_slow_clients_hold_no_more_than_their_share",
    "test_sound_ends_with_the_range",
    "test_sound_is_copied_packet_by_packet",
    "test_sound_that_changes_from_one_program_to_the_next",
    "test_strided_planes_are_read_in_place",
    "test_strong_flicker_is_no_cut",
    "test_the_field_of_a_frame_does_not_depend_on_its_batch",
    "test_the_last_layer_ends_with_another_rebalancing",
    "test_the_network_beside_propagation_gives_the_same",
    "test_the_ops_are_known_to_torch",
    "test_the_page_copies_to_the_shots_that_are_chosen",
    "test_the_plot_is_drawn",
    "test_the_pool_outlives_chunks_that_throw",
    "test_the_same_result_for_any_batch",
    "test_the_sound_of_a_disc_becomes_plain_pcm",
    "test_the_trunk_is_the_published_one_on_gray",
    "test_the_view_of_doubt",
    "test_they_are_found_while_nobody_waits",
    "test_train_then_use",
    "test_training_starts_from_vgg16",
    "test_two_phases",
    "test_unlike_machines_are_kept_apart",
    "test_versions_of_other_frames_and_framing",
    "test_what_a_master_is_not_for",
    "test_what_dead_workers_left_is_removed_in_the_end",
    "test_what_is_copied_again_takes_the_place_of_what_was",
    "test_where_nothing_is_in_a_picture_nothing_is_colored",
    "test_without_a_plan_the_workers_meet_beside_the_output",
    "test_workers_one_after_the_other",
    "test_workers_side_by_side",
    "test_yab_keeps_luma_and_hue_and_stays_in_gamut",
    "test_yab_matches_the_reference",
}


def mark(item: pytest.Item) -> None:
    """Give a test the marks that these lists say."""
    file, name = Path(item.path).stem, item.name.partition("[")[0]
    if file in DOCS_FILES:
        item.add_marker(pytest.mark.docs)
    if file in SLOW_FILES or name in SLOW_TESTS:
        item.add_marker(pytest.mark.slow)


def is_left_out(file: str, expression: str) -> bool:
    """Whether -m of these lanes ("not slow and not docs") leaves out all tests of a file.

    Args:
        file: its name without `.py`.
        expression: of -m; empty without.
    """
    wanted = [part.strip() for part in expression.split(" and ")]
    return (file in SLOW_FILES and "not slow" in wanted) or (
        file in DOCS_FILES and "not docs" in wanted
    )
