"""Bytes to text and back, and what cannot be read or parsed."""

import ast
import codecs
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemods.source import SourceError, decode, parse, quiet_parsing


def _fails(call, *arguments, **options) -> SourceError:
    with pytest.raises(SourceError) as caught:
        call(*arguments, **options)
    assert caught.value.path == "x.py"
    assert caught.value.way_out
    return caught.value


def _parse(text):
    return parse(decode("x.py", text.encode()))


class TestDecode:
    @pytest.mark.parametrize(
        ("data", "encoding", "text"),
        [
            (b"", "utf-8", ""),
            ("é = 1\n".encode(), "utf-8", "é = 1\n"),
            (b"# coding: latin-1\nx = '\xe9'\n", "iso8859-1", "# coding: latin-1\nx = 'é'\n"),
            (
                b"#!/bin/x\n# -*- coding: cp1252 -*-\n\x80",
                "cp1252",
                "#!/bin/x\n# -*- coding: cp1252 -*-\n€",
            ),
            (
                b"\n# vim: set fileencoding=koi8-r :\n\xc1",
                "koi8-r",
                "\n# vim: set fileencoding=koi8-r :\nа",
            ),
            (b"x = 1\n# coding: latin-1\n", "utf-8", "x = 1\n# coding: latin-1\n"),
            (b"\n\n# coding: latin-1\n", "utf-8", "\n\n# coding: latin-1\n"),
            (b"# coding: utf-8\r\nx\r\n", "utf-8", "# coding: utf-8\r\nx\r\n"),
            (b"# coding: UTF_8\n", "utf-8", "# coding: UTF_8\n"),
        ],
    )
    def test_reads_as_python_does(self, data, encoding, text):
        source = decode("x.py", data)
        assert (source.encoding, source.text) == (encoding, text)
        assert source.encode(text) == data

    def test_the_mark_is_no_text_and_comes_back(self):
        source = decode("x.py", codecs.BOM_UTF8 + b"x = 1\r\n")
        assert (source.text, source.bom) == ("x = 1\r\n", True)
        assert source.encode("y = 1\r\n") == codecs.BOM_UTF8 + b"y = 1\r\n"

    @pytest.mark.parametrize(
        ("text", "newline"),
        [
            ("a\nb\r\nc\n", "\n"),
            ("a\r\nb\r\nc\n", "\r\n"),
            ("a\rb\r", "\r"),
            ("", "\n"),
            ("a", "\n"),
        ],
    )
    def test_newline_is_that_of_most_lines(self, text, newline):
        source = decode("x.py", text.encode())
        assert (source.newline, source.text) == (newline, text)

    def test_a_file_that_is_no_python_has_no_coding_line(self):
        source = decode("x.md", b"# coding: nonsense\n", is_python=False)
        assert source.encoding == "utf-8"
        assert source.encode("# coding: other\n") == b"# coding: other\n"

    @pytest.mark.parametrize("name", ["nonsense", "hex", "rot13", "base64", "undefined"])
    def test_an_unknown_encoding(self, name):
        error = _fails(decode, "x.py", b"#!x\n# coding: %s\n" % name.encode())
        assert name in str(error)

    def test_a_wrong_coding_line_says_where(self):
        error = _fails(decode, "x.py", b"# coding: ascii\n\nx = '\xe9'\n")
        assert error.line == 3
        assert error.message == "byte 0xe9 at column 6 is not ascii"

    def test_latin_1_without_a_coding_line(self):
        error = _fails(decode, "x.py", b"x = 1\ny = '\xe9'\n")
        assert error.line == 2
        assert "0xe9" in error.message
        assert "utf-8" in error.message

    def test_a_mark_against_the_coding_line(self):
        error = _fails(decode, "x.py", codecs.BOM_UTF8 + b"# coding: latin-1\n")
        assert "mark" in error.message

    def test_an_encoding_that_does_not_come_back_the_same(self):
        _fails(decode, "x.py", b"# coding: utf-7\n+AGE-\n")
        _fails(decode, "x.py", b"# coding: unicode_escape\nx = '\\x61'\n")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
    def test_null_bytes(self, encoding):
        _fails(decode, "x.py", "x = 1\n".encode(encoding))
        assert _fails(decode, "x.py", b"x = 1\ny = \0\n").line == 2

    @given(st.binary(max_size=200))
    def test_what_is_read_comes_back_byte_for_byte(self, data):
        try:
            source = decode("x.py", data)
        except SourceError:
            return
        assert source.encode(source.text) == data

    @given(
        st.sampled_from(["latin-1", "cp1252", "utf-8", "shift_jis", "koi8-r", "utf-8-sig"]),
        st.text(max_size=50).filter(lambda text: "\0" not in text),
    )
    def test_comes_back_in_any_encoding_that_can_express_it(self, encoding, text):
        data = f"# coding: {encoding}\n{text}".encode(encoding.removesuffix("-sig"), "replace")
        try:
            source = decode("x.py", data)
        except SourceError:
            assert encoding in ("shift_jis", "cp1252", "utf-8-sig")
            return
        assert source.encode(source.text) == data


