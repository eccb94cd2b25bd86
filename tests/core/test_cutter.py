"""Our cutter gives what jieba gives, and leaves no file in the common temporary folder."""

import io
import logging
import random
from pathlib import Path

import jieba
import pytest

from core.cutter import Cutter, cutter_of, own_words, shipped_words
from tests.classifier.texts import examples

OWN = "独秀峰王城\n阳朔西街 12\n12345热线\n"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> jieba.Tokenizer:
    jieba.setLogLevel(logging.ERROR)
    tokenizer = jieba.Tokenizer()
    tokenizer.tmp_dir = str(tmp_path_factory.mktemp("jieba"))
    tokenizer.load_userdict(io.BytesIO(OWN.encode()))
    return tokenizer


def texts() -> list[str]:
    draw = random.Random(3)
    found = [f"{one.title}。{one.detail}" for one in examples(60)]
    signs = "".join(found) + "abcXYZ0123456789.%+#&-_ ，。！\n\t😀龘阳朔西街独秀峰王城12345热线"
    found += ["".join(draw.choices(signs, k=draw.randrange(1, 80))) for _ in range(400)]
    return [*found, "", " ", "我在独秀峰王城打12345热线，去阳朔西街 3.5%", "臺灣繁體字測試"]


def test_words_and_the_shorter_words_within_them_are_those_of_jieba(theirs: jieba.Tokenizer) -> None:
    ours = Cutter(OWN)
    for text in texts():
        words = ours.words(text)
        assert words == [word for word in theirs.cut(text) if not word.isspace()]
        assert ours.finer(words) == [word for word in theirs.cut_for_search(text) if not word.isspace()]


def test_a_word_of_the_city_stays_whole_and_remarks_are_no_words() -> None:
    assert "独秀峰王城" in Cutter(OWN).words("周末去独秀峰王城")
    assert list(own_words("# remark\n漓江 5 # a river\n\n流动摊贩\n")) == [("漓江", 5), ("流动摊贩", None)]


def test_every_word_of_the_shipped_dictionary_stays_whole_and_stands_once() -> None:
    words = [word for word, _ in own_words(shipped_words())]
    cutter = cutter_of(shipped_words())
    assert len(words) == len(set(words))
    assert [word for word in words if cutter.words(word) != [word]] == []


def test_no_cache_file_is_written_where_others_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    Cutter("").words("没有缓存文件")
    assert list(tmp_path.iterdir()) == []
