"""The demo city's offices: bureaus, utilities, and the posts of the hotline."""

from dataclasses import dataclass

from core.people.permissions import Role


@dataclass(frozen=True)
class Office:
    """A bureau or utility: code for logins, full and short name."""

    code: str
    name: str
    short: str


HOTLINE = Office("hotline", "桂林市12345政务服务便民热线中心", "热线中心")
BUREAUS: tuple[Office, ...] = (
    Office("chengguan", "桂林市城市管理委员会", "市城管委"),
    Office("gongan", "桂林市公安局", "市公安局"),
    Office("jiaojing", "桂林市公安局交通警察支队", "市交警支队"),
    Office("renshe", "桂林市人力资源和社会保障局", "市人社局"),
    Office("zhujian", "桂林市住房和城乡建设局", "市住建局"),
    Office("shichang", "桂林市市场监督管理局", "市市场监管局"),
    Office("huanjing", "桂林市生态环境局", "市生态环境局"),
    Office("jiaotong", "桂林市交通运输局", "市交通运输局"),
    Office("weijian", "桂林市卫生健康委员会", "市卫健委"),
    Office("jiaoyu", "桂林市教育局", "市教育局"),
    Office("minzheng", "桂林市民政局", "市民政局"),
    Office("ziran", "桂林市自然资源局", "市自然资源局"),
    Office("shuili", "桂林市水利局", "市水利局"),
    Office("nongye", "桂林市农业农村局", "市农业农村局"),
    Office("linye", "桂林市林业和园林局", "市林业园林局"),
    Office("yibao", "桂林市医疗保障局", "市医保局"),
    Office("shuiwu", "国家税务总局桂林市税务局", "市税务局"),
    Office("wenlv", "桂林市文化广电和旅游局", "市文广旅局"),
    Office("tiyu", "桂林市体育局", "市体育局"),
    Office("xiaofang", "桂林市消防救援支队", "市消防支队"),
    Office("yingji", "桂林市应急管理局", "市应急局"),
    Office("canlian", "桂林市残疾人联合会", "市残联"),
    Office("shuju", "桂林市大数据和行政审批局", "市行政审批局"),
    Office("jinrong", "桂林市金融工作办公室", "市金融办"),
    Office("youzheng", "桂林市邮政管理局", "市邮政管理局"),
    Office("gongjijin", "桂林市住房公积金管理中心", "市公积金中心"),
    Office("gongshui", "桂林市供水公司", "供水公司"),
    Office("gongdian", "桂林供电局", "供电局"),
    Office("ranqi", "桂林市燃气公司", "燃气公司"),
    Office("gongjiao", "桂林市公共交通公司", "公交公司"),
    Office("tongxin", "桂林市通信行业管理办公室", "通信管理办"),
)
# login prefix, role, how many; two-digit numbers follow the prefix.
HOTLINE_POSTS: tuple[tuple[str, Role, int], ...] = (
    ("agent", Role.AGENT, 40),
    ("leader", Role.SHIFT_LEADER, 3),
    ("dispatcher", Role.DISPATCHER, 4),
    ("callback", Role.CALLBACK_OFFICER, 3),
    ("supervision", Role.SUPERVISION_OFFICER, 2),
    ("editor", Role.KNOWLEDGE_EDITOR, 1),
    ("reviewer", Role.KNOWLEDGE_REVIEWER, 1),
)
CITY_POSTS: tuple[tuple[str, Role], ...] = (
    ("sysadmin", Role.SYSTEM_ADMIN),
    ("secadmin", Role.SECURITY_ADMIN),
    ("auditadmin", Role.AUDIT_ADMIN),
    ("inspector", Role.INSPECTOR),
)
# Who has a telephone, and the first one's extension.
EXTENSIONS: dict[Role, int] = {Role.AGENT: 1001, Role.CALLBACK_OFFICER: 1041, Role.SHIFT_LEADER: 1046}
