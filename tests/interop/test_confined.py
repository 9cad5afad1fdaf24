"""What a stranger's file names lead to, and what they may not lead to."""

import pytest

from nbtrack.interop.confined import file_inside, files_below, inside


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    kept = tmp_path / "kept"
    (kept / "media").mkdir(parents=True)
    (kept / "media" / "a.png").write_bytes(b"a")
    (kept / "link.txt").symlink_to(tmp_path / "secret.txt")
    return kept


def test_a_file_of_the_folder_is_found(folder):
    assert file_inside(folder, "media/../media/a.png") == folder / "media" / "a.png"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "link.txt", "media/../../secret.txt", "/etc", "a\0b"]
)
def test_no_path_leads_out_of_the_folder(folder, path):
    assert inside(folder, path) is None
    assert file_inside(folder, path) is None


def test_a_folder_or_nothing_is_no_file(folder):
    assert file_inside(folder, "media") is None
    assert file_inside(folder, "gone.png") is None
    assert inside(folder, "gone.png") == folder / "gone.png"


def test_a_link_counts_among_the_files_of_a_folder_where_it_stays_inside(folder):
    (folder / "media" / "b.png").symlink_to(folder / "media" / "a.png")
    (folder / "all").symlink_to(folder)
    assert [name for name, _ in files_below(folder)] == ["media/a.png", "media/b.png"]
    within = folder.parent
    assert next(name for name, _ in files_below(folder, within=within)) == "link.txt"
