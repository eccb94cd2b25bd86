"""The page that takes a list into the embedded registry: looked at first, masked, whole or not at all."""

from sqlalchemy import text

from tests.numbers import id_number
from tests.web.conftest import Console

HOME = "/papers/registry"
ONE, OTHER = id_number(), id_number("45030219850615002")
HEAD = "身份证号,证照种类,签发机关,有效期自,有效期至,状态"


async def count(console: Console) -> int:
    async with console.ctx.db.read() as session:
        return int((await session.execute(text("SELECT count(*) FROM certificate_record"))).scalar_one())


async def test_a_list_is_looked_at_and_then_taken(console: Console) -> None:
    admin = await console.signed_in("system_admin")
    assert "导入证照登记表" in (await admin.get(HOME)).text
    assert HOME in (await admin.get("/papers")).text
    given = f"{HEAD}\n{ONE},居民身份证,七星公安分局,2020-01-01,,有效\n{OTHER},户口簿,七星公安分局,,,注销"
    looked = await admin.post(HOME, {"text": given})
    assert "新增 2" in looked.text
    table = looked.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert (ONE in table, f"{ONE[:4]}**" in table, "长期" in table) == (False, True, True)
    assert await count(console) == 0
    assert (await admin.post(HOME, {"text": given, "sure": "true"})).status == 303
    assert await count(console) == 2
    assert "列表与登记表相同" in (await admin.post(HOME, {"text": given})).text


async def test_one_wrong_line_or_column_and_nothing_is_taken(console: Console) -> None:
    admin = await console.signed_in("system_admin")
    wrong = f"{HEAD}\n{ONE},居民身份证,七星公安分局,,,\n{OTHER},护照,七星公安分局,,,"
    looked = await admin.post(HOME, {"text": wrong})
    assert "改正 1 行后才能导入" in looked.text
    assert "证照种类不认识" in looked.text
    assert (await admin.post(HOME, {"text": wrong, "sure": "true"})).status == 422
    image = await admin.post(
        HOME, {"text": f"{HEAD},照片\n{ONE},居民身份证,七星公安分局,,,,x", "sure": "true"}
    )
    assert (image.status, "多余或重复的列：照片" in image.text) == (422, True)
    assert (await admin.post(HOME, {"text": "", "sure": "true"})).status == 422
    assert (await admin.post(HOME, {"text": HEAD})).status == 422
    assert await count(console) == 0