class TestEncode:
    def test_a_character_that_the_encoding_lacks(self):
        source = decode("x.py", b"# coding: latin-1\nx = 1\n")
        error = _fails(source.encode, source.text + "y = '→'\n")
        assert error.line == 3
        assert "→" in error.message

    def test_a_coding_line_that_lost_its_place(self):
        source = decode("x.py", b"#!x\n# coding: latin-1\nx = '\xe9'\n")
        error = _fails(source.encode, "import a\n" + source.text)
        assert "declare" in error.message


class TestParse:
    def test_gives_the_tree(self):
        assert ast.dump(_parse("x = 1\r\n")) == ast.dump(ast.parse("x = 1"))

    def test_a_file_of_five_megabytes(self):
        line = "x = [1, 2, 3]  # generated\n"
        data = (line * (5_000_000 // len(line))).encode()
        source = decode("x.py", data)
        assert source.encode(source.text) == data
        assert decode("x.py", data).newline == "\n"

    def test_a_syntax_error_has_its_line(self):
        error = _fails(_parse, "x = 1\n\ndef f(:\n    pass\n")
        assert error.line == 3
        assert error.message.startswith("syntax error: ")

    @pytest.mark.parametrize(
        "line",
        [
            "print 'a'",
            "print a",
            "if x: print a, b",
            "print >>f, 'a' if",
            "exec 'a'",
            "exec code in names",
            "raise E, 'a'",
            "x = `a`",
            "if a <> b: pass",
            "os.chmod(p, 0755)",
            "x = 10L",
            "x = ur'a'",
        ],
    )
    def test_python_2_is_recognised(self, line):
        error = _fails(_parse, f"import os\n{line}\n")
        assert error.line == 2
        assert "Python 2" in error.message

    @pytest.mark.skipif(sys.version_info >= (3, 14), reason="is Python 3.14 too")
    @pytest.mark.parametrize("line", ["except E, e:", "except (A, b.B), e:"])
    def test_the_except_of_python_2_is_recognised(self, line):
        error = _fails(_parse, f"try:\n    pass\n{line}\n    pass\n")
        assert error.line == 3
        assert "Python 2" in error.message

    @pytest.mark.parametrize(
        "line", ["x = 'print a' +", "printer a", "f(print a b", "except_ X, e:", "x = 1 2 # 10"]
    )
    def test_a_mistake_is_not_called_python_2(self, line):
        assert "Python 2" not in _fails(_parse, f"{line}\n").message

    @pytest.mark.parametrize(
        ("since", "text"),
        [
            ((3, 11), "try:\n    pass\nexcept* E:\n    pass\n"),
            ((3, 12), "type A[T] = list[T]\n"),
            ((3, 12), "type A = int\n"),
            ((3, 12), "def f[T](x: T) -> T: ...\n"),
            ((3, 12), "class A[T]: ...\n"),
            ((3, 12), "x = f'{a['b']}'\n"),
            ((3, 12), "x = f\"{'\\n'.join(a)}\"\n"),
            ((3, 12), "x = f'{\n  a\n}'\n"),
            ((3, 13), "class A[T = int]: ...\n"),
            ((3, 14), "x = t'{a}'\n"),
            ((3, 14), "try:\n    pass\nexcept A, B, C:\n    pass\n"),
        ],
    )
    def test_syntax_of_a_newer_python(self, since, text):
        if sys.version_info >= since:
            assert _parse(text)
        else:
            error = _fails(_parse, text)
            assert "needs Python {}.{}".format(*since) in error.message
            assert "{}.{}".format(*since) in error.way_out

    @pytest.mark.parametrize(
        "text",
        [
            "(" * 2000 + ")" * 2000,
            "-" * 200_000 + "1",
            pytest.param(
                "x" + ".a" * 200_000,
                marks=pytest.mark.skipif(
                    sys.version_info < (3, 11), reason="the parser of Python 3.10 itself crashes"
                ),
            ),
            "[" * 2000 + "]" * 2000,
            "x = " + "f(" * 2000 + ")" * 2000,
            "".join(" " * n + "if x:\n" for n in range(2000)) + " " * 2000 + "pass\n",
        ],
        ids=["brackets", "signs", "dots", "lists", "calls", "blocks"],
    )
    def test_deep_nesting(self, text):
        _fails(_parse, text)

    def test_warnings_are_kept_away(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with quiet_parsing():
                assert _parse("x = '\\d'\n")
            with pytest.raises(SourceError):
                _parse("x = '\\d'\n")

    @settings(max_examples=200)
    @given(st.text(alphabet="ab \n\t()[]:=,'\"f{}\\`print except0", max_size=60))
    def test_any_text_is_a_tree_or_an_error(self, text):
        with quiet_parsing():
            try:
                line = len(_parse(text).body) and 1
            except SourceError as error:
                line = error.line
        assert line <= text.count("\n") + 2
