"""Seeded omissions: scripts/check_includes.py names each, and nothing that is in order."""

from __future__ import annotations

from pathlib import Path

import pytest

import check_includes
from conftest import ROOT

HEADERS = {
    "cpp/include/inferometer/error.h": "namespace inferometer {\nclass Error : public Base {};\n}",
    "cpp/src/base/word.h": """
#include <vector>
#include "inferometer/error.h"
#define WORD_LIMIT 3
namespace inferometer {
/// A "class Comment" is none.
template <typename T>
class Word final : public Base<T> {
 public:
  struct Inner {};
  void member();
};
enum class Kind : uint8_t { kOne };
using Words = std::vector<Word<int>>;
inline constexpr int kLongest = 3;
[[nodiscard]] const Word<int>& first_word(const Words& words);
template <typename T>
[[nodiscard]] T last_word(T words) {
  return words;
}
class Announced;
}
""",
}


def messages(root: Path, source: str, name: str = "cpp/src/base/a.cc") -> list[str]:
    for path, text in {**HEADERS, name: source}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    found = check_includes.check(root)
    return [f"{f.line}: {f.message}" for f in found if f.path == name]


def test_the_repository_has_no_findings() -> None:
    assert check_includes.check(ROOT) == []


@pytest.mark.parametrize(
    ("use", "header"),
    [
        ("std::string text;", "string"),
        ("auto place = std::ranges::find(list, 1);", "algorithm"),
        ("uint32_t number;", "cstdint"),
        ("if (errno) return;", "cerrno"),
        ("int id = getpid();", "unistd.h"),
        ("Word<int> word;", "cpp/src/base/word.h"),
        ("Kind kind;", "cpp/src/base/word.h"),
        ("f(Words{});", "cpp/src/base/word.h"),
        ("int n = kLongest + 1;", "cpp/src/base/word.h"),
        ("int n = WORD_LIMIT;", "cpp/src/base/word.h"),
        ("first_word(list);", "cpp/src/base/word.h"),
        ("inferometer::last_word(list);", "cpp/src/base/word.h"),
        ("throw Error(1);", "cpp/include/inferometer/error.h"),
        ("class Error; throw 1; ", ""),
        ("prometheus::MetricType type;", "prometheus/"),
        ("tcp::socket socket;", "boost/asio/ip/tcp.hpp"),
        ("py::object object;", "pybind11/"),
    ],
)
def test_what_is_not_included_is_named(tmp_path: Path, use: str, header: str) -> None:
    found = messages(tmp_path, f"\n{use}\n")
    assert len(found) == bool(header)
    if header:
        assert found[0].startswith("2: ")
        assert f" is of {header}: not included" in found[0]
        wanted = header.removeprefix("cpp/src/").removeprefix("cpp/include/")
        wanted += "x.h" if wanted.endswith("/") else ""
        assert messages(tmp_path, f'#include "{wanted}"\n{use}') == []


@pytest.mark.parametrize(
    "text",
    [
        "// std::string and Word\n",
        'f("std::string", R"(Word)");',
        "struct Word {}; Word word;",
        "template <typename Word> Word f(Word word);",
        "const auto first_word = [](int x) { return x; }; first_word(1);",
        "void first_word(int x); void f() { first_word(1); }",
        "list.first_word(1); word->member(); Inner inner;",
        "other::Word word;",
        '#include "base/word.h"\nvoid f(const std::vector<int>& x, const Error& y);',
        '#include "base/word.h"\nvoid f(const Announced& y);',
    ],
)
def test_what_is_in_order(tmp_path: Path, text: str) -> None:
    assert messages(tmp_path, text) == []


def test_an_announced_class_may_be_named_but_not_made(tmp_path: Path) -> None:
    (tmp_path / "cpp/src/base").mkdir(parents=True)
    defining = "namespace inferometer {\nclass Announced {};\n}\n"
    (tmp_path / "cpp/src/base/announced.h").write_text(defining, encoding="utf-8")
    include = '#include "base/word.h"\n'
    assert messages(tmp_path, include + "void f(const Announced& x);") == []
    assert messages(tmp_path, include + "auto x = Announced();") == [
        "2: Announced is of cpp/src/base/announced.h: not included"
    ]


def test_a_name_that_the_tables_lack(tmp_path: Path) -> None:
    assert messages(tmp_path, "\n\nstd::flat_map<int, int> map;") == [
        "3: std::flat_map is not in the tables of check_includes.py"
    ]
