"""`%rerun` of IPython stays what it was beside ours, and comes back when we leave."""

from __future__ import annotations


def test_ipythons_own_rerun_still_runs_earlier_input_again(shell, capsys):
    before = shell.find_line_magic("rerun")
    shell.run_line_magic("load_ext", "nbtrack")
    shell.run_cell("n = 0", store_history=True)
    shell.run_cell("n += 1", store_history=True)
    shell.run_cell("%rerun -l 1", store_history=True)
    assert shell.user_ns["n"] == 2
    assert shell.magics_manager.magics["line"]["rerun"] != before
    shell.run_line_magic("unload_ext", "nbtrack")
    assert shell.magics_manager.magics["line"]["rerun"] == before


def test_a_name_means_a_run(shell, capsys):
    shell.run_line_magic("load_ext", "nbtrack")
    result = shell.run_cell("%rerun nobody", store_history=True)
    assert "nobody" in str(result.error_in_exec)
