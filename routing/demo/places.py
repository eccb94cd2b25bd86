"""Guilin on the map: its seventeen districts and counties with their streets and towns, some villages.

Names of places are real; estates, shops and firms in the demo texts are invented.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class District:
    """A district or county: code for logins, streets and towns, roads people name, its share of calls."""

    name: str
    code: str
    share: int
    towns: tuple[str, ...]
    roads: tuple[str, ...]
    villages: tuple[tuple[str, str], ...] = ()  # (town, village)
    sights: tuple[str, ...] = ()
    parks: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """What people call it: 龙胜县 for 龙胜各族自治县."""
        for long in ("各族自治县", "瑶族自治县"):
            if self.name.endswith(long):
                return self.name.removesuffix(long) + "县"
        return self.name

    @property
    def schools(self) -> tuple[str, ...]:
        """Schools people name; counties have their own."""
        own = ("第一小学", "实验小学", "第一中学", "镇中心小学")
        return tuple(self.short + name for name in own) if self.rural else TOWN_SCHOOLS

    @property
    def hospitals(self) -> tuple[str, ...]:
        """Hospitals people name."""
        own = ("人民医院", "中医医院", "妇幼保健院")
        return tuple(self.short + name for name in own) if self.rural else TOWN_HOSPITALS

    @property
    def rural(self) -> bool:
        """Counties have villages and fields, the six districts mostly estates."""
        return not self.name.endswith("区")


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DISTRICTS: tuple[District, ...] = (
    District(
        "秀峰区",
        "xiufeng",
        13,
        _split("秀峰街道 丽君街道 甲山街道"),
        _split("中山中路 解放西路 丽君路 信义路 翠竹路 西山路 琴潭路 榕湖南路 太平路 芦笛路"),
        (("甲山街道", "鲁家村"),),
        sights=_split("芦笛景区 靖江王城景区 两江四湖景区"),
        parks=_split("西山公园 榕湖边 芦笛路步道"),
    ),
    District(
        "象山区",
        "xiangshan",
        13,
        _split("象山街道 南门街道 平山街道 二塘乡"),
        _split("中山南路 上海路 崇信路 翠竹路 瓦窑路 铁西一里 凯风路 环城南一路 民主路 滨江南路"),
        sights=_split("象鼻山景区 日月双塔景区"),
        parks=_split("南溪公园 瓦窑公园 杉湖边"),
    ),
    District(
        "七星区",
        "qixing",
        17,
        _split("七星街道 东江街道 穿山街道 漓东街道 朝阳乡"),
        _split(
            "自由路 漓江路 三里店大道 七星路 建干路 施家园路 龙隐路 普陀路 东江路 穿山东路 毅峰路 "
            "金鸡路 六合路 空明西路 辅星路 骖鸾路"
        ),
        sights=_split("七星景区 訾洲景区"),
        parks=_split("穿山公园 訾洲公园 漓江东岸步道"),
    ),
    District(
        "叠彩区",
        "diecai",
        10,
        _split("叠彩街道 北门街道 大河乡"),
        _split("中山北路 叠彩路 芳香路 凤北路 环城北二路 北辰路 站前路 观音阁路 清风路 九华路"),
        (("大河乡", "上窑村"),),
        sights=_split("叠彩山景区 木龙湖景区"),
        parks=_split("虞山公园 滨江步道 宝塔山步道"),
    ),
    District(
        "雁山区",
        "yanshan",
        4,
        _split("雁山街道 良丰街道 柘木镇 大埠乡 草坪回族乡"),
        _split("雁中路 雁山街 桂阳公路 大学路 良丰路"),
        (("草坪回族乡", "潜经村"),),
        sights=_split("雁山园景区 草坪冠岩景区"),
        parks=_split("园林植物园 雁山文化广场"),
    ),
    District(
        "临桂区",
        "lingui",
        14,
        _split("临桂镇 六塘镇 会仙镇 两江镇 五通镇 四塘镇 南边山镇 中庸镇 茶洞镇 宛田瑶族乡 黄沙瑶族乡"),
        _split("世纪东路 金山路 人民南路 榕山路 凤凰西路 公园北路 新龙路 西城北路 平桂西路 万福路 山水大道"),
        (("四塘镇", "横山村"), ("会仙镇", "山尾村"), ("两江镇", "信果村")),
        sights=_split("义江缘景区 会仙湿地公园"),
        parks=_split("山水公园 临桂中央公园"),
    ),
    District(
        "阳朔县",
        "yangshuo",
        5,
        _split("阳朔镇 白沙镇 福利镇 兴坪镇 葡萄镇 高田镇 金宝乡 普益乡 杨堤乡"),
        _split("蟠桃路 叠翠路 西街 抗战路 神山路 芙蓉路 滨江路"),
        (("兴坪镇", "渔村"), ("高田镇", "历村"), ("白沙镇", "旧县村")),
        sights=_split("西街 遇龙河景区 兴坪古镇 世外桃源景区"),
        parks=_split("蟠桃公园 滨江公园"),
    ),
    District(
        "灵川县",
        "lingchuan",
        5,
        _split("灵川镇 大圩镇 定江镇 三街镇 潭下镇 九屋镇 灵田镇 潮田乡 大境瑶族乡 海洋乡 兰田瑶族乡 公平乡"),
        _split("灵北路 灵西路 八里一路 八里三路 定江路 桂北大道 银杏路"),
        (("九屋镇", "江头村"), ("大圩镇", "熊村"), ("潮田乡", "毛村")),
        sights=_split("大圩古镇 古东瀑布景区"),
        parks=_split("灵川文化广场 八里街公园"),
    ),
    District(
        "全州县",
        "quanzhou",
        4,
        _split(
            "全州镇 黄沙河镇 庙头镇 文桥镇 大西江镇 龙水镇 才湾镇 绍水镇 石塘镇 咸水镇 凤凰镇 安和镇 "
            "两河镇 枧塘镇 永岁镇 白宝乡 东山瑶族乡 蕉江瑶族乡"
        ),
        _split("桂黄路 中心南路 北门路 桥南路 湘山路 朝京路"),
        (("才湾镇", "南一村"), ("东山瑶族乡", "清水村"), ("绍水镇", "柳甲村")),
        sights=_split("湘山寺景区 天湖景区"),
        parks=_split("湘江公园 全州文化广场"),
    ),
    District(
        "兴安县",
        "xingan",
        3,
        _split("兴安镇 湘漓镇 界首镇 高尚镇 严关镇 溶江镇 漠川乡 白石乡 崔家乡 华江瑶族乡"),
        _split("三台路 灵渠北路 志玲路 秦城路 兴桂路 双灵路"),
        (("华江瑶族乡", "高寨村"), ("界首镇", "城东村")),
        sights=_split("灵渠景区 猫儿山景区"),
        parks=_split("灵渠公园 兴安文化广场"),
    ),
    District(
        "永福县",
        "yongfu",
        2,
        _split("永福镇 罗锦镇 百寿镇 苏桥镇 堡里镇 三皇镇 广福乡 永安乡 龙江乡"),
        _split("凤城路 连江路 迎宾路 福寿路 茅江路"),
        (("罗锦镇", "崇山村"),),
        sights=_split("金钟山景区 百寿岩景区"),
        parks=_split("凤山公园 永福文化广场"),
    ),
    District(
        "灌阳县",
        "guanyang",
        1,
        _split("灌阳镇 黄关镇 文市镇 新街镇 新圩镇 水车镇 观音阁乡 西山瑶族乡 洞井瑶族乡"),
        _split("灌江路 江东路 解放路 滨江路"),
        (("文市镇", "月岭村"),),
        sights=_split("千家洞景区 文市石林"),
        parks=_split("灌江公园 灌阳文化广场"),
    ),
    District(
        "龙胜各族自治县",
        "longsheng",
        2,
        _split("龙胜镇 瓢里镇 三门镇 龙脊镇 平等镇 乐江镇 泗水乡 江底乡 马堤乡 伟江乡"),
        _split("兴龙北路 古龙路 桂龙路 日新路"),
        (("龙脊镇", "平安村"), ("龙脊镇", "大寨村")),
        sights=_split("龙脊梯田 龙胜温泉"),
        parks=_split("桑江公园 龙胜文化广场"),
    ),
    District(
        "资源县",
        "ziyuan",
        1,
        _split("资源镇 中峰镇 梅溪镇 瓜里乡 车田苗族乡 两水苗族乡 河口瑶族乡"),
        _split("西延路 城北大道 资江南路 环城路"),
        (("梅溪镇", "大坨村"),),
        sights=_split("八角寨景区 资江漂流"),
        parks=_split("资江公园 资源文化广场"),
    ),
    District(
        "平乐县",
        "pingle",
        2,
        _split("平乐镇 二塘镇 沙子镇 同安镇 张家镇 源头镇 阳安乡 青龙乡 桥亭乡 大发瑶族乡"),
        _split("正北街 乐民路 府前路 新安街 滨江大道"),
        (("张家镇", "榕津村"),),
        sights=_split("仙家温泉 榕津古镇"),
        parks=_split("印山公园 平乐文化广场"),
    ),
    District(
        "恭城瑶族自治县",
        "gongcheng",
        2,
        _split("恭城镇 栗木镇 莲花镇 嘉会镇 西岭镇 平安镇 三江乡 观音乡 龙虎乡"),
        _split("拱辰东路 茶江路 吉祥街 民族路"),
        (("莲花镇", "红岩村"), ("莲花镇", "黄岭村")),
        sights=_split("恭城文庙 红岩景区"),
        parks=_split("茶江公园 恭城文化广场"),
    ),
    District(
        "荔浦市",
        "lipu",
        2,
        _split(
            "荔城镇 东昌镇 新坪镇 杜莫镇 青山镇 修仁镇 大塘镇 花箦镇 双江镇 马岭镇 龙怀乡 茶城乡 蒲芦瑶族乡"
        ),
        _split("荔柳路 滨江路 环城南路 兴荔路 黎明街"),
        (("修仁镇", "柘村"), ("马岭镇", "地狮村")),
        sights=_split("银子岩景区 丰鱼岩景区"),
        parks=_split("荔江公园 荔浦文化广场"),
    ),
)
# Estates are made of two parts; none of them exists.
ESTATE_HEADS = _split(
    "漓岸 榕荫 桂香 翠屏 兰亭 秀水 望江 金桂 银杏 凤鸣 云溪 观澜 丹桂 福安 春晓 青松 临湖 星河 安居 "
    "锦桂 龙隐 半山 和谐 桃江 新城 书香 竹苑 明珠"
)
ESTATE_TAILS = _split("花园 小区 苑 家园 雅居 新村 公寓 华庭 名邸 一期 二期 南区")
SHOPS = _split(
    "老桂林米粉店 阿妹螺蛳粉 漓江渔家饭店 阿贵烧烤 金榕餐馆 桂姐酸嘢店 小城故事茶馆 聚福楼 蓝海KTV "
    "星光网吧 优鲜超市 好邻居便利店 万家生活超市 悦动健身 飞扬健身 丽人美容 一剪美发 启明培训 童乐早教 "
    "百味早餐店 鑫鑫汽修 顺达汽车美容 通达二手车行 乐家装饰"
)
FIRMS = _split(
    "桂岭建筑公司 漓东劳务公司 恒远物业 安泰物业 金桂物业 榕城物业 兴达房地产 锦程置业 山水文旅公司 "
    "广源食品厂 新锐电子厂 腾越物流 嘉禾家政 双桂服装厂 宏图装饰公司 福来餐饮公司"
)
TOWN_SCHOOLS = _split(
    "第一实验小学 育红小学 榕湖小学 东江小学 城北中学 清风中学 第十二中学 临江中学 新城实验学校"
)
TOWN_HOSPITALS = _split("市人民医院 市中医医院 市妇幼保健院 区人民医院 社区卫生服务中心")
RIVERS = _split("漓江 桃花江 小东江 南溪河 宁远河 相思江 灵剑溪 义江 太平河")
BUSES = _split("2路 3路 5路 10路 11路 12路 16路 18路 22路 25路 28路 32路 85路 88路 100路 203路")
MARKETS = _split("三里店菜市 榕湖农贸市场 北门菜市 瓦窑农贸市场 东江菜市 临桂中心市场 清风菜市 安新农贸市场")
