"""Eighty names that mean another place to somebody, for all that takes a name."""

from __future__ import annotations

CANARY = "the-canary-outside"  # what lies where none of them may lead

_UP = ["..", "../outside", "../../outside", "a/../../outside", "./../outside",
       "a/./../../outside", "../store-sibling/outside", "..//outside",
       "a/..//../outside",
       ".../outside", "....//outside", "../" * 40 + "etc/passwd", "..;/outside",
       "..\0/outside", "../outside\0.txt", " ../outside", "../ outside", "..\n/outside",
       "a/b/../../../outside", "..\u2215outside", "\uff0e\uff0e/outside",
       "..\u29f8outside", "\u2024\u2024/outside"]  # fmt: skip
_ABSOLUTE = ["/", "/etc/passwd", "//etc/passwd", "///etc/passwd", "/./etc/passwd",
             "/proc/self/root/etc/passwd", "//proc/self/root", "/proc/self/cwd/outside",
             "/dev/fd/0", "/dev/stdin", "file:///etc/passwd", "file://localhost/etc/passwd",
             "~/outside", "~root/outside", "$HOME/outside", "${HOME}/outside",
             "`id`", "$(id)", "|id", "-rf"]  # fmt: skip
_WINDOWS = ["..\\outside", "..\\..\\outside", "a\\..\\..\\outside", "\\outside",
            "\\\\host\\share\\outside", "C:\\outside", "C:outside", "C:/outside",
            "\\\\?\\C:\\outside", "//?/C:/outside", "CON", "NUL.txt", "a:stream",
            "outside.", "outside ", "..\\/outside"]  # fmt: skip
_ENCODED = ["%2e%2e/outside", "%2e%2e%2foutside", "..%2foutside", "..%5coutside",
            "%252e%252e%252foutside", "..%252foutside", "%c0%ae%c0%ae/outside",
            "..%c0%afoutside", "%2e%2e%5coutside", "..%00/outside", "%00",
            "%2fetc%2fpasswd",
            "..%u2215outside", "&#46;&#46;/outside", "..#/outside", "#../outside",
            "..?/outside", "?file=../outside", "%23/../outside",
            "http://127.0.0.1/outside", "a/%2e%2e/%2e%2e/outside"]  # fmt: skip
HOSTILE_PATHS = [*_UP, *_ABSOLUTE, *_WINDOWS, *_ENCODED]
